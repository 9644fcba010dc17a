"""How a cluster says no. Every requester maps transport and API errors to these, secrets removed.

ClusterError
|- Unreachable       exit 4   no connection, TLS, timeouts, 5xx after retries
|- AuthFailed        exit 3   401, unusable credentials, exec plugin failed
|- AccessDenied      exit 3   403 by RBAC: verb and resource are named
|- ApiRejected       exit 1   every other 4xx answer
   |- ObjectConflict          409 with field managers, or a stale fence
   |- ObjectInvalid           422 / 400, admission said no
   |- ObjectGone              404
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.model.refusal import Cause


class ClusterError(FleetError):
    """Something that one cluster answered, or did not answer."""

    code: ClassVar[str] = "FLT-3000"

    def __init__(
        self, message: str, *, cluster: str, where: Where | None = None, hint: str | None = None
    ) -> None:
        """``cluster`` is the entry's name."""
        super().__init__(message, where=where or Where(cluster=cluster), hint=hint)
        self.cluster = cluster


class Unreachable(ClusterError):
    """No answer: never to be read as "nothing there"."""

    code: ClassVar[str] = "FLT-3001"
    exit_code: ClassVar[ExitCode] = ExitCode.PARTIAL
    answered: bool = False
    """An API server answered, but only that it cannot right now (429, 5xx)."""


class AuthFailed(ClusterError):
    """The cluster does not know us, or we cannot obtain credentials."""

    code: ClassVar[str] = "FLT-3002"
    exit_code: ClassVar[ExitCode] = ExitCode.AUTH


class AccessDenied(ClusterError):
    """RBAC says no; the message names verb, resource and namespace."""

    code: ClassVar[str] = "FLT-3003"
    exit_code: ClassVar[ExitCode] = ExitCode.AUTH


class ApiRejected(ClusterError):
    """The API answered with an error status; ``reason`` is the Status reason."""

    code: ClassVar[str] = "FLT-3004"

    def __init__(
        self,
        message: str,
        *,
        cluster: str,
        status: int = 0,
        reason: str = "",
        where: Where | None = None,
        hint: str | None = None,
    ) -> None:
        """``message`` is the server's own, without values of Secrets."""
        super().__init__(message, cluster=cluster, where=where, hint=hint)
        self.status = status
        self.reason = reason


class WebhookFailed(ApiRejected):
    """A webhook that the API server must ask did not answer, or not in time: not the object's fault. The message names
    it, and how long it was waited for. The transport does not send again; an app's ``retry`` says how often it is
    tried."""

    code: ClassVar[str] = "FLT-2060"


class FieldOwner(Struct, frozen=True, kw_only=True):
    """A field that another manager holds (a FieldManagerConflict cause)."""

    field: str
    manager: str


class ObjectConflict(ApiRejected):
    """409: other field managers hold fields (``owners``), or uid/resourceVersion moved (no owners)."""

    code: ClassVar[str] = "FLT-3005"
    owners: tuple[FieldOwner, ...] = ()


class ObjectInvalid(ApiRejected):
    """422/400 or an admission denial: the same request will never succeed. ``causes`` as the server lists them."""

    code: ClassVar[str] = "FLT-3006"
    causes: tuple[Cause, ...] = ()


class ObjectGone(ApiRejected):
    """404: the object, its namespace, or its kind is not there."""

    code: ClassVar[str] = "FLT-3007"
