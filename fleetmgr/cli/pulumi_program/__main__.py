"""Run by Pulumi's language host. A fleet in another repository has a ``__main__.py`` with these two lines."""

from __future__ import annotations

from fleetmgr.wiring.pulumi import run_program

run_program()
