"""One way in as a kubeconfig of its own, for a program that takes nothing else.

It holds one context, every path in it absolute; credentials that the user's files name by path stay there.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from fleetmgr.adapters.kube.access import Environment, Impersonation
from fleetmgr.adapters.kube.kubeconfig import Entry, Kubeconfig
from fleetmgr.adapters.kube.resolution import SERVICE_ACCOUNT, in_cluster_server
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object

CONTEXT = "fleetmgr"
_PATHS = frozenset({"certificate-authority", "client-certificate", "client-key", "tokenFile"})
_FLAGS = frozenset({"insecure-skip-tls-verify", "disable-compression", "provideClusterInfo"})
_NOTHING = ("", "null", "~")


def document_of(config: Kubeconfig, context: str | None, impersonation: Impersonation | None) -> str:
    """``context`` (None = the current one) of ``config``; ``impersonation`` goes before what it says. Raises
    AccessFault."""
    chosen = config.context(context)
    user = config.user_of(chosen)
    written = {} if user is None else _body(user)
    if impersonation is not None:
        written = {k: v for k, v in written.items() if k != "as" and not k.startswith("as-")}
        written |= _acting(impersonation)
    namespace = chosen.text("namespace")
    return _document(_body(config.cluster_of(chosen)), written, namespace)


def service_account_document(environment: Environment, impersonation: Impersonation | None) -> str:
    """The pod that we run in; its token stays in its file. Raises AccessFault outside a cluster."""
    cluster: JsonObject = {
        "server": in_cluster_server(environment),
        "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt"),
    }
    user: JsonObject = {"tokenFile": str(SERVICE_ACCOUNT / "token")}
    return _document(cluster, user | (_acting(impersonation) if impersonation else {}), "")


def _document(cluster: JsonObject, user: JsonObject, namespace: str) -> str:
    context: JsonObject = {"cluster": CONTEXT, "user": CONTEXT}
    if namespace:
        context["namespace"] = namespace
    document: JsonObject = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": context}],
    }
    return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)


def _acting(impersonation: Impersonation) -> JsonObject:
    extra: dict[str, Json] = {}
    for key, value in impersonation.extra:
        listed = extra.setdefault(key, [])
        if is_array(listed):
            listed.append(value)
    said: JsonObject = {
        "as": impersonation.user,
        "as-uid": impersonation.uid,
        "as-groups": list(impersonation.groups),
        "as-user-extra": extra,
    }
    return {key: value for key, value in said.items() if value}


def _body(entry: Entry) -> JsonObject:
    """What the file says, with the types that client-go wants: ours reads every scalar as text."""
    body = {key: value for key, value in entry.body.items() if key != "extensions"}
    typed = _typed(body, entry.file)
    return typed if is_object(typed) else {}


def _typed(value: Json, file: Path, key: str = "") -> Json:
    if is_object(value):
        return {name: _typed(v, file, name) for name, v in value.items() if v not in _NOTHING}
    if is_array(value):
        return [_typed(item, file) for item in value]
    if key in _FLAGS:
        return str(value).lower() == "true"
    if (key in _PATHS or (key == "command" and "/" in str(value))) and isinstance(value, str):
        return str((file.parent / value).absolute())
    return value
