"""What every ClusterClient promises, as one suite: it runs on the fake and on real control planes.

A subclass gives ``client`` (allowed to do everything) and ``namespace`` (an existing, empty one).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.ports.cluster import AccessQuery, ApiResource, Applied, ClusterClient
from fleetmgr.ports.cluster_errors import ObjectConflict, ObjectGone, ObjectInvalid

OURS, THEIRS = "fleetmgr:contract", "somebody-else"
UNKNOWN = ApiResource(group="none.example", version="v1", kind="Foo", plural="foos", namespaced=True)


def config_map(namespace: str, name: str = "settings", **data: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"suite": "contract"}},
        "data": data,
    }


def deployment(namespace: str, env: dict[str, str], **spec: Any) -> JsonObject:
    listed = [{"name": key, "value": value} for key, value in env.items()]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1", "env": listed}]},
            },
            **spec,
        },
    }


class ClusterClientContract:
    """The suite; every test gets a fresh namespace."""

    def resource(self, client: ClusterClient, body: JsonObject) -> ApiResource:
        group, _, version = str(body["apiVersion"]).rpartition("/")
        found = client.discover().find(group, version, str(body["kind"]))
        assert found is not None
        return found

    def apply(
        self,
        client: ClusterClient,
        body: JsonObject,
        *,
        manager: str = OURS,
        force: bool = False,
        dry_run: bool = False,
    ) -> Applied:
        resource = self.resource(client, body)
        return client.apply(resource, body, manager=manager, force=force, dry_run=dry_run)

    def live(self, client: ClusterClient, body: JsonObject) -> JsonObject:
        metadata = body["metadata"]
        found = client.get(
            self.resource(client, body), namespace=metadata["namespace"], name=metadata["name"]
        )
        assert found is not None
        return found

    def test_a_version_is_a_git_version(self, client: ClusterClient) -> None:
        assert client.version().startswith("v1.")

    def test_discovery_knows_kinds_scopes_and_preferred_versions(self, client: ClusterClient) -> None:
        found = client.discover()
        deployments = found.find("apps", "v1", "Deployment")
        namespaces = found.find("", "v1", "Namespace")
        assert deployments is not None
        assert (deployments.plural, deployments.namespaced) == ("deployments", True)
        assert namespaces is not None
        assert not namespaces.namespaced
        assert found.preferred[deployments.group_kind] == deployments
        assert found.incomplete == ()
        assert "patch" in deployments.verbs
        assert found.find("none.example", "v1", "Foo") is None

    def test_an_applied_object_is_there(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        applied = self.apply(client, body)
        live = self.live(client, body)
        assert live["data"] == {"a": "1"}
        assert live == applied.body
        assert live["metadata"]["uid"]

    def test_a_dry_run_changes_nothing(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        shown = self.apply(client, body, dry_run=True).body
        assert shown["data"] == {"a": "1"}
        assert client.get(self.resource(client, body), namespace=namespace, name="settings") is None
        stored = self.apply(client, body).body
        changed = config_map(namespace, a="2")
        tried = self.apply(client, changed, dry_run=True).body
        assert tried["data"] == {"a": "2"}
        assert self.live(client, body) == stored
        # It says which version it was tried on.
        assert tried["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]

    def test_applying_the_same_again_changes_nothing(self, client: ClusterClient, namespace: str) -> None:
        body = deployment(namespace, {"A": "1"}, replicas=0)
        self.apply(client, body)
        generation = self.live(client, body)["metadata"]["generation"]
        self.apply(client, body)
        assert self.live(client, body)["metadata"]["generation"] == generation

    def test_a_field_that_is_no_longer_applied_is_removed(
        self, client: ClusterClient, namespace: str
    ) -> None:
        self.apply(client, config_map(namespace, a="1", b="2"))
        self.apply(client, config_map(namespace, a="1"))
        assert self.live(client, config_map(namespace))["data"] == {"a": "1"}

    def test_items_of_keyed_lists_are_merged_by_key(self, client: ClusterClient, namespace: str) -> None:
        body = deployment(namespace, {"A": "1", "B": "2"}, replicas=0)
        self.apply(client, body)
        self.apply(client, deployment(namespace, {"C": "3"}, replicas=0), manager=THEIRS)
        self.apply(client, deployment(namespace, {"A": "1"}, replicas=0))
        env = child(self.live(client, body), "spec", "template", "spec", "containers")[0]["env"]
        assert {item["name"] for item in env} == {"A", "C"}

    def test_the_order_of_a_keyed_list_is_the_appliers(self, client: ClusterClient, namespace: str) -> None:
        self.apply(client, deployment(namespace, {"A": "1", "B": "2", "C": "3"}, replicas=0))
        self.apply(client, deployment(namespace, {"X": "9"}, replicas=0), manager=THEIRS)
        body = deployment(namespace, {"C": "3", "A": "1"}, replicas=0)
        self.apply(client, body)
        env = child(self.live(client, body), "spec", "template", "spec", "containers")[0]["env"]
        assert [item["name"] for item in env if item["name"] != "X"] == ["C", "A"]

    def test_managed_fields_name_the_manager_and_key_the_items(
        self, client: ClusterClient, namespace: str
    ) -> None:
        body = deployment(namespace, {"A": "1"}, replicas=0)
        entries = object_at(self.apply(client, body).body, "metadata")["managedFields"]
        mine = next(entry for entry in entries if entry["manager"] == OURS)
        assert mine["operation"] == "Apply"
        assert mine["apiVersion"] == "apps/v1"
        containers = child(mine["fieldsV1"], "f:spec", "f:template", "f:spec", "f:containers")
        item = containers['k:{"name":"web"}']
        assert item["."] == {}
        assert item["f:env"]['k:{"name":"A"}']["f:value"] == {}
        assert child(mine["fieldsV1"], "f:spec", "f:selector") == {}
        assert child(mine["fieldsV1"], "f:spec", "f:replicas") == {}
        assert "f:metadata" not in mine["fieldsV1"]

    def test_a_field_of_another_manager_is_a_conflict_that_names_it(
        self, client: ClusterClient, namespace: str
    ) -> None:
        self.apply(client, config_map(namespace, a="1"), manager=THEIRS)
        with pytest.raises(ObjectConflict) as caught:
            self.apply(client, config_map(namespace, a="2"))
        assert [(owner.field, owner.manager) for owner in caught.value.owners] == [(".data.a", THEIRS)]
        assert caught.value.cluster == client.cluster

    def test_an_equal_value_is_shared_without_conflict(self, client: ClusterClient, namespace: str) -> None:
        self.apply(client, config_map(namespace, a="1"), manager=THEIRS)
        self.apply(client, config_map(namespace, a="1"))
        self.apply(client, config_map(namespace), manager=THEIRS)
        assert self.live(client, config_map(namespace))["data"] == {"a": "1"}

    def test_force_takes_the_field_over(self, client: ClusterClient, namespace: str) -> None:
        self.apply(client, config_map(namespace, a="1", b="1"), manager=THEIRS)
        self.apply(client, config_map(namespace, a="2"), force=True)
        live = self.live(client, config_map(namespace))
        assert live["data"] == {"a": "2", "b": "1"}
        with pytest.raises(ObjectConflict):
            self.apply(client, config_map(namespace, a="1", b="1"), manager=THEIRS)

    def test_a_stale_resource_version_is_a_conflict_without_owners(
        self, client: ClusterClient, namespace: str
    ) -> None:
        body = config_map(namespace, a="1")
        fenced = copy.deepcopy(body)
        fenced["metadata"]["resourceVersion"] = self.apply(client, body).body["metadata"]["resourceVersion"]
        self.apply(client, config_map(namespace, a="2"))
        with pytest.raises(ObjectConflict) as caught:
            self.apply(client, fenced)
        assert caught.value.owners == ()

    def test_a_fresh_fence_passes(self, client: ClusterClient, namespace: str) -> None:
        live = self.apply(client, config_map(namespace, a="1")).body
        fenced = config_map(namespace, a="2")
        fenced["metadata"] |= {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
        assert self.apply(client, fenced).body["data"] == {"a": "2"}

    @pytest.mark.parametrize("dry_run", [True, False])
    @pytest.mark.parametrize("kind", ["ConfigMap", "Deployment"])
    def test_a_version_that_nothing_has_makes_what_is_absent_and_nothing_else(
        self, client: ClusterClient, namespace: str, kind: str, dry_run: bool
    ) -> None:
        whole = config_map(namespace, a="1") if kind == "ConfigMap" else deployment(namespace, {})
        body = {**whole, "metadata": {**whole["metadata"], "resourceVersion": "1"}}
        assert self.apply(client, body).body["metadata"]["resourceVersion"] != "1"
        for manager in (OURS, THEIRS):
            with pytest.raises(ObjectConflict) as caught:
                self.apply(client, body, manager=manager, dry_run=dry_run)
            assert caught.value.owners == ()

    @pytest.mark.parametrize("present", [True, False])
    def test_another_uid_is_a_conflict_without_owners(
        self, client: ClusterClient, namespace: str, present: bool
    ) -> None:
        body = config_map(namespace, a="1")
        if present:
            self.apply(client, body)
        body["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
        with pytest.raises(ObjectConflict) as caught:
            self.apply(client, body)
        assert caught.value.owners == ()

    def test_a_missing_namespace_is_gone(self, client: ClusterClient) -> None:
        with pytest.raises(ObjectGone):
            self.apply(client, config_map("contract-nowhere", a="1"), dry_run=True)

    def test_an_immutable_field_is_invalid(self, client: ClusterClient, namespace: str) -> None:
        self.apply(client, deployment(namespace, {}, replicas=0))
        other = deployment(namespace, {}, replicas=0)
        other["spec"]["selector"]["matchLabels"] = {"app": "other"}
        other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
        with pytest.raises(ObjectInvalid):
            self.apply(client, other, dry_run=True)

    def test_duplicate_keys_are_invalid(self, client: ClusterClient, namespace: str) -> None:
        body = deployment(namespace, {"A": "1"}, replicas=0)
        body["spec"]["template"]["spec"]["containers"][0]["env"] *= 2
        with pytest.raises(ObjectInvalid):
            self.apply(client, body, dry_run=True)

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
    def test_a_name_that_would_address_something_else_is_refused(
        self, client: ClusterClient, namespace: str, name: str
    ) -> None:
        body = config_map(namespace, name, a="1")
        with pytest.raises(ObjectInvalid):
            self.apply(client, body, dry_run=True)
        with pytest.raises(ObjectInvalid):
            client.delete(self.resource(client, body), namespace=namespace, name=name, uid="x", dry_run=True)

    def test_a_list_fills_in_kinds_and_selects(self, client: ClusterClient, namespace: str) -> None:
        for name in ("one", "two"):
            self.apply(client, config_map(namespace, name, a="1"))
        other = config_map(namespace, "three", a="1")
        other["metadata"]["labels"] = {"suite": "another"}
        self.apply(client, other)
        resource = self.resource(client, other)
        found = client.list(resource, namespace=namespace, selector="suite in (contract)")
        assert [(item["kind"], item["apiVersion"], item["metadata"]["name"]) for item in found] == [
            ("ConfigMap", "v1", "one"),
            ("ConfigMap", "v1", "two"),
        ]
        everywhere = client.list(resource, selector="suite in (contract,another)")
        assert {
            item["metadata"]["name"] for item in everywhere if item["metadata"]["namespace"] == namespace
        } == {
            "one",
            "two",
            "three",
        }

    def test_a_kind_that_is_not_served_is_gone(self, client: ClusterClient, namespace: str) -> None:
        with pytest.raises(ObjectGone):
            client.list(UNKNOWN)
        assert client.get(UNKNOWN, namespace=namespace, name="x") is None

    def test_a_delete_needs_the_right_uid(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        resource = self.resource(client, body)
        uid = self.apply(client, body).body["metadata"]["uid"]
        with pytest.raises(ObjectConflict):
            client.delete(resource, namespace=namespace, name="settings", uid="another")
        assert client.delete(resource, namespace=namespace, name="settings", uid=uid, dry_run=True)
        assert self.live(client, body)
        assert client.delete(resource, namespace=namespace, name="settings", uid=uid)
        assert client.get(resource, namespace=namespace, name="settings") is None
        assert not client.delete(resource, namespace=namespace, name="settings", uid=uid)

    def test_a_patch_moves_managed_fields(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        live = self.apply(client, body, manager=THEIRS).body
        entry = {**live["metadata"]["managedFields"][0], "manager": OURS}
        fence = {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": live["metadata"]["resourceVersion"],
        }
        move = {"op": "replace", "path": "/metadata/managedFields", "value": [entry]}
        moved = client.patch(
            self.resource(client, body),
            namespace=namespace,
            name="settings",
            operations=[fence, move],
            manager=OURS,
        )
        assert [item["manager"] for item in moved["metadata"]["managedFields"]] == [OURS]
        self.apply(client, config_map(namespace))
        assert "data" not in self.live(client, body) or not self.live(client, body)["data"]

    def test_a_patch_with_a_stale_fence_is_a_conflict(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        self.apply(client, body)
        stale = {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}
        change = {"op": "replace", "path": "/data/a", "value": "2"}
        with pytest.raises(ObjectConflict):
            client.patch(
                self.resource(client, body),
                namespace=namespace,
                name="settings",
                operations=[stale, change],
                manager=OURS,
            )

    def test_a_patch_that_is_a_dry_run_changes_nothing(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1", b="2")
        before = self.apply(client, body).body
        answer = client.patch(
            self.resource(client, body),
            namespace=namespace,
            name="settings",
            operations=[{"op": "add", "path": "/data", "value": {"a": "3"}}],
            manager=OURS,
            dry_run=True,
        )
        assert answer["data"] == {"a": "3"}
        assert self.live(client, body) == before

    def test_access_reviews_answer(self, client: ClusterClient, namespace: str) -> None:
        assert client.allowed(
            AccessQuery(verb="patch", group="apps", resource="deployments", namespace=namespace)
        )

    def test_a_watch_starts_with_what_is_there(self, client: ClusterClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        self.apply(client, body)
        events = list(
            client.watch(
                self.resource(client, body), namespace=namespace, selector="suite=contract", timeout=1.0
            )
        )
        assert [(event.type, event.body["metadata"]["name"]) for event in events] == [("ADDED", "settings")]

    def test_requests_are_independent_of_what_the_caller_does_to_bodies(
        self, client: ClusterClient, namespace: str
    ) -> None:
        body = config_map(namespace, a="1")
        applied = self.apply(client, body).body
        applied["data"]["a"] = "changed by the caller"
        body["data"]["a"] = "changed by the caller"
        assert self.live(client, body)["data"] == {"a": "1"}
