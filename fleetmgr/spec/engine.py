"""``engine``: who previews and performs what the plan decided, and what the Pulumi CLI needs to do so."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from fleetmgr.spec.fields import BACKEND, SECRETS_PROVIDER, Duration, Name
from fleetmgr.spec.overlay import SpecModel

Positive = Annotated[StrictInt, Field(ge=1, le=1024)]


class Engine(SpecModel):
    """fleetmgr itself, or the Pulumi CLI. Each key is said by the environment, else by the fleet."""

    type: Literal["embedded", "pulumi"] | None = Field(
        default=None, description="embedded (default) or pulumi; --engine goes before it."
    )
    backend: Annotated[str, Field(pattern=BACKEND)] | None = Field(
        default=None,
        description="Where Pulumi keeps its state: file://, s3://, gs://, azblob:// or postgres:// URL, or https://"
        " of Pulumi Cloud. A relative file:// path starts beside fleet.yaml. Unset is a folder of this user on this"
        " machine, which nobody else sees. Holds no credentials: those come from the environment.",
    )
    organization: Name | None = Field(
        default=None, description="Organization of the stacks in Pulumi Cloud; unset is the user's own."
    )
    secrets_provider: Annotated[str, Field(pattern=SECRETS_PROVIDER)] | None = Field(
        default=None,
        description="What encrypts secrets in a new stack's state: default, passphrase, or an awskms://,"
        " azurekeyvault://, gcpkms:// or hashivault:// URL. An existing stack keeps what it has.",
    )
    parallel: Positive | None = Field(
        default=None, description="Resources that Pulumi works on at a time in a stack (16)."
    )
    max_stacks: Positive | None = Field(
        default=None,
        description="Stacks that run at a time, each with a CLI and a provider process of 150 to 300 MB (4).",
    )
    timeout: Duration | None = Field(
        default=None, description="How long one run of the CLI may take before it is told to stop (30m)."
    )
