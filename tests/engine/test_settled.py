"""``settled`` says True only where an apply is certain to change nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fleetmgr.engine.settled import settled

MANAGER = "fleetmgr:shop"


def entry(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"manager": MANAGER, "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields}
    return {**base, **more}


DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "args": ["-a", "-b"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 80}],
                    }
                ]
            }
        },
    },
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:env": {
                            'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
                            'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}},
                        },
                        "f:ports": {
                            'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                        },
                    }
                }
            }
        },
    },
}


def live_object() -> dict[str, Any]:
    live = copy.deepcopy(DESIRED)
    live["metadata"] |= {
        "uid": "u",
        "resourceVersion": "5",
        "generation": 3,
        "managedFields": [entry(FIELDS)],
    }
    live["spec"]["strategy"] = {"type": "RollingUpdate"}
    container = live["spec"]["template"]["spec"]["containers"][0]
    container["ports"][0]["protocol"] = "TCP"
    container["imagePullPolicy"] = "IfNotPresent"
    live["status"] = {"replicas": 2}
    return live


def container(body: dict[str, Any]) -> dict[str, Any]:
    return body["spec"]["template"]["spec"]["containers"][0]


def test_server_defaults_and_status_are_no_change() -> None:
    assert settled(DESIRED, live_object(), MANAGER)


def change_scalar(live: dict[str, Any]) -> None:
    live["spec"]["replicas"] = 5


def change_deep(live: dict[str, Any]) -> None:
    container(live)["image"] = "web:2"


def drop_field(live: dict[str, Any]) -> None:
    del live["metadata"]["labels"]["app"]


def atomic_map_grew(live: dict[str, Any]) -> None:
    live["spec"]["selector"]["matchLabels"]["tier"] = "x"


def atomic_list_reordered(live: dict[str, Any]) -> None:
    container(live)["args"].reverse()


def keyed_list_reordered(live: dict[str, Any]) -> None:
    container(live)["env"].reverse()


def keyed_item_gone(live: dict[str, Any]) -> None:
    container(live)["env"].pop()


def somebody_took_a_field(live: dict[str, Any]) -> None:
    del live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:selector"]


def we_hold_more_than_desired(live: dict[str, Any]) -> None:
    live["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:labels"]["f:old"] = {}
    live["metadata"]["labels"]["old"] = "1"


def not_ours(live: dict[str, Any]) -> None:
    live["metadata"]["managedFields"][0]["manager"] = "kubectl"


def update_entry_of_our_manager(live: dict[str, Any]) -> None:
    live["metadata"]["managedFields"].append(entry({"f:spec": {"f:paused": {}}}, operation="Update"))


def written_in_another_version(live: dict[str, Any]) -> None:
    live["metadata"]["managedFields"][0]["apiVersion"] = "apps/v1beta1"


def true_is_not_one(live: dict[str, Any]) -> None:
    live["spec"]["replicas"] = True


@pytest.mark.parametrize(
    "mutate",
    [
        change_scalar,
        change_deep,
        drop_field,
        atomic_map_grew,
        atomic_list_reordered,
        keyed_list_reordered,
        keyed_item_gone,
        somebody_took_a_field,
        we_hold_more_than_desired,
        not_ours,
        update_entry_of_our_manager,
        written_in_another_version,
        true_is_not_one,
    ],
)
def test_anything_that_may_differ_is_asked_of_the_server(mutate: Any) -> None:
    live = live_object()
    live = copy.deepcopy(live)
    mutate(live)
    assert not settled(DESIRED, live, MANAGER)


def test_an_item_that_leaves_a_key_to_the_default_is_not_mixed_up_with_its_twin() -> None:
    """Port 53 over TCP (default) and UDP: neither may stand for the other."""
    desired = copy.deepcopy(DESIRED)
    container(desired)["ports"] = [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]
    live = live_object()
    container(live)["ports"] = [
        {"containerPort": 53, "protocol": "TCP"},
        {"containerPort": 53, "protocol": "UDP"},
    ]
    fields = copy.deepcopy(FIELDS)
    fields["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}']["f:ports"] = {
        'k:{"containerPort":53,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
        'k:{"containerPort":53,"protocol":"UDP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
    }
    live["metadata"]["managedFields"] = [entry(fields)]
    assert not settled(desired, live, MANAGER)  # ambiguous: the server decides


def test_an_empty_map_is_not_the_same_as_a_filled_one() -> None:
    """A PodDisruptionBudget's ``selector: {}`` covers every pod."""
    desired: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "p"},
        "spec": {"selector": {}},
    }
    fields: dict[str, Any] = {"f:spec": {"f:selector": {}}}
    live = copy.deepcopy(desired)
    live["metadata"]["managedFields"] = [entry(fields, apiVersion="policy/v1")]
    assert settled(desired, live, MANAGER)
    live["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    assert not settled(desired, live, MANAGER)
