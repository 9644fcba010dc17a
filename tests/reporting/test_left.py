"""Fields that are left to others: told and counted, values of Secrets never."""

from __future__ import annotations

from fleetmgr.model.change import Change, FieldDiff, Left, LeftField, Op
from fleetmgr.model.objects import ObjectRef
from fleetmgr.reporting.left import left_data, left_lines

WEB = ObjectRef("apps", "v1", "Deployment", "shop", "web")
SECRET = ObjectRef("", "v1", "Secret", "shop", "web")


def left(path: str, **more: object) -> LeftField:
    fields = {"manager": "kubectl", "why": Left.CONFLICT, "since": "2026-11-21T01:00:00Z", **more}
    return LeftField(field=FieldDiff(path=path, old=7, new=5), **fields)  # pyright: ignore[reportArgumentType] - checked by msgspec


def change(ref: ObjectRef, *fields: LeftField) -> Change:
    return Change(op=Op.KEEP, app="web", ref=ref, left=fields)


def test_a_line_a_field() -> None:
    fields = (left("/spec/replicas"), left("/spec/x", why=Left.AUTOSCALER, manager="HPA web", since=""))
    assert left_lines(change(WEB, *fields)) == [
        "spec.replicas stays 7 (Git: 5): left to kubectl since 2026-11-21T01:00:00Z",
        "spec.x stays 7 (Git: 5): handed over to HPA web",
    ]


def test_values_of_secrets_are_hidden() -> None:
    field = left("/data/password")
    assert left_lines(change(SECRET, field)) == [
        "data.password stays (sensitive): left to kubectl since 2026-11-21T01:00:00Z"
    ]
    assert left_data(SECRET, field) == {
        "path": "/data/password",
        "sensitive": True,
        "manager": "kubectl",
        "why": "conflict",
        "since": "2026-11-21T01:00:00Z",
    }
