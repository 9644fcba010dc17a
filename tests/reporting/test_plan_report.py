"""The text and the data of plans, whole."""

from __future__ import annotations

import json
from textwrap import dedent

import yaml
from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import FieldDiff, Op, Plan
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.encode import to_json, to_yaml
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text
from fleetmgr.reporting.style import Paint
from tests.reporting.fleets import (
    CANARY,
    IMAGE,
    SECRET,
    SERVICE,
    SETTINGS,
    WEB,
    change,
    cluster,
    example,
    failure,
    plan_of,
)


def text_of(plan: Plan, *, unchanged: bool = False) -> str:
    return plan_text(plan, same_changes(plan, unchanged=unchanged)).replace(plan.id[:12], "PLAN-ID")


def test_the_plan_as_text() -> None:
    assert text_of(example()) == dedent("""\
        Plan: 3 clusters, 2 changed (2 create, 3 update), 0 unchanged, 1 unreachable; not written: 1 conflict

          dev-1      dev      changed      1 create, 1 update, 1 conflict
          staging-1  staging  changed      1 create, 2 update
          prod-1     prod     unreachable
              error[FLT-3001]: no answer from https://10.0.0.1:6443
              hint: is the VPN up?

        web
            ! conflict ConfigMap shop-web/settings (dev-1)
                  belongs to fleet other
                  at apps/web/web.yaml:7
            ~ Secret shop-web/database (staging-1)
                  ~ data.password: (sensitive)
            + Service shop-web/web (on 2 clusters: dev-1, staging-1)
            ~ Deployment shop-web/web (same on 2 clusters: dev-1, staging-1)
                  ~ spec.template.spec.containers[name=web].image: nginx:1.26 -> nginx:1.27

        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        """)


def test_a_plan_without_changes() -> None:
    plan = plan_of(cluster("dev-1", change(Op.KEEP)))
    assert text_of(plan) == dedent("""\
        Plan: 1 cluster, 0 changed, 1 unchanged, 0 unreachable

          dev-1  dev  unchanged

        No changes: every cluster is as desired.
        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        """)


def test_every_op_and_mark() -> None:
    plan = plan_of(
        replace(
            cluster(
                "dev-1",
                replace(
                    change(Op.CREATE, app="a"), unverified=True, reason="its CRD is created by this plan"
                ),
                change(Op.DELETE, SERVICE, app="a", reason="no longer in Git"),
                change(Op.MOVE, SETTINGS, app="a", reason="moves here from app b"),
                change(Op.REPLACE, WEB, FieldDiff(path="/spec/selector", old={}, new={"a": "b"}), app="b"),
                change(Op.ORPHANED, SERVICE, app="b", reason="no longer in Git; prune is off"),
                change(Op.UNPROVEN, SETTINGS, app="b"),
                change(Op.DENIED, SETTINGS, app="c", reason="spec.x: invalid\nsecond line"),
                replace(
                    change(Op.UPDATE, WEB, FieldDiff(path="/spec/replicas", old=5, new=2), app="c"),
                    drift=True,
                    writer="kubectl (Update) at 2026-11-20T10:00:00Z",
                ),
                change(Op.KEEP, SERVICE, app="c"),
            ),
            first_contact=True,
            warnings=("v1 Endpoints is deprecated",),
        ),
        partial=True,
    )
    assert text_of(plan, unchanged=True) == dedent("""\
        Plan: 1 cluster, 1 changed (1 create, 1 update, 1 replace, 1 delete, 1 move), 0 unchanged, 0 unreachable\
; not written: 1 orphaned, 1 unproven, 1 denied

          dev-1  dev  changed  1 create, 1 update, 1 replace, 1 delete, 1 move, 1 orphaned, 1 unproven, 1 denied\
, first contact

        a
            > move ConfigMap shop-web/settings (dev-1)
                  moves here from app b
            - Service shop-web/web (dev-1): no longer in Git
            + Deployment shop-web/web (dev-1) [unverified]

        b
            ? unproven ConfigMap shop-web/settings (dev-1)
            ? orphaned Service shop-web/web (dev-1)
                  no longer in Git; prune is off
          -/+ replace Deployment shop-web/web (dev-1)
                  ~ spec.selector: {} -> {"a": "b"}

        c
            ! denied ConfigMap shop-web/settings (dev-1)
                  spec.x: invalid
                  second line
                  at apps/web/web.yaml:7
            = Service shop-web/web (dev-1)
            ~ Deployment shop-web/web (dev-1) [drift: kubectl (Update) at 2026-11-20T10:00:00Z]
                  ~ spec.replicas: 5 -> 2

        Warning (dev-1): v1 Endpoints is deprecated
        Unverified: 1 object: its CRD is created by this plan
        Partial: what was not selected is neither pruned nor advanced.
        Plan PLAN-ID of fleet shop at 3f2a1c9d0b7e.
        """)


def test_a_first_apply_on_many_clusters_stays_short() -> None:
    plan = plan_of(
        *(cluster(f"dev-{n}", change(Op.CREATE), change(Op.CREATE, SERVICE)) for n in range(1, 48))
    )
    lines = text_of(plan).splitlines()
    assert len([line for line in lines if "Deployment" in line or "Service" in line]) == 2
    names = "dev-1, dev-2, dev-3, dev-4, dev-5, dev-6, dev-7, dev-8 and 39 more"
    assert f"    + Service shop-web/web (on 47 clusters: {names})" in lines


def test_why_objects_are_unverified_is_said_once() -> None:
    reason = "cannot patch deployments in shop-web"
    plan = plan_of(
        *(
            cluster(f"dev-{n}", replace(change(Op.UPDATE, ref, IMAGE), unverified=True, reason=reason))
            for n, ref in enumerate((WEB, SERVICE))
        )
    )
    text = text_of(plan)
    assert text.count(reason) == 1
    assert f"Unverified: 2 objects: {reason}\n" in text
    assert text.count("[unverified]") == 2


def test_nothing_selected() -> None:
    assert "(no clusters selected)" in text_of(plan_of())


def test_the_data() -> None:
    plan = example()
    data = plan_data(plan, plan_verdict(plan))
    assert data["summary"] == {
        "clusters": 3,
        "changed": 2,
        "unchanged": 0,
        "unreachable": 1,
        "error": 0,
        "create": 2,
        "update": 3,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "move": 0,
        "hook": 0,
        "orphaned": 0,
        "unproven": 0,
        "conflict": 1,
        "denied": 0,
        "keep": 1,
        "unverified": 0,
        "drift": 0,
        "left": 0,
        "noise": 0,
    }
    head = {key: value for key, value in data.items() if key not in ("clusters", "summary")}
    assert head == {
        "apiVersion": "fleetmgr.dev/v1",
        "kind": "Plan",
        "id": plan.id,
        "fleet": "shop",
        "revision": "3f2a1c9d0b7e4455",
        "partial": False,
        "exitCode": 4,
        "reason": "1 of 3 clusters failed, 1 unreachable",
    }
    dev, staging, prod = data["clusters"]
    assert dev["changes"][0] == {
        "op": "update",
        "app": "web",
        "resource": "apps/v1/Deployment/shop-web/web",
        "object": {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "shop-web",
            "name": "web",
        },
        "diff": [
            {
                "path": "/spec/template/spec/containers/[name=web]/image",
                "old": "nginx:1.26",
                "new": "nginx:1.27",
            }
        ],
        "origin": "apps/web/web.yaml:7",
    }
    assert [c["op"] for c in staging["changes"]] == ["update", "create", "update"]
    assert staging["changes"][2]["diff"] == [{"path": "/data/password", "sensitive": True}]
    assert prod == {
        "name": "prod-1",
        "environment": "prod",
        "status": "unreachable",
        "exitCode": 4,
        "error": {
            "code": "FLT-3001",
            "message": "no answer from https://10.0.0.1:6443",
            "hint": "is the VPN up?",
            "where": {"cluster": "prod-1"},
        },
        "changes": [],
    }


def test_kept_objects_are_listed_only_where_asked() -> None:
    plan = example()
    data = plan_data(plan, plan_verdict(plan), unchanged=True)
    assert [c["op"] for c in data["clusters"][1]["changes"]] == ["update", "create", "keep", "update"]


def test_json_and_yaml_hold_the_same_and_are_ascii() -> None:
    evil = change(Op.CREATE, SETTINGS, reason="\x1b[31m \u202e 안녕 on")
    plan = plan_of(cluster("dev-1", evil))
    data = plan_data(plan, plan_verdict(plan))
    assert json.loads(to_json(data)) == data
    assert yaml.safe_load(to_yaml(data)) == data
    for text in (to_json(data), to_yaml(data)):
        assert text.isascii()
        assert "\x1b" not in text


def test_escapes_in_every_place_of_the_text() -> None:
    evil = "\x1b]0;title\x07\u202e"
    ref = WEB._replace(name=evil, namespace=evil)
    plan = plan_of(
        replace(
            cluster(
                "dev-1",
                replace(
                    change(Op.UPDATE, ref, replace(IMAGE, new=evil, path=f"/{evil}"), app=evil, reason=evil),
                    drift=True,
                    writer=evil,
                ),
                failed=failure(evil, ExitCode.FAILED, hint=evil),
            ),
            warnings=(evil,),
            cluster=evil,
            environment=evil,
        )
    )
    assert all(line.isprintable() for line in text_of(plan).splitlines())


def test_colours_only_wrap_words() -> None:
    plan = example()
    coloured = plan_text(plan, same_changes(plan), paint=Paint(enabled=True))
    assert "\x1b[31m" in coloured
    plain = coloured
    for code in ("0", "1", "2", "31", "32", "33", "34", "36"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == plan_text(plan, same_changes(plan))


def test_secrets_in_no_format() -> None:
    plan = plan_of(
        cluster(
            "dev-1",
            change(Op.UPDATE, SECRET, FieldDiff(path="/data/password", old=CANARY, new=CANARY)),
            change(Op.REPLACE, SECRET, FieldDiff(path="", old={"data": {"a": CANARY}}, new=CANARY)),
        )
    )
    data = plan_data(plan, plan_verdict(plan))
    assert CANARY not in text_of(plan) + to_json(data) + to_yaml(data)
