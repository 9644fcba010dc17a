"""Live fields that Git does not name and nobody of ours holds: what others have put into an object.

Without what the API server is known to fill in by itself. It keeps no account of its defaults, so this is a list of
the well-known ones (k8s.io/kubernetes pkg/apis/*/v1/defaults.go); of other kinds every unheld field is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fleetmgr.engine.adoption import union
from fleetmgr.engine.fieldset import (
    Entry,
    entries,
    escape,
    find_item,
    holds,
    is_set,
    item_fields,
    key_segment,
    list_keys,
)
from fleetmgr.engine.holding import held
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.change import ExtraField
from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_array, is_object
from fleetmgr.model.upkeep import visible

_IDENTITY = frozenset({"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"})
_SECRET_PARTS = ("/data", "/stringData")
_ALLOCATED = frozenset(
    {
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "nodePort",
        "healthCheckNodePort",
        "volumeName",
    }
)
"""What the server chooses a value for."""
_DEFAULTS: Mapping[str, Sequence[Json]] = {
    "allocateLoadBalancerNodePorts": (True,),
    "apiGroup": ("rbac.authorization.k8s.io",),
    "backoffLimit": (6,),
    "completionMode": ("NonIndexed",),
    "completions": (1,),
    "concurrencyPolicy": ("Allow",),
    "defaultMode": (420,),
    "dnsPolicy": ("ClusterFirst",),
    "enableServiceLinks": (True,),
    "externalTrafficPolicy": ("Cluster",),
    "failedJobsHistoryLimit": (1,),
    "failurePolicy": ("Fail",),
    "failureThreshold": (3,),
    "imagePullPolicy": ("Always", "IfNotPresent"),
    "internalTrafficPolicy": ("Cluster",),
    "manualSelector": (False,),
    "matchPolicy": ("Equivalent",),
    "maxSurge": ("25%",),
    "maxUnavailable": ("25%",),
    "parallelism": (1,),
    "periodSeconds": (10,),
    "podManagementPolicy": ("OrderedReady",),
    "podReplacementPolicy": ("TerminatingOrFailed",),
    "policyTypes": (["Ingress"], ["Ingress", "Egress"]),
    "progressDeadlineSeconds": (600,),
    "protocol": ("TCP",),
    "replicas": (1,),
    "restartPolicy": ("Always",),
    "revisionHistoryLimit": (10,),
    "rollingUpdate": ({"maxSurge": "25%", "maxUnavailable": "25%"}, {"partition": 0}),
    "schedulerName": ("default-scheduler",),
    "scheme": ("HTTP",),
    "sessionAffinity": ("None",),
    "strategy": ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},),
    "successThreshold": (1,),
    "successfulJobsHistoryLimit": (3,),
    "suspend": (False,),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1, 10),
    "type": ("ClusterIP", "RollingUpdate"),
    "updateStrategy": ({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},),
    "volumeMode": ("Filesystem",),
}


def extra_fields(desired: JsonObject, live: JsonObject, manager: str) -> tuple[ExtraField, ...]:
    """Each with its value and who wrote it last ("" where nobody applied it). Of a Secret, values are hidden."""
    known = held(live, manager)
    fields = union(known.ours or {}, known.theirs or {})
    others = [
        entry for entry in entries(live) if entry.manager != manager
    ]  # a status entry may hold annotations
    secret = is_secret(live)
    found: list[ExtraField] = []
    for path, value in _extra(desired, visible(live), fields, ""):
        if path in _IDENTITY or (known.ours and holds(known.ours, path)):
            continue
        last = _last(others, path)
        if last is None and _is_default(path, value):
            continue
        hidden = secret and path.startswith(_SECRET_PARTS)
        found.append(
            ExtraField(
                path=path,
                value=None if hidden else value,
                sensitive=hidden,
                manager=last.manager if last else "",
                since=last.time if last else "",
            )
        )
    return tuple(found)


def _last(others: Sequence[Entry], path: str) -> Entry | None:
    return max((entry for entry in others if holds(entry.fields, path)), key=lambda e: e.time, default=None)


def _is_default(path: str, value: Json) -> bool:
    name = path.rpartition("/")[2]
    return value in ({}, [], None) or name in _ALLOCATED or value in _DEFAULTS.get(name, ())


def _extra(desired: Json, live: Json, fields: JsonObject, path: str) -> Iterator[tuple[str, Json]]:
    """What of ``live`` is beside ``desired``, each as high as it goes."""
    if is_object(desired) and is_object(live):
        for key, value in live.items():
            below = f"{path}/{escape(key)}"
            if key not in desired:
                yield below, value
            else:
                node = fields.get(f"f:{key}")
                yield from _extra(desired[key], value, node if is_object(node) else {}, below)
    elif is_array(desired) and is_array(live):
        yield from _extra_items(desired, live, fields, path)


def _extra_items(
    desired: JsonArray, live: JsonArray, fields: JsonObject, path: str
) -> Iterator[tuple[str, Json]]:
    """Items of keyed lists and of sets; any other list is Git's as a whole."""
    if is_set(fields):
        yield from ((f"{path}/[={value}]", value) for value in live if value not in desired)
        return
    keys = list_keys(fields)
    for item in live if keys else ():
        if is_object(item):
            wanted: JsonObject = {k: item[k] for k in keys if k in item}
            ours = find_item(desired, wanted)
            below = f"{path}/{key_segment(wanted)}"
            if ours is None:
                yield below, item
            else:
                yield from _extra(ours, item, item_fields(fields, item), below)
