"""What the CLI and its provider say when they fail -> the errors of ports.pulumi_errors.

Each line names the place in Pulumi's sources whose words are matched. What matches nothing is told as it was said.
"""

from __future__ import annotations

import re

from msgspec import Struct

from fleetmgr.adapters.pulumi.masking import Mask
from fleetmgr.errors import Problem, Where
from fleetmgr.ports.pulumi_errors import (
    BackendDenied,
    BackendRefused,
    ClusterDenied,
    ClusterUnreached,
    PassphraseMissing,
    PluginMissing,
    PulumiError,
    RunStopped,
    StackLocked,
    StepRefused,
)

# sdk/go/common/workspace/plugins.go, MissingError
_PLUGIN = re.compile(
    r"no resource plugin '[^']*' found|could not (load|read) plugin|exited prematurely|error installing plugin",
    re.IGNORECASE,
)
# pkg/backend/diy/lock.go; the 409 of Pulumi Cloud
_LOCKED = re.compile(
    r"the stack is currently locked|\[409\] Conflict: Another update is currently in progress", re.IGNORECASE
)
_HOLDER = re.compile(r"created by (\S+) \(pid (\d+)\) at (\S+)")
# pkg/secrets/passphrase/manager.go, pkg/secrets/cloud/manager.go
_PASSPHRASE = re.compile(
    r"passphrase must be set|incorrect passphrase|secrets? manager|message authentication failed|secrets \(code=",
    re.IGNORECASE,
)
# pkg/backend/httpstate/backend.go, and how S3, GCS, Azure and Postgres say that they know us not
_UNKNOWN_USER = re.compile(
    r"PULUMI_ACCESS_TOKEN|invalid access token|no credentials provided|\[40[13]\]|Unauthorized: |"
    r"NoCredentialProviders|failed to refresh cached credentials|get identity|InvalidAccessKeyId|"
    r"SignatureDoesNotMatch|could not find default credentials|AuthorizationFailure|AuthenticationFailed|"
    r"password authentication failed|AccessDenied",
)
# pkg/backend/diy/backend.go, and what Go says of connections
_BACKEND = re.compile(
    r"unable to open |problem logging in|could not list bucket|error listing|blob \(|no such host|i/o timeout|"
    r"connection refused|no such file or directory|failed to connect to|illegal prefix|dial tcp",
    re.IGNORECASE,
)
# pulumi-kubernetes, provider.go
_UNREACHED = re.compile(
    r"configured Kubernetes cluster is unreachable|unable to load Kubernetes client configuration|"
    r"unable to load schema information from the API server|failed to read resource state due to unreachable",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\bis forbidden: User\b|the server has asked for the client to provide credentials")
# pulumi-kubernetes, provider.go: where the object is named is said by the problem itself
_PREFIX = re.compile(
    r'^resource "?urn:pulumi:[^"\s]+"? was not successfully \w+ by the Kubernetes API server ?: ?'
)
_CUT_OFF = "context canceled"
_ADVICE = "If the cluster was deleted, you can remove this resource from Pulumi state"
_ERROR = re.compile(r"^\s*error: ", re.IGNORECASE | re.MULTILINE)


class LockHolder(Struct, frozen=True, kw_only=True):
    """Whom a lock file names."""

    host: str
    pid: int


class Said(Struct, frozen=True, kw_only=True):
    """``text`` is what the CLI wrote on standard error and as diagnostics."""

    text: str
    cluster: str
    backend: str
    mask: Mask

    @property
    def where(self) -> Where:
        """The entry."""
        return Where(cluster=self.cluster)

    def told(self) -> str:
        """The first error, masked, on one line."""
        start = _ERROR.search(self.text)
        return self.mask.text(self.text[start.end() :] if start else self.text) or "it says nothing"


def refused(said: Said) -> PulumiError | None:
    """The error of a run that could not begin, for what Pulumi is known to say; None for anything else."""
    if _UNREACHED.search(said.text):
        return None
    return next((error(said) for words, error in _REFUSALS if words.search(said.text)), None)


def _missing(said: Said) -> PluginMissing:
    hint = "`fleet doctor` says which version is needed, and `fleet doctor --install pulumi` installs it"
    return PluginMissing(
        f"Pulumi's Kubernetes provider cannot be used: {said.told()}", where=said.where, hint=hint
    )


def _denied(said: Said) -> BackendDenied:
    return BackendDenied(
        f"the backend of stack {said.cluster} does not accept who we are: {said.told()}",
        where=said.where,
        hint="set its credentials in the environment (PULUMI_ACCESS_TOKEN, AWS_*, GOOGLE_*, AZURE_*, PG*)",
    )


def _unusable(said: Said) -> BackendRefused:
    return BackendRefused(
        f"the backend of stack {said.cluster} cannot be used: {said.told()}",
        where=said.where,
        hint=f"check `engine.backend` ({said.backend.partition('?')[0]}) and the network",
    )


def _locked(said: Said) -> StackLocked:
    holder = _HOLDER.search(said.text)
    who = f" by {holder[1]} (pid {holder[2]}) since {holder[3]}" if holder else ""
    return StackLocked(
        f"the stack {said.cluster} is locked{who}",
        where=said.where,
        hint="wait for that run; if it is dead: `pulumi cancel`, which is dangerous while it lives",
    )


def lock_holder(text: str) -> LockHolder | None:
    """The process that holds the one lock of which ``text`` tells; None for none and for several."""
    found = _HOLDER.findall(text)
    if len(found) != 1:
        return None
    who, pid, _ = found[0]
    return LockHolder(host=who.rpartition("@")[2], pid=int(pid))


def _sealed(said: Said) -> PassphraseMissing:
    wrong = "incorrect passphrase" in said.text or "authentication failed" in said.text
    if wrong:
        message = f"the passphrase of stack {said.cluster} is wrong"
    elif "passphrase must be set" in said.text:
        message = f"the secrets of stack {said.cluster} need a passphrase, and none is set"
    else:
        message = f"the secrets of stack {said.cluster} cannot be opened: {said.told()}"
    hint = (
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or another `engine.secretsProvider`"
    )
    return PassphraseMissing(message, where=said.where, hint=hint)


_REFUSALS = (
    (_PLUGIN, _missing),
    (_LOCKED, _locked),
    (_PASSPHRASE, _sealed),
    (_UNKNOWN_USER, _denied),
    (_BACKEND, _unusable),
)


def of_run(said: Said) -> Problem:
    """Why a run that began failed as a whole."""
    error = _of_cluster(said.text)
    told = said.told()
    if error is ClusterUnreached:
        message = f"Pulumi's Kubernetes provider cannot reach {said.cluster}: {told}"
    elif error is ClusterDenied:
        message = f"{said.cluster} denies Pulumi's Kubernetes provider: {told}"
    else:
        message = f"the Pulumi run on {said.cluster} failed: {told}"
    return Problem(message=message, where=said.where, code=error.code)


def of_step(message: str, where: Where) -> Problem:
    """Why one resource failed; ``message`` is masked. Advice to throw the state away is not passed on."""
    if _CUT_OFF in message:
        told = "cut off by the stop before the cluster answered; the next run looks what became of it"
        return Problem(message=told, where=where, code=RunStopped.code)
    told = _PREFIX.sub("", message).partition(_ADVICE)[0].rstrip(" .")
    return Problem(message=told, where=where, code=_of_cluster(message).code)


def _of_cluster(text: str) -> type[PulumiError]:
    if _UNREACHED.search(text):
        return ClusterUnreached
    return ClusterDenied if _DENIED.search(text) else StepRefused
