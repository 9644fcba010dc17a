"""Overlay fields that are native give what kustomize gives, on generated objects.

Where we differ on purpose is in docs/decisions/0010-kustomize.md; those cases are left out here.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetmgr.model.target import Overlay
from tests.rendering.builders import render
from tests.rendering.kustomizing import ours, theirs

NAMES = st.sampled_from(["web", "api", "db"])
IMAGES = st.sampled_from(
    ["nginx", "nginx:1.2", "reg.example:5000/team/app:v1", "reg.example:5000/team/app", "a/nginx:x"]
)
TEXTS = st.sampled_from(["a", "b-c", "1", "true"])
KINDS = st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "Job", "ConfigMap", "Service", "Role"])


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    containers = [
        {"name": f"c{i}", "image": image}
        for i, image in enumerate(draw(st.lists(IMAGES, min_size=1, max_size=3)))
    ]
    spec: dict[str, Any] = {"containers": containers}
    if draw(st.booleans()):
        spec["initContainers"] = [{"name": "i", "image": draw(IMAGES)}]
    return {"metadata": {"labels": {"app": draw(TEXTS)}}, "spec": spec}


@st.composite
def bodies(draw: st.DrawFn, kind: str, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    for key in ("labels", "annotations"):
        found = draw(st.dictionaries(st.sampled_from(["x", "y"]), TEXTS, max_size=2))
        if found:
            metadata[key] = found
    if kind in ("ConfigMap", "Service", "Role"):
        content: dict[str, Any] = {
            "ConfigMap": {"apiVersion": "v1", "data": {"image": "nginx"}},
            "Service": {"apiVersion": "v1", "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}},
            "Role": {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "rules": [{"apiGroups": ["x"], "resources": ["pods"], "verbs": ["get"]}],
            },
        }[kind]
        return {"kind": kind, "metadata": metadata, **content}
    spec: dict[str, Any] = {"template": draw(pods())}
    if kind != "Job":
        spec["selector"] = {"matchLabels": {"app": "a"}}
    if kind in ("Deployment", "StatefulSet") and draw(st.booleans()):
        spec["replicas"] = draw(st.integers(0, 9))
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


@st.composite
def sources(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.tuples(KINDS, NAMES), min_size=1, max_size=4, unique=True))
    return [draw(bodies(kind, name)) for kind, name in ids]


@settings(max_examples=25, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(
    found=sources(),
    namespace=st.sampled_from(["team"]),
    labels=st.dictionaries(st.sampled_from(["x", "z"]), TEXTS, max_size=2),
    annotations=st.dictionaries(st.sampled_from(["y", "z"]), TEXTS, max_size=2),
    tag=st.sampled_from(["9", "@sha256:" + "0" * 64]),
    count=st.integers(0, 5),
)
def test_plain_fields_give_what_kustomize_gives(
    found: list[dict[str, Any]],
    namespace: str,
    labels: dict[str, str],
    annotations: dict[str, str],
    tag: str,
    count: int,
) -> None:
    used = {
        c["image"]
        for body in found
        for key in ("containers", "initContainers")
        for c in body.get("spec", {}).get("template", {}).get("spec", {}).get(key, ())
    }
    names = {image.rpartition(":")[0] if ":" in image.rpartition("/")[2] else image for image in used}
    scaled = {b["metadata"]["name"] for b in found if b["kind"] in ("Deployment", "StatefulSet")}
    overlay = Overlay(
        namespace=namespace,
        labels=labels,
        annotations=annotations,
        images=dict.fromkeys(names, tag),
        replicas=dict.fromkeys(scaled, count),
    )
    change = {"digest": tag[1:]} if tag.startswith("@") else {"newTag": tag}
    kustomization: dict[str, Any] = {
        "namespace": namespace,
        "images": [{"name": name, **change} for name in sorted(names)],
        "replicas": [{"name": name, "count": count} for name in sorted(scaled)],
    }
    if labels:
        kustomization["labels"] = [{"pairs": labels, "includeTemplates": True}]
    if annotations:
        # kustomize's commonAnnotations go into pod templates too; ours restart nothing.
        kustomization["transformers"] = [
            orjson.dumps(
                {
                    "apiVersion": "builtin",
                    "kind": "AnnotationsTransformer",
                    "metadata": {"name": "a"},
                    "annotations": annotations,
                    "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
                }
            ).decode()
            + "\n"
        ]
    text = "\n---\n".join(orjson.dumps(body).decode() for body in found) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        expected = theirs(Path(folder), {"a.yaml": text}, kustomization)

    assert ours(render({"a.yaml": text}, overlay=overlay)) == expected
