"""A folder of manifests becomes a Stack: names, order, stamps, owners, options."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.errors import InvalidInput, Where
from fleetmgr.model.applyset import app_id
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.resource import Stack
from fleetmgr.model.target import Overlay, OwnedNamespace
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import in_dependency_order, render_stack
from tests.rendering.builders import artifact, bare, render, render_one, target

SERVICE = """\
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {ports: [{port: 80}]}
    """
CRD = """\
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: widgets.example.com}
    spec:
      group: example.com
      scope: Cluster
      names: {kind: Widget, plural: widgets}
      versions: [{name: v1}, {name: v1beta1}]
    """
WIDGET = """\
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: w}
    spec: {list: [], nothing: {}}
    """


def problems(files: dict[str, str | bytes], **changes: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        render(files, **changes)
    return [str(problem) for problem in caught.value.problems]


def many(apps: dict[str, Artifact], **changes: Any) -> Stack:
    targets = [target(a, app=name, **changes) for name, a in apps.items()]
    return render_stack("shop", "dev-1", "dev", targets, {a.request: a for a in apps.values()}, ParseCache())


def test_an_object_is_stamped_and_named() -> None:
    resource = render_one(SERVICE)
    assert resource.type == "kubernetes:core/v1:Service"
    assert resource.name == "web/web"
    assert resource.urn(project="shop", stack="dev-1") == (
        "urn:pulumi:dev-1::shop::fleetmgr:index:App$kubernetes:core/v1:Service::web/web"
    )
    assert resource.inputs["metadata"] == {
        "name": "web",
        "namespace": "web",
        "labels": {
            "fleetmgr.dev/fleet": "shop",
            "applyset.kubernetes.io/part-of": app_id("shop", "dev-1", "web"),
        },
        "annotations": {
            "pulumi.com/patchFieldManager": "fleetmgr:shop",
            "pulumi.com/skipAwait": "true",
        },
    }


def test_two_apps_that_own_one_object_are_told_both_places() -> None:
    one, two = artifact({"a.yaml": SERVICE}, path="apps/one"), artifact({"b.yaml": SERVICE}, path="apps/two")
    with pytest.raises(InvalidInput) as caught:
        many({"one": one, "two": two})
    text = str(caught.value)
    assert "apps/two/b.yaml:1:1" in text
    assert "apps/one/a.yaml:1:1" in text
    assert "`one` and `two`" in text


def test_one_app_that_declares_an_object_twice_is_told() -> None:
    (problem,) = problems({"a.yaml": SERVICE, "b.yaml": SERVICE})
    assert "declares it twice: here and in apps/web/a.yaml:1:1" in problem


def test_the_same_object_in_two_versions_is_one_object() -> None:
    text = "apiVersion: autoscaling/{}\nkind: HorizontalPodAutoscaler\nmetadata: {{name: web}}\n"
    (problem,) = problems({"a.yaml": text.format("v1"), "b.yaml": text.format("v2")})
    assert "declares it twice" in problem


def test_a_custom_resource_follows_its_definition() -> None:
    stack = render({"a.yaml": WIDGET, "crd.yaml": CRD})
    widget = next(r for r in stack.resources if r.ref.kind == "Widget")
    assert widget.name == "w", "the CRD says that the kind is cluster-scoped"
    assert widget.options.depends_on == (
        ("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "widgets.example.com"),
    )
    assert widget.options.aliases == ("kubernetes:example.com/v1beta1:Widget",)
    assert bare(widget)["spec"] == {"list": [], "nothing": {}}


def test_an_owned_namespace_is_a_resource_that_its_objects_follow() -> None:
    owned = OwnedNamespace(labels=(("team", "shop"),), annotations=(("a", "b"),))
    stack = render({"a.yaml": SERVICE}, owned_namespace=owned)
    namespace, service = stack.resources
    assert bare(namespace) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "web", "labels": {"team": "shop"}, "annotations": {"a": "b"}},
    }
    own = ("kubernetes:core/v1:Namespace", "web")
    assert service.options.depends_on == (own,)
    assert service.options.deleted_with == own
    assert namespace.options.deleted_with is None


def test_an_implicit_namespace_is_no_resource() -> None:
    assert [r.ref.kind for r in render({"a.yaml": SERVICE}).resources] == ["Service"]


def test_apps_come_in_dependency_order() -> None:
    source = artifact({})
    targets = [
        target(source, app="web", depends_on=("api", "gone")),
        target(source, app="api", depends_on=("db",)),
        target(source, app="db"),
        target(source, app="extra"),
    ]
    assert [t.app for t in in_dependency_order(targets)] == ["db", "api", "web", "extra"]


def test_exclude_leaves_out_and_must_match() -> None:
    stack = render({"crd.yaml": CRD, "a.yaml": SERVICE}, exclude=(("CustomResourceDefinition", ""),))
    assert [r.ref.kind for r in stack.resources] == ["Service"]
    (problem,) = problems({"a.yaml": SERVICE}, exclude=(("Service", "wob"),))
    assert "did you mean `Service/web`" in problem


def test_overlay_entries_that_match_nothing_name_their_place() -> None:
    overlay = Overlay(images={"ngnix": "1"}, replicas={"web": 2})
    place = Where(file="environments/dev/web.yaml", line=3, column=3)
    deployment = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: wbe}
        spec: {template: {spec: {containers: [{name: a, image: nginx}]}}}
        """
    found = problems({"a.yaml": deployment}, overlay=overlay, overlay_where={"images.ngnix": place})
    assert "environments/dev/web.yaml:3:3: images: no container uses the image `ngnix`" in found[0]
    assert "did you mean `nginx`" in found[0]
    assert "fleet.yaml:7:5: replicas: no workload has the name `web`" in found[1]


def test_labels_of_the_inventory_cannot_be_written_by_hand() -> None:
    text = SERVICE.replace("{name: web}", "{name: web, labels: {applyset.kubernetes.io/part-of: x}}")
    (problem,) = problems({"a.yaml": text})
    assert "belongs to fleetmgr" in problem


def test_all_problems_of_all_files_come_together() -> None:
    found = problems(
        {
            "a.yaml": "a: [",
            "b.yaml": "apiVersion: v1\nkind: Job\nmetadata: {generateName: x-}\n",
            "c.yaml": SERVICE.replace("{name: web}", '{name: "${vars.nope}"}'),
        }
    )
    assert [p.split(": ")[0] for p in found] == [
        "apps/web/a.yaml:1:5",
        "apps/web/b.yaml:1:1",
        "apps/web/c.yaml:3:18 / dev-1 / metadata.name",
    ]


def test_the_digest_tells_content_and_nothing_else() -> None:
    def digest(text: str, **changes: Any) -> str:
        return render({"a.yaml": text}, **changes).apps[0].render_digest

    assert digest(SERVICE) == digest("    # a comment\n" + SERVICE)
    assert digest(SERVICE) != digest(SERVICE.replace("80", "81"))
    assert digest(SERVICE) != digest(SERVICE, namespace="other")


def test_shared_bodies_are_never_changed_by_another_target() -> None:
    source = artifact({"a.yaml": SERVICE})
    cache = ParseCache()
    stacks = [
        render_stack("shop", name, "dev", [target(source, cluster=name)], {source.request: source}, cache)
        for name in ("one", "two")
    ]
    labels = [s.resources[0].inputs["metadata"]["labels"]["applyset.kubernetes.io/part-of"] for s in stacks]
    assert labels == [app_id("shop", "one", "web"), app_id("shop", "two", "web")]
    assert stacks[0].resources[0].inputs["spec"] is stacks[1].resources[0].inputs["spec"]
