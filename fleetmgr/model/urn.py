"""Names of resources as the Pulumi engine computes them (pkg/resource/deploy/deployment.go, ``generateURN``).

A URN holds stack, project, the types of all parents but the root stack's, the type and the name: an object that
moves from one component to another of the same type keeps it.
"""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"
APP_TYPE = "fleetmgr:index:App"
PROVIDER_TYPE = "pulumi:providers:kubernetes"
PROVIDER_NAME = "kubernetes"


def type_token(group: str, version: str, kind: str) -> str:
    """``kubernetes:apps/v1:Deployment``; ``core`` stands for the core group (pulumi-kubernetes
    ``provider.go``, ``gvkFromURN``); custom resources use their own group."""
    return f"kubernetes:{group or 'core'}/{version}:{kind}"


def urn(*, project: str, stack: str, type_: str, name: str, parent: str = "") -> str:
    """``parent`` is the parent's URN, "" for the stack itself."""
    above = qualified_type(parent) if parent else ""
    qualified = type_ if above in ("", STACK_TYPE) else f"{above}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def qualified_type(text: str) -> str:
    """The third part of a URN: types from the outermost parent to the resource, joined by ``$``."""
    return text.split("::", 3)[2]


def stack_urn(*, project: str, stack: str) -> str:
    """The root of everything in a stack."""
    return urn(project=project, stack=stack, type_=STACK_TYPE, name=f"{project}-{stack}")


def app_urn(app: str, *, project: str, stack: str) -> str:
    """The component of an app."""
    return urn(project=project, stack=stack, type_=APP_TYPE, name=app)


def provider_urn(*, project: str, stack: str) -> str:
    """The only provider of a stack."""
    return urn(project=project, stack=stack, type_=PROVIDER_TYPE, name=PROVIDER_NAME)
