"""Health of one live object: a rule for its kind, or the conventions that controllers agreed on.

Statuses are Argo CD's. A kind of Kubernetes without a rule (ConfigMap, Secret, RBAC) is Healthy once it exists.
"""

from __future__ import annotations

from fleetmgr.health.conditions import HEALTHY, unknown
from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.health.kstatus import by_conventions
from fleetmgr.health.registry import is_custom, rule_for
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, is_object
from fleetmgr.model.objects import GroupKind, split_api_version

_MISSING = Health(status=HealthStatus.MISSING, message="does not exist")
_LEAVING = Health(status=HealthStatus.PROGRESSING, message="is being deleted")


def health_of(live: JsonObject | None, custom: CustomRules = NONE) -> Health:
    """Health of one live object; None (not there) is Missing. ``custom`` are the fleet's own rules.

    Nothing that a file can hold makes it raise: an object of a shape that no API server would give is Unknown.
    """
    if live is None:
        return _MISSING
    metadata = live.get("metadata")
    if is_object(metadata) and metadata.get("deletionTimestamp"):
        return _LEAVING
    group, _ = split_api_version(str(live.get("apiVersion", "")))
    kind = GroupKind(group, str(live.get("kind", "")))
    if kind in custom:
        return custom.judge(kind, live, _built_in)
    return _built_in(live)


def _built_in(live: JsonObject) -> Health:
    group, _ = split_api_version(str(live.get("apiVersion", "")))
    rule = rule_for(group, str(live.get("kind", "")))
    try:
        if rule is not None:
            return rule(live)
        return by_conventions(live) if is_custom(group) else HEALTHY
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return unknown(f"cannot be judged: its status has an unexpected shape ({error})")


def has_rule(group: str, kind: str, custom: CustomRules = NONE) -> bool:
    """Whether health of this kind can be anything but Healthy or Missing."""
    return GroupKind(group, kind) in custom or rule_for(group, kind) is not None or is_custom(group)
