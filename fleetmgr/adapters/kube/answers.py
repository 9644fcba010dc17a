"""What a refusal means: an API server's Status becomes the ClusterError that the engine decides by.

Sources: apimachinery ``api/errors``, apiserver ``endpoints/handlers/responsewriters`` (the wording of RBAC),
``plugin/webhook/errors`` (the wording of admission), structured-merge-diff (conflicts).
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

import orjson
from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.adapters.kube.calls import Answer, Call
from fleetmgr.adapters.kube.redaction import cut, without_credentials, without_secret_values
from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, child, is_object
from fleetmgr.model.refusal import Cause
from fleetmgr.ports.cluster_errors import (
    AccessDenied,
    ApiRejected,
    AuthFailed,
    ClusterError,
    FieldOwner,
    ObjectConflict,
    ObjectGone,
    ObjectInvalid,
    Unreachable,
    WebhookFailed,
)

WEBHOOK_FAILED = "WebhookFailed"
TERMINATING = "NamespaceTerminating"
_LONGEST = 2000
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY = 401, 403, 404, 409, 429
_INVALID = frozenset({400, 413, 415, 422})
_REDIRECT, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500
_OF_RBAC = re.compile(r'(?:^|: )User "[^"]*" cannot (\S+) (resource|path) "')
_ANONYMOUS = 'User "system:anonymous" cannot'
_OF_ADMISSION = re.compile(r"denied the request|admission webhook|ValidatingAdmissionPolicy")
_OF_SCHEMA = re.compile(
    r"denied the request|field not declared in schema|"
    r"failed to (create typed|convert) (patch|new|old|live|merged|default|result) object"
)
_WEBHOOK = re.compile(r"failed calling webhook|conversion webhook for .* failed", re.IGNORECASE)
_WEBHOOK_NAME = re.compile(r'failed calling webhook "([^"]+)"', re.IGNORECASE)
_WEBHOOK_TIMEOUT = re.compile(r"[?&]timeout=([0-9a-zµ.]+)")
_TIMED_OUT = re.compile(r"deadline exceeded|Client\.Timeout|timed out|i/o timeout")
_TERMINATING = re.compile(r"because it is being terminated")
_OF_FIELD = re.compile(r"(?:Invalid|Unsupported|Duplicate) value: |Not found: |(Forbidden: )")
_MANAGER = re.compile(r'conflicts? with "((?:[^"\\]|\\.)*)"')
_FENCES = ("metadata.uid", "metadata.resourceVersion")
_WARNING = re.compile(r'\b\d{3} \S+ "((?:[^"\\]|\\.)*)"')


Refusal = TypeVar("Refusal", bound=ApiRejected)


class _Case(Struct, frozen=True, kw_only=True):
    """One refused call with everything that its error needs."""

    answer: Answer
    call: Call
    cluster: str
    status: JsonObject | None
    """None when the answer is no Kubernetes Status."""
    said: str

    @property
    def text(self) -> str:
        return f"cannot {self.call.verb} {self.call.subject} on {self.cluster}: {self.said}"

    @property
    def where(self) -> Where:
        return Where(cluster=self.cluster, object=self.call.object)

    @property
    def reason(self) -> str:
        return str((self.status or {}).get("reason") or "")

    @property
    def causes(self) -> list[JsonObject]:
        return [cause for cause in array_at(self.status or {}, "details", "causes") if is_object(cause)]

    def rejected(self, kind: type[Refusal], *, reason: str | None = None, hint: str | None = None) -> Refusal:
        return kind(
            self.text,
            cluster=self.cluster,
            status=self.answer.status,
            reason=self.reason if reason is None else reason,
            where=self.where,
            hint=hint,
        )


def error_for(answer: Answer, call: Call, cluster: str, *, source: str = "") -> ClusterError:
    """The error that ``answer`` (status 300 and above) is. Messages name verb, resource, object and cluster;
    ``source`` is where the credentials come from."""
    status = status_of(answer)
    case = _Case(answer=answer, call=call, cluster=cluster, status=status, said=_said(answer, status, call))
    if answer.status == _UNAUTHORIZED or (answer.status == _FORBIDDEN and _ANONYMOUS in case.said):
        whose = f" of {source}" if source else ""
        hint = f"the credentials{whose} are not accepted: log in again, or check the context"
        return AuthFailed(case.text, cluster=cluster, where=case.where, hint=hint)
    if is_webhook_failure(answer):
        return _webhook_failed(case)
    if is_final(answer):
        return _invalid(case, reason=case.reason or "Invalid")
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY or not _is_api_answer(answer, status):
        error = Unreachable(
            case.text, cluster=cluster, where=case.where, hint=_hint_unreachable(answer, status)
        )
        error.answered = status is not None
        return error
    return _refused(case)


def _webhook_failed(case: _Case) -> WebhookFailed:
    """The API server says how long it waited only in the address that it called (``?timeout=10s``)."""
    named, asked = _WEBHOOK_NAME.search(case.said), _WEBHOOK_TIMEOUT.search(case.said)
    who = f"webhook {named.group(1)}" if named else "a webhook of this cluster"
    hint = f"{who} does not answer: look at its Service and pods"
    if _TIMED_OUT.search(case.said):
        within = f" within {asked.group(1)}" if asked else " in time"
        case = replace(case, said=f"{who} did not answer{within} ({case.said})")
        hint = f"look at the pods behind {who}, or give it more time (timeoutSeconds)"
    return case.rejected(WebhookFailed, reason=WEBHOOK_FAILED, hint=hint)


def _refused(case: _Case) -> ClusterError:
    code = case.answer.status
    if code == _FORBIDDEN:
        return _forbidden(case)
    if code == _NOT_FOUND:
        return case.rejected(ObjectGone, reason=case.reason or "NotFound", hint=_hint_gone(case))
    if code == _CONFLICT or any(cause.get("field") in _FENCES for cause in case.causes):
        conflict = case.rejected(ObjectConflict)
        conflict.owners = _owners(case.causes)
        return conflict
    return _invalid(case) if code in _INVALID else case.rejected(ApiRejected)


def _invalid(case: _Case, *, reason: str | None = None) -> ObjectInvalid:
    error = case.rejected(ObjectInvalid, reason=reason)
    error.causes = tuple(
        Cause(field=str(cause.get("field") or ""), detail=_detail(str(cause.get("message") or ""), case.call))
        for cause in case.causes
    )
    return error


def _detail(message: str, call: Call) -> str:
    """What stands behind the value in a field error (apimachinery, ``field.Error.ErrorBody``)."""
    match = _OF_FIELD.match(message)
    if match is None:
        return _presentable(message, call)
    rest = message[match.end() :]
    if match.group(1):
        return _presentable(rest, call)
    try:
        _, end = json.JSONDecoder().raw_decode(rest)
        rest = rest[end:].removeprefix(": ")
    except json.JSONDecodeError:
        rest = rest.rpartition(": ")[2]
    return _presentable(rest, call)


def _forbidden(case: _Case) -> ClusterError:
    """403 is RBAC, or admission (webhooks, policies, quotas), or a namespace that is being deleted."""
    if _OF_RBAC.search(case.said) and not _OF_ADMISSION.search(case.said):
        call = case.call
        scope = f" -n {call.namespace}" if call.namespace else ""
        hint = f"to check: kubectl auth can-i {call.verb} {call.subject.split(' ')[0]}{scope}"
        return AccessDenied(case.text, cluster=case.cluster, where=case.where, hint=hint)
    if any(cause.get("reason") == TERMINATING for cause in case.causes) or _TERMINATING.search(case.said):
        hint = "wait until the namespace is gone, or look at what keeps it (finalizers)"
        return case.rejected(ApiRejected, reason=TERMINATING, hint=hint)
    return _invalid(case)


def status_of(answer: Answer) -> JsonObject | None:
    """The Kubernetes Status in ``answer``; None when something else answered."""
    try:
        body: Json = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return body if is_object(body) and body.get("kind") == "Status" else None


def is_webhook_failure(answer: Answer) -> bool:
    """Whether a webhook did not answer, which no quick retry heals."""
    return bool(_WEBHOOK.search(_message(answer)))


def is_final(answer: Answer) -> bool:
    """Whether the object is refused whatever the status code says.

    Server-side apply reports fields and types that the schema does not have as 500 without a reason, and a webhook
    may deny with any code.
    """
    return bool(_OF_SCHEMA.search(_message(answer)))


def warnings_of(answer: Answer) -> tuple[str, ...]:
    """The texts of the Warning headers (RFC 7234, ``299 - "text"``), each once."""
    texts = [match.group(1) for header in answer.warnings for match in _WARNING.finditer(header)]
    return tuple(dict.fromkeys(re.sub(r"\\(.)", r"\1", text) for text in texts))


def _message(answer: Answer) -> str:
    return str((status_of(answer) or {}).get("message") or "")


def _is_api_answer(answer: Answer, status: JsonObject | None) -> bool:
    """A path that is not served gets plain text from the API server; a proxy's page is no answer at all."""
    return status is not None or (
        answer.status == _NOT_FOUND and answer.body.strip() == b"404 page not found"
    )


def _said(answer: Answer, status: JsonObject | None, call: Call) -> str:
    if status is not None:
        text = str(status.get("message") or status.get("reason") or f"HTTP {answer.status}")
        return _presentable(text, call)
    text = answer.body[:_LONGEST].decode("utf-8", "replace")
    if answer.status == _NOT_FOUND and _is_api_answer(answer, None):
        return "the server does not serve this kind"
    if "<html" in text.lower() or not text.strip():
        return f"HTTP {answer.status} without a Kubernetes answer"
    return f"HTTP {answer.status}: {_presentable(without_credentials(text), call)}"


def _presentable(text: str, call: Call) -> str:
    if call.hidden is not None:
        text = without_secret_values(text, call.hidden)
    return cut(text, _LONGEST)


def _owners(causes: list[JsonObject]) -> tuple[FieldOwner, ...]:
    found: list[FieldOwner] = []
    for cause in causes:
        if cause.get("reason") == "FieldManagerConflict":
            match = _MANAGER.search(str(cause.get("message") or ""))
            manager = re.sub(r"\\(.)", r"\1", match.group(1)) if match else "unknown"
            found.append(FieldOwner(field=str(cause.get("field") or ""), manager=manager))
    return tuple(found)


def _hint_gone(case: _Case) -> str | None:
    resource = case.call.resource
    kind = child(case.status or {}, "details", "kind")
    if resource is None:
        return None
    if kind == "namespaces" and resource.plural != "namespaces":
        return f"namespace {case.call.namespace} does not exist on {case.cluster}"
    if case.status is None or not child(case.status, "details", "name"):
        served = f"{resource.group}/{resource.version}" if resource.group else resource.version
        return f"{resource.kind} in {served} is not served by {case.cluster}: is its CRD installed?"
    return None


def _hint_unreachable(answer: Answer, status: JsonObject | None) -> str | None:
    if answer.status == _TOO_MANY:
        return "the server is overloaded: try again later, or with a smaller --parallel"
    if _REDIRECT <= answer.status < _BAD_REQUEST:
        return (
            "something in front of the API server redirects (a login page?): check server of the kubeconfig"
        )
    return None if status is not None else "is this the address of a Kubernetes API server?"
