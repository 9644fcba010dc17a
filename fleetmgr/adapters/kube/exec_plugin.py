"""Credential plugins (client.authentication.k8s.io): bounded, silent, and run once for all who ask.

Protocol: k8s.io/client-go/plugin/pkg/client/auth/exec. Neither Python client bounds a plugin; a plugin that waits
for a password would hang a whole fleet run, so it gets no input, a deadline, and its process group is ended.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from msgspec import Struct, field

from fleetmgr.adapters.kube.access import AccessFault, ClientCertificate, Credential, PluginSpec
from fleetmgr.adapters.kube.redaction import without_credentials
from fleetmgr.model.jsontypes import Json, JsonObject, is_object, object_at
from fleetmgr.ports.clock import Clock

_MOST_OUTPUT = 1 << 20
_READ = 1 << 16
_GRACE = 1.0


class PluginAnswer(Struct, frozen=True, kw_only=True):
    """A Credential, and until when (UTC) it holds; None = until refused."""

    credential: Credential
    expires: datetime | None


class _Output(Struct, kw_only=True):
    """What a process wrote; ``ended`` is None when it had to be stopped."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    too_long: bool = False
    ended: int | None = None


def run_plugin(
    spec: PluginSpec, *, environment: Mapping[str, str], timeout: float, clock: Clock
) -> PluginAnswer:
    """Run the plugin once, for at most ``timeout`` seconds. Raises AccessFault that shows its stderr, cut and
    without credentials, and never its stdout."""
    name = os.path.basename(spec.command)  # noqa: PTH119 - may hold no path at all
    executable = shutil.which(spec.command, path=environment.get("PATH"))
    if executable is None:
        hint = without_credentials(spec.install_hint) or "install it, or give its full path in the kubeconfig"
        raise AccessFault(f"credential plugin `{name}` was not found", hint=hint)
    output = _run(executable, spec, environment=environment, timeout=timeout, clock=clock)
    said = without_credentials(output.stderr.decode("utf-8", "replace"))
    tail = f": {said}" if said else ""
    if output.too_long:
        raise AccessFault(f"credential plugin `{name}` wrote more than {_MOST_OUTPUT >> 20} MiB")
    if output.ended is None:
        raise AccessFault(
            f"credential plugin `{name}` did not finish in {timeout:g} s{tail}",
            hint="it may wait for input, which it cannot have here: log in with it in a terminal first",
        )
    if output.ended != 0:
        raise AccessFault(
            f"credential plugin `{name}` failed with exit code {output.ended}{tail}",
            hint=without_credentials(spec.install_hint) or "run it in a terminal to see why",
        )
    return _parsed(bytes(output.stdout), spec, name)


def _run(
    executable: str, spec: PluginSpec, *, environment: Mapping[str, str], timeout: float, clock: Clock
) -> _Output:
    info: JsonObject = {
        "apiVersion": spec.api_version,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    if spec.cluster is not None:
        info["spec"]["cluster"] = spec.cluster
    env = {**environment, **dict(spec.env), "KUBERNETES_EXEC_INFO": orjson.dumps(info).decode()}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's kubeconfig names the program; no shell
            [executable, *spec.args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its arguments hold a NUL"
        raise AccessFault(f"credential plugin `{executable}` cannot be started: {reason}") from None
    try:
        return _collect(process, clock.monotonic() + timeout, clock)
    finally:
        _end(process)


def _collect(process: subprocess.Popen[bytes], until: float, clock: Clock) -> _Output:
    """Read both pipes until they close, the process has ended, or time or size is up."""
    output = _Output()
    with selectors.DefaultSelector() as selector:
        for stream, into in ((process.stdout, output.stdout), (process.stderr, output.stderr)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, into)
        while selector.get_map() and (left := until - clock.monotonic()) > 0:
            for key, _ in selector.select(min(left, 0.2)):
                into: bytearray = key.data
                chunk = os.read(key.fd, _READ)
                into.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if len(output.stdout) + len(output.stderr) > _MOST_OUTPUT:
                output.too_long = True
                return output
            if process.poll() is not None:  # a child that it left behind may hold the pipes open for ever
                until = min(until, clock.monotonic() + _GRACE)
    output.ended = _exit_code(process, until - clock.monotonic())
    return output


def _exit_code(process: subprocess.Popen[bytes], left: float) -> int | None:
    try:
        return process.wait(max(left, 0.0))
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group, and reap the process."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _parsed(stdout: bytes, spec: PluginSpec, name: str) -> PluginAnswer:
    try:
        answer: Json = orjson.loads(stdout)
    except orjson.JSONDecodeError:
        raise AccessFault(
            f"credential plugin `{name}` did not answer with JSON",
            hint="it must print an ExecCredential and nothing else to stdout",
        ) from None
    if not is_object(answer) or answer.get("kind") != "ExecCredential":
        raise AccessFault(f"credential plugin `{name}` answered with something other than an ExecCredential")
    if answer.get("apiVersion") != spec.api_version:
        raise AccessFault(
            f"credential plugin `{name}` answered in another apiVersion than {spec.api_version}",
            hint="set the plugin's apiVersion in the kubeconfig to the one it speaks",
        )
    status = object_at(answer, "status")
    return PluginAnswer(credential=_credential(status, name), expires=_expiry(status, name))


def _credential(status: JsonObject, name: str) -> Credential:
    token = _text(status, "token", name)
    certificate = _text(status, "clientCertificateData", name)
    key = _text(status, "clientKeyData", name)
    if bool(certificate) != bool(key):
        raise AccessFault(
            f"credential plugin `{name}` gave a client certificate without its key, or the reverse"
        )
    if not token and not certificate:
        raise AccessFault(f"credential plugin `{name}` gave neither a token nor a client certificate")
    return Credential(
        authorization=bearer(token) if token else None,
        certificate=ClientCertificate(certificate=certificate.encode(), key=key.encode())
        if certificate
        else None,
    )


def bearer(token: str) -> str:
    """The Authorization header of ``token``. Raises AccessFault where no header can hold it."""
    if not token.isascii() or any(character.isspace() or not character.isprintable() for character in token):
        raise AccessFault("the token holds characters that no token has (blanks, line breaks)")
    return f"Bearer {token}"


def _text(status: JsonObject, key: str, name: str) -> str:
    value = status.get(key) or ""
    if not isinstance(value, str):
        raise AccessFault(f"credential plugin `{name}`: status.{key} is not text")
    return value


def _expiry(status: JsonObject, name: str) -> datetime | None:
    text = _text(status, "expirationTimestamp", name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AccessFault(
            f"credential plugin `{name}`: status.expirationTimestamp is no RFC 3339 time"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
