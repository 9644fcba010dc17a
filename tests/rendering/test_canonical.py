"""Objects in the form that the server gives back; Kubernetes' own types are the judge where they can be."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.rendering.canonical import Notes, canonical
from fleetmgr.rendering.quantities import canonical_quantity
from fleetmgr.rendering.yaml_reader import read_yaml
from tests.rendering.kubectl import as_typed

QUANTITIES: dict[str | int | float, str] = {
    "1000m": "1",
    "0.5": "500m",
    0.5: "500m",
    1: "1",
    "1024Mi": "1Gi",
    "1536Mi": "1536Mi",
    "0.5Gi": "512Mi",
    "1.5Gi": "1536Mi",
    "1000Ki": "1000Ki",
    "1e3": "1e3",
    1000: "1k",
    "1000": "1k",
    "1500": "1500",
    "100m": "100m",
    "1E": "1E",
    "1E3": "1E3",
    "12e-1": "1200e-3",
    "0": "0",
    "0Mi": "0",
    "512Mi": "512Mi",
    "1023Ki": "1023Ki",
    "0.5Ki": "512",
    "1Ki": "1Ki",
    "1000000": "1M",
    "1.0": "1",
    "00.10": "100m",
    "2000000Ki": "2000000Ki",
    "0.1u": "100n",
    "0.1n": "1n",
    "0.0001m": "100n",
    ".5": "500m",
    "5.": "5.",
    "1048576Ki": "1Gi",
    "3.5Mi": "3584Ki",
    "0.3Ki": "307200m",
    "+1": "+1",
    "+1000m": "1",
    "1.500": "1.500",
    "0.500": "500m",
    "0012": "0012",
    "0012Ki": "0012Ki",
    "16Ki": "16Ki",
    "1e+3": "1e+3",
    "12E1": "120",
    "1.0005": "1000500u",
    "123456789.123456789": "123456789.123456789",
    "100000000000000001Ki": "9223372036854775807",
    "-1000m": "-1",
    "-0.5Gi": "-512Mi",
    1.5: "1500m",
    2.0: "2",
}


@pytest.mark.parametrize(("given", "expected"), QUANTITIES.items(), ids=repr)
def test_quantities(given: str | float, expected: str) -> None:
    assert canonical_quantity(given) == expected
    assert canonical_quantity(expected) == expected


@pytest.mark.parametrize(
    "given", ["", "a", "1 Gi", "1gi", True, None, "1e", "--1", "9" * 30, "1Zi", "\u0661"]
)
def test_what_is_no_quantity_is_left_to_the_server(given: object) -> None:
    assert canonical_quantity(given) == given


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {}
  annotations: {}
  creationTimestamp: null
spec:
  selector: {matchLabels: {app: web}, matchExpressions: []}
  replicas:
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      affinity: {}
      nodeSelector: {}
      tolerations: []
      imagePullSecrets: []
      securityContext: {}
      overhead: {cpu: 0.5}
      containers:
      - name: a
        image: nginx
        args: []
        securityContext: {}
        resources: {limits: {}, requests: {cpu: 1000m, memory: 1024Mi}}
        env:
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1000m}}}
        - {name: EMPTY, value: null}
        lifecycle: {}
      volumes:
      - {name: a, emptyDir: {}}
      - {name: b, emptyDir: {sizeLimit: 0.5Gi}}
      - {name: c, csi: {driver: d, volumeAttributes: {}}}
"""


def parsed(text: str) -> JsonObject:
    (document,) = read_yaml(text.encode(), name="a.yaml")
    return document.value


def test_a_deployment_is_what_kubernetes_types_make_of_it(tmp_path: Path) -> None:
    typed = as_typed(DEPLOYMENT, tmp_path)
    pod = typed["spec"]["template"]["spec"]
    pod["containers"][0]["env"].remove({"name": "READ", "value": "yes"})
    # Structs without omitempty appear in the output although nobody wrote them.
    typed.pop("status", None)
    typed["spec"].pop("strategy", None)
    assert canonical(parsed(DEPLOYMENT)) == canonical(typed)
    assert canonical(typed) == typed


def test_quantities_are_those_of_kubernetes(tmp_path: Path) -> None:
    requests = {f"example.com/r{index}": quantity for index, quantity in enumerate(QUANTITIES)}
    pod = {"containers": [{"name": "a", "image": "b", "resources": {"requests": requests}}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": pod}
    typed = as_typed(json.dumps(body), tmp_path)["spec"]["containers"][0]["resources"]["requests"]
    assert {q: typed[key] for key, q in requests.items()} == QUANTITIES


def test_empty_selectors_mean_something() -> None:
    pdb: JsonObject = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"selector": {}}}
    assert canonical(pdb) == pdb
    policy: JsonObject = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": {}, "egress": [{"to": [], "ports": [{"port": 1}]}], "ingress": [{}]},
    }
    assert canonical(policy)["spec"] == {
        "podSelector": {},
        "egress": [{"ports": [{"port": 1}]}],
        "ingress": [{}],
    }
    service: JsonObject = {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {}}}
    assert canonical(service)["spec"] == {}


def test_custom_resources_and_schemas_keep_what_is_empty() -> None:
    custom: JsonObject = {
        "apiVersion": "e.com/v1",
        "kind": "W",
        "spec": {"a": [], "b": {}, "c": {"labels": {}}},
    }
    assert canonical(custom) == custom
    assert canonical({**custom, "spec": {"a": None, "requests": {"cpu": "1000m"}}})["spec"] == {
        "requests": {"cpu": "1000m"}
    }
    crd: JsonObject = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "versions": [{"schema": {"openAPIV3Schema": {"properties": {"a": {"default": {}, "enum": []}}}}}]
        },
    }
    assert canonical(crd) == crd


def test_an_hpa_has_quantities_in_targets_and_numbers_in_behavior() -> None:
    hpa: JsonObject = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {
            "metrics": [{"type": "Pods", "pods": {"target": {"type": "AverageValue", "averageValue": 1000}}}],
            "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}},
        },
    }
    spec = canonical(hpa)["spec"]
    assert spec["metrics"][0]["pods"]["target"]["averageValue"] == "1k"
    assert spec["behavior"]["scaleUp"]["policies"][0]["value"] == 4


def test_quotas_ranges_and_claims() -> None:
    def spec(kind: str, value: Any) -> Any:
        return canonical({"apiVersion": "v1", "kind": kind, "spec": value})["spec"]

    assert spec("ResourceQuota", {"hard": {"pods": 10, "cpu": "2000m"}}) == {
        "hard": {"pods": "10", "cpu": "2"}
    }
    assert spec("LimitRange", {"limits": [{"default": {"cpu": 0.5}, "max": {}}]}) == {
        "limits": [{"default": {"cpu": "500m"}}]
    }
    claim = {"resources": {"requests": {"storage": "1024Mi"}}}
    assert spec("PersistentVolumeClaim", claim) == {"resources": {"requests": {"storage": "1Gi"}}}


def test_string_data_is_merged_and_wins() -> None:
    secret: JsonObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"a": "b2xk", "k": "a2VlcA=="},
        "stringData": {"a": "new", "empty": None, "ü": "é"},
    }
    assert canonical(secret) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {
            "a": base64.b64encode(b"new").decode(),
            "k": "a2VlcA==",
            "empty": "",
            "ü": base64.b64encode("é".encode()).decode(),
        },
    }


def test_a_string_data_value_that_is_no_string_is_named_and_never_shown() -> None:
    notes = Notes()
    canonical({"apiVersion": "v1", "kind": "Secret", "stringData": {"port": 98765}}, notes)
    assert notes.problems == [("stringData[port]", "must be a string: quote it")]


def test_what_only_the_server_sets_goes() -> None:
    notes = Notes()
    body: JsonObject = {
        "apiVersion": "e.com/v1",
        "kind": "W",
        "metadata": {
            "name": "a",
            "uid": "u",
            "creationTimestamp": None,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{secret}"},
        },
        "status": {"x": 1},
    }
    assert canonical(body, notes) == {"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "a"}}
    assert notes.warnings == [("metadata.uid", "is set by the server only and was left out")]


def test_of_duplicate_list_keys_the_last_one_wins() -> None:
    notes = Notes()
    container: JsonObject = {
        "name": "a",
        "env": [{"name": "X", "value": "1"}, {"name": "Y"}, {"name": "X", "value": "2"}],
        "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}],
    }
    pod = canonical({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}, notes)
    fixed = pod["spec"]["containers"][0]
    assert fixed["env"] == [{"name": "Y"}, {"name": "X", "value": "2"}]
    assert len(fixed["ports"]) == 2
    assert notes.warnings == [("spec.containers[0].env", "holds `X` twice; the last one is used")]


def test_null_in_a_map_of_strings_is_empty_text() -> None:
    assert canonical({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": None}})["data"] == {"a": ""}


NAMES = """
    annotations containers data env hard labels limits metadata name ports requests selector sizeLimit status
    stringData target uid value x
"""
KEYS = st.sampled_from(NAMES.split())
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2000) | st.sampled_from(["", "1000m", "1Gi", "a", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)
KINDS = (
    "v1/Secret",
    "v1/ConfigMap",
    "v1/Pod",
    "v1/ResourceQuota",
    "v1/Service",
    "autoscaling/v2/HorizontalPodAutoscaler",
    "e.com/v1/W",
    "apps/v1/Deployment",
)


def an_object(kind: str, rest: JsonObject) -> JsonObject:
    api_version, _, name = kind.rpartition("/")
    return {**rest, "apiVersion": api_version, "kind": name}


OBJECTS = st.builds(an_object, st.sampled_from(KINDS), st.dictionaries(KEYS, VALUES, max_size=5))


@given(OBJECTS)
def test_canonical_is_idempotent_and_changes_nothing_in_place(body: JsonObject) -> None:
    before = json.dumps(body, sort_keys=True)
    once = canonical(body)
    assert json.dumps(body, sort_keys=True) == before
    assert json.dumps(canonical(once), sort_keys=True) == json.dumps(once, sort_keys=True)
