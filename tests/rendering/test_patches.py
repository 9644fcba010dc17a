"""Patches, prefixes and suffixes: what kustomize makes of them, and what it should have refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.target import Overlay, Patch
from tests.rendering.kustomizing import customised, ours, patch, theirs

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web, labels: {tier: front}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      containers:
      - name: web
        image: nginx:1
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
        env: [{name: A, value: a}]
      - {name: side, image: side:1}
      volumes:
      - {name: c, configMap: {name: settings}}
      - {name: d, persistentVolumeClaim: {claimName: disk}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: web}, data: {a: b}}
---
{apiVersion: v1, kind: Secret, metadata: {name: keys, namespace: web}, type: Opaque, data: {a: Yg==}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: runner, namespace: web}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: web}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: web}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: read, namespace: web}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: read, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: read}
subjects: [{kind: ServiceAccount, name: runner, namespace: web}]
"""
FILES = {"app.yaml": APP}
DEPLOYMENT = {"kind": "Deployment", "name": "web"}


def refusal(overlay: Overlay, **changes: Any) -> Problem:
    with pytest.raises(InvalidInput) as caught:
        customised(FILES, overlay, **changes)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("overlay", "kustomization"),
    [
        (Overlay(name_prefix="dev-"), {"namePrefix": "dev-"}),
        (Overlay(name_prefix="a-", name_suffix="-b"), {"namePrefix": "a-", "nameSuffix": "-b"}),
        (
            Overlay(name_prefix="a-", replicas={"web": 5}, images={"nginx": "2"}, labels={"x": "y"}),
            {
                "namePrefix": "a-",
                "replicas": [{"name": "web", "count": 5}],
                "images": [{"name": "nginx", "newTag": "2"}],
                "labels": [{"pairs": {"x": "y"}, "includeTemplates": True}],
            },
        ),
    ],
)
def test_names_change_with_all_their_references_as_in_kustomize(
    tmp_path: Path, overlay: Overlay, kustomization: dict[str, Any]
) -> None:
    found = ours(customised(FILES, overlay))

    assert found == theirs(tmp_path, FILES, kustomization)
    deployment = next(body for body in found if body["kind"] == "Deployment")
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] != "runner"


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("spec: {replicas: 4}", DEPLOYMENT),
        ("spec: {template: {spec: {containers: [{name: web, env: [{name: B, value: b}]}]}}}", DEPLOYMENT),
        ("spec: {template: {spec: {containers: [{name: side, $patch: delete}]}}}", DEPLOYMENT),
        ("spec: {template: {spec: {volumes: [{$patch: replace}, {name: z, emptyDir: {}}]}}}", DEPLOYMENT),
        ("metadata: {annotations: {a: b}}", {"kind": "Deployment|Service"}),
        ("metadata: {annotations: {a: b}}", {"label_selector": "tier in (front)"}),
        ("- {op: replace, path: /spec/replicas, value: 7}", DEPLOYMENT),
        (
            "- {op: add, path: /metadata/labels/new, value: x}\n- {op: remove, path: /spec/replicas}",
            DEPLOYMENT,
        ),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: web}\ndata: {c: d}", {}),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: web}\n$patch: delete", {}),
    ],
)
def test_a_patch_does_what_it_does_in_kustomize(tmp_path: Path, text: str, selects: dict[str, str]) -> None:
    camel = {"label_selector": "labelSelector"}
    theirs_target = {camel.get(key, key): value for key, value in selects.items()}
    written = text
    if selects and not text.startswith("-"):  # kustomize itself wants these even beside a target
        written = f"apiVersion: apps/v1\nkind: Deployment\n{text}\n"
        written += "" if "metadata" in text else "metadata: {name: web}\n"
        written = written.replace("metadata: {annotations", "metadata: {name: web, annotations")
    entry = {"patch": written} | ({"target": theirs_target} if selects else {})

    found = ours(customised(FILES, Overlay(patches=(patch(text, selects),))))

    assert found == theirs(tmp_path, FILES, {"patches": [entry]})


def test_patches_come_in_order_and_before_the_other_fields() -> None:
    first = patch({"spec": {"replicas": 2}}, DEPLOYMENT)
    second = patch(
        [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x"}], DEPLOYMENT
    )
    third = patch({"spec": {"replicas": 3}}, DEPLOYMENT)

    stack = customised(FILES, Overlay(patches=(first, second, third), images={"x": "9"}))

    spec = next(body for body in ours(stack) if body["kind"] == "Deployment")["spec"]
    assert spec["replicas"] == 3
    assert spec["template"]["spec"]["containers"][0]["image"] == "x:9"


def test_objects_keep_the_place_where_they_were_written() -> None:
    stack = customised(FILES, Overlay(name_prefix="a-"))

    lines = {resource.ref.kind: resource.origin.line for resource in stack.resources}
    assert lines["Deployment"] == 1
    assert lines["ConfigMap"] == APP[: APP.index("{apiVersion: v1, kind: ConfigMap")].count("\n") + 1


def test_variables_of_manifests_and_patches_keep_their_types() -> None:
    files = {
        "a.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        '  replicas: ${vars.n}\n  template: {metadata: {annotations: {t: "${vars.n}"}}}\n'
    }
    text = 'spec:\n  minReadySeconds: ${vars.n}\n  template: {metadata: {annotations: {u: "${vars.n}"}}}\n'
    as_data = {"spec": {"revisionHistoryLimit": "${vars.n}"}}
    operation = [{"op": "add", "path": "/spec/progressDeadlineSeconds", "value": "${vars.n}"}]
    patches = tuple(patch(p, DEPLOYMENT) for p in (text, as_data, operation))

    (body,) = ours(customised(files, Overlay(patches=patches), variables={"vars": {"n": 3}}))

    spec = body["spec"]
    assert (spec["replicas"], spec["minReadySeconds"], spec["revisionHistoryLimit"]) == (3, 3, 3)
    assert spec["progressDeadlineSeconds"] == 3
    assert spec["template"]["metadata"]["annotations"] == {"t": "3", "u": "3"}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (patch("spec: {}", {"kind": "Deployment", "name": "wbe"}), "matches no object"),
        (patch("- {op: remove, path: /spec}", {"kind": "Nope"}), "matches no object"),
        (patch("spec: {}", {"label_selector": "tier=back"}), "matches no object"),
        (patch("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}"), "no such object"),
    ],
)
def test_a_patch_that_matches_nothing_is_an_error_at_its_place(bad: Patch, words: str) -> None:
    problem = refusal(Overlay(patches=(bad,)))

    assert (problem.code, problem.where) == ("FLT-1314", bad.where)
    assert words in problem.message
    assert "Deployment/web" in (problem.hint or "")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (patch("spec: {template: {spec: {containers: [{image: x}]}}}", DEPLOYMENT), "has no `name`"),
        (
            patch(
                "spec: {template: {spec: {containers: [{name: web, ports: [{protocol: TCP}]}]}}}",
                DEPLOYMENT,
            ),
            "has no `containerPort` or `port`",
        ),
        (patch("spec: {$patch: delet}", DEPLOYMENT), "`$patch` is one of"),
        (patch("- {op: replace, path: /spec/nope/x, value: 1}", DEPLOYMENT), "missing path"),
        (patch("- {op: repl, path: /spec, value: 1}", DEPLOYMENT), "repl"),
        (patch("a: [", DEPLOYMENT), "no YAML"),
        (patch("", DEPLOYMENT), "empty"),
        (patch("just text", DEPLOYMENT), "a patch is a mapping"),
        (patch("- {op: remove, path: /spec}"), "needs a target"),
        (patch("spec: {}"), "needs apiVersion, kind"),
        (patch("spec: {}", {"name": "("}), "no regular expression"),
        (patch("spec: {}", {"label_selector": "a in"}), "target"),
    ],
)
def test_an_invalid_patch_is_an_error_at_its_place(bad: Patch, words: str) -> None:
    good = patch("spec: {replicas: 2}", DEPLOYMENT, line=1)

    problem = refusal(Overlay(patches=(good, bad)))

    assert (problem.code, problem.where) == ("FLT-1313", bad.where)
    assert words in problem.message


def test_excluded_names_are_those_of_the_source() -> None:
    stack = customised(FILES, Overlay(name_prefix="a-"), exclude=(("Ingress", "web"),))

    assert "Ingress" not in {resource.ref.kind for resource in stack.resources}
