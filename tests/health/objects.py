"""Live objects for health tests, as short as an API server's answer may be."""

from __future__ import annotations

from typing import Any


def body(api_version: str, kind: str, status: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An object of generation 2; ``metadata`` and ``spec`` by keyword."""
    metadata = {"name": "x", "namespace": "shop", "generation": 2, "uid": "uid-x", **more.pop("metadata", {})}
    result = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}
    return result if status is None else {**result, "status": status}


def conditions(*items: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    """``"Ready=False:Reason:Message"`` each; other status fields by keyword."""
    return {"conditions": [condition(item) if isinstance(item, str) else item for item in items], **more}


def condition(text: str) -> dict[str, Any]:
    """One condition."""
    head, _, rest = text.partition(":")
    kind, _, status = head.partition("=")
    reason, _, message = rest.partition(":")
    return {"type": kind, "status": status or "True", "reason": reason, "message": message}


def waiting(
    reason: str, *, restarts: int = 0, message: str = "", exit_code: int | None = None
) -> dict[str, Any]:
    """The status of a container ``main`` that does not run."""
    last = {} if exit_code is None else {"terminated": {"exitCode": exit_code, "reason": "Error"}}
    return {
        "name": "main",
        "image": "web:9",
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": last,
    }


def pod(phase: str, *containers: dict[str, Any], policy: str = "Always", **more: Any) -> dict[str, Any]:
    """A Pod ``x``; status fields by keyword."""
    status = {"phase": phase, "containerStatuses": list(containers), **more}
    return body("v1", "Pod", status, spec={"restartPolicy": policy})
