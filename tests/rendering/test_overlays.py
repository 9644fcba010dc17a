"""What an overlay changes: images, replicas, namespace, labels, annotations."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.model.target import Overlay
from fleetmgr.rendering.images import new_image, split_image
from tests.rendering.builders import bare, render, render_one

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "name", "rest"),
    [
        ("nginx", "nginx", ""),
        ("nginx:1.27", "nginx", ":1.27"),
        ("reg:5000/a/b", "reg:5000/a/b", ""),
        ("reg:5000/a/b:1", "reg:5000/a/b", ":1"),
        (f"reg:5000/a/b:1{DIGEST}", "reg:5000/a/b", f":1{DIGEST}"),
        (f"a/b{DIGEST}", "a/b", DIGEST),
        ("localhost/x:1", "localhost/x", ":1"),
    ],
)
def test_references(reference: str, name: str, rest: str) -> None:
    assert split_image(reference) == (name, rest)


@pytest.mark.parametrize(
    ("current", "change", "expected"),
    [
        ("nginx:1.25", "1.27", "nginx:1.27"),
        ("nginx", ":1.27", "nginx:1.27"),
        (f"nginx:1{DIGEST}", "1.27", "nginx:1.27"),
        ("nginx:1.25", DIGEST, f"nginx{DIGEST}"),
        ("nginx:1.25", "mirror.example/nginx:1.27", "mirror.example/nginx:1.27"),
        ("nginx:1.25", "mirror.example/nginx", "mirror.example/nginx:1.25"),
        ("nginx:1.25", "reg:5000/nginx", "reg:5000/nginx:1.25"),
        ("nginx:1.25", f"other{DIGEST}", f"other{DIGEST}"),
        ("nginx:1.25", "caddy:2", "caddy:2"),
        ("reg:5000/a/b:1", "2", "reg:5000/a/b:2"),
    ],
)
def test_changes(current: str, change: str, expected: str) -> None:
    assert new_image(current, change) == expected


CRON = """\
    apiVersion: batch/v1
    kind: CronJob
    metadata: {name: report, labels: {a: b}}
    spec:
      jobTemplate:
        spec:
          template:
            metadata: {labels: {app: report}}
            spec:
              initContainers: [{name: i, image: "busybox:1"}]
              containers: [{name: c, image: "nginx:1"}, {name: d, image: "docker.io/nginx:1"}, {name: e}]
    """


def test_images_reach_every_container() -> None:
    resource = render_one(CRON, overlay=Overlay(images={"nginx": "2", "busybox": "3"}))
    pod = resource.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [c.get("image") for c in pod["containers"]] == ["nginx:2", "docker.io/nginx:1", None]
    assert pod["initContainers"][0]["image"] == "busybox:3"


def test_images_reach_custom_resources_that_hold_containers() -> None:
    text = """\
        apiVersion: argoproj.io/v1alpha1
        kind: Rollout
        metadata: {name: a}
        spec: {template: {spec: {containers: [{name: a, image: "nginx:1"}]}}, image: "nginx:1"}
        """
    spec = render_one(text, overlay=Overlay(images={"nginx": "2"})).inputs["spec"]
    assert spec["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    assert spec["image"] == "nginx:1"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "ReplicaSet"])
def test_replicas_by_the_name_as_rendered(kind: str) -> None:
    text = f"apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: web-${{cluster.name}}\nspec: {{replicas: 1}}\n"
    overlay = Overlay(replicas={"web-dev-1": 0})
    resource = render_one(text, overlay=overlay, variables={"cluster": {"name": "dev-1"}})
    assert resource.inputs["spec"]["replicas"] == 0


def test_labels_reach_templates_but_no_selectors_and_annotations_stay_outside() -> None:
    text = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: []}}
        """
    body = bare(render_one(text, overlay=Overlay(labels={"team": "x"}, annotations={"note": "y"})))
    assert body["metadata"]["labels"] == {"team": "x"}
    assert body["metadata"]["annotations"] == {"note": "y"}
    assert body["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert body["spec"]["template"]["metadata"] == {"labels": {"app": "web", "team": "x"}}
    cron = bare(render_one(CRON, overlay=Overlay(labels={"a": "c"})))
    assert cron["metadata"]["labels"] == {"a": "c"}
    assert cron["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] == {
        "app": "report",
        "a": "c",
    }


RBAC = """\
    apiVersion: v1
    kind: ServiceAccount
    metadata: {name: web, namespace: old}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: web, namespace: wrong}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
    subjects:
    - {kind: ServiceAccount, name: web, namespace: old}
    - {kind: ServiceAccount, name: default, namespace: old}
    - {kind: ServiceAccount, name: prometheus, namespace: monitoring}
    - {kind: User, name: web}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: hook}
    ---
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata: {name: hook}
    webhooks:
    - {name: a.b.c, clientConfig: {service: {name: hook, namespace: old}}}
    - {name: d.e.f, clientConfig: {service: {name: other, namespace: old}}}
    """


def by_kind(**changes: Any) -> dict[str, Any]:
    return {r.ref.kind: r for r in render({"a.yaml": RBAC}, **changes).resources}


def test_an_overlay_namespace_moves_everything_and_what_refers_to_it() -> None:
    found = by_kind(overlay=Overlay(namespace="new"))
    assert found["ServiceAccount"].name == "new/web"
    assert found["ClusterRoleBinding"].name == "web"
    assert [s.get("namespace") for s in found["ClusterRoleBinding"].inputs["subjects"]] == [
        "new",
        "new",
        "monitoring",
        None,
    ]
    hooks = found["ValidatingWebhookConfiguration"].inputs["webhooks"]
    assert [h["clientConfig"]["service"]["namespace"] for h in hooks] == ["new", "old"]


def test_the_namespace_of_an_app_fills_in_only() -> None:
    found = by_kind()
    assert found["ServiceAccount"].name == "old/web"
    assert found["Service"].name == "web/hook"
    assert found["ClusterRoleBinding"].inputs["subjects"][0]["namespace"] == "old"


def test_a_namespace_on_a_cluster_scoped_object_is_dropped_with_a_warning() -> None:
    stack = render({"a.yaml": RBAC})
    (warning,) = stack.warnings
    assert warning.message == "ClusterRoleBinding has no namespace: `wrong` was left out"
    assert str(warning.where) == "apps/web/a.yaml:5:1 / ClusterRoleBinding web"


def test_an_app_without_objects_is_mentioned() -> None:
    (warning,) = render({}).warnings
    assert warning.code == "FLT-1353"
    assert "app `web` has no objects" in warning.message
