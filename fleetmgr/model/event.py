"""Everything that can happen while a walk runs, as values: progress, journal and reports read these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.objects import ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStarted:
    """A cluster's walk began. ``phase`` is ``preview`` or ``apply``."""

    cluster: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChanged:
    """The server confirmed one write."""

    cluster: str
    app: str
    op: Op
    ref: ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFailed:
    """One object could not be written; the cluster goes on or stops by rule."""

    cluster: str
    app: str
    ref: ObjectRef
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An app's objects are not all Healthy yet; sent when the picture changes."""

    cluster: str
    app: str
    ready: int
    total: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFinished:
    """A cluster's walk ended. ``summary`` is one line for people."""

    cluster: str
    phase: str
    exit_code: ExitCode
    summary: str


Event: TypeAlias = ClusterStarted | ObjectChanged | ObjectFailed | Waiting | ClusterFinished
EventSink: TypeAlias = Callable[[Event], None]
