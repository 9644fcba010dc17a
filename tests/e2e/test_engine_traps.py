"""What took others years to find: each trap of server-side apply on a real control plane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.fleets import Fleet, paths

pytestmark = pytest.mark.e2e

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1"}
"""
OTHER = """
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {a: "1"}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: nginx:1.27
          env:
            - {name: A, value: "1"}
            - {name: B, value: "2"}
            - {name: C, value: "3"}
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``, prune on."""
    made = fleets()
    made.save()
    return made


def deployed(fleet: Fleet, **files: str) -> None:
    """Commit and apply these manifests of app ``web``; nothing is left to do."""
    fleet.manifests(**files)
    fleet.commit()
    fleet.apply()
    fleet.assert_settled()


def test_an_empty_selector_removed_by_hand_is_seen(fleet: Fleet) -> None:
    budget = """
    apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: all}
    spec: {maxUnavailable: 1, selector: {}}
    """
    deployed(fleet, pdb=budget)
    fleet.kubectl("patch", "pdb", "all", "--type=json", '-p=[{"op": "remove", "path": "/spec/selector"}]')
    (change,) = fleet.plan().changes()
    assert (change["op"], paths(change)) == ("update", ["/spec/selector"])
    fleet.apply()
    assert fleet.get("pdb", "all")["spec"]["selector"] == {}


def test_an_empty_peer_list_settles_and_its_generation_rests(fleet: Fleet) -> None:
    policy = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: argocd-network-policy}
    spec:
      podSelector: {matchLabels: {app.kubernetes.io/part-of: argocd}}
      policyTypes: [Ingress, Egress]
      egress:
        - to: []
          ports: [{protocol: TCP, port: 443}]
    """
    deployed(fleet, policy=policy, config=CONFIG)
    before = fleet.get("networkpolicy", "argocd-network-policy")["metadata"]
    fleet.manifests(policy=policy, config=CONFIG.replace('"1"', '"2"'))
    fleet.apply()
    after = fleet.get("networkpolicy", "argocd-network-policy")["metadata"]
    assert (before["generation"], before["resourceVersion"]) == (
        after["generation"],
        after["resourceVersion"],
    )
    fleet.assert_settled()


def test_what_is_kept_is_never_sent(fleet: Fleet) -> None:
    service = """
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80}]}
    """
    deployed(fleet, config=CONFIG, other=OTHER, service=service)
    kinds = ("configmap", "service")
    before = fleet.everything(*kinds)
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'), other=OTHER, service=service)
    fleet.apply()
    after = fleet.everything(*kinds)
    moved = {
        name
        for name, item in after.items()
        if item["metadata"]["resourceVersion"] != before[name]["metadata"]["resourceVersion"]
    }
    assert moved == {"ConfigMap/settings"}


TWO_KEYS = """
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {a: canary-aaa, b: canary-bbb}
"""


def test_a_key_that_leaves_string_data_leaves_the_cluster_and_values_are_never_shown(fleet: Fleet) -> None:
    def hidden(*arguments: str) -> None:
        files = [fleet.root / f"shown.{form}" for form in ("json", "yaml")]
        targets = [part for file in files for part in ("-o", f"{file.suffix[1:]}={file}")]
        text = fleet.run(*arguments, "-o", "text", *targets).text
        for shown in (text, *(file.read_text(encoding="utf-8") for file in files)):
            assert shown
            assert "canary" not in shown
            assert "Y2FuYXJ5" not in shown

    fleet.manifests(secret=TWO_KEYS)
    fleet.commit()
    hidden("plan")
    deployed(fleet, secret=TWO_KEYS)
    fleet.manifests(secret=TWO_KEYS.replace(", b: canary-bbb", "").replace("aaa", "ccc"))
    fleet.commit()
    assert {p for c in fleet.plan().changes() for p in paths(c)} == {"/data/a", "/data/b"}
    for verb in (("plan",), ("diff",), ("drift",), ("apply", "--yes")):
        hidden(*verb)
    assert list(fleet.get("secret", "keys")["data"]) == ["a"]
    fleet.kubectl("patch", "secret", "keys", "-p", '{"stringData": {"a": "canary-by-hand"}}')
    for verb in (("plan",), ("diff",), ("drift",), ("apply", "--yes")):
        hidden(*verb)
    fleet.manifests(secret=TWO_KEYS.replace("a: canary-aaa", '"no key!": canary-aaa'))
    for verb in (("plan",), ("diff",), ("apply", "--yes")):
        hidden(*verb)
    fleet.manifests(secret=TWO_KEYS.replace("stringData: {a:", "data: {a:"))  # no base64
    for verb in (("plan",), ("diff",), ("apply", "--yes")):
        hidden(*verb)


def test_duplicate_env_names_are_warned_and_applied(fleet: Fleet) -> None:
    twice = DEPLOYMENT.replace("- {name: C, value: ", "- {name: A, value: ")
    fleet.manifests(web=twice)
    answer = fleet.run("apply", "--yes", "--no-wait")
    assert answer.code == 0, answer.text
    assert "duplicate" in answer.text.lower() or "twice" in answer.text.lower()
    env = fleet.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {e["name"]: e["value"] for e in env} == {"A": "3", "B": "2"}
    fleet.assert_settled()


def test_a_reordered_env_is_seen_and_applied(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT)
    lines = DEPLOYMENT.splitlines()
    turned = "\n".join([*lines[:-3], lines[-1], lines[-2], lines[-3]]) + "\n"
    fleet.manifests(web=turned)
    (change,) = fleet.plan().changes()
    assert change["op"] == "update"
    assert paths(change) == ["/spec/template/spec/containers/[name=main]/env"]
    fleet.apply("--no-wait")
    env = fleet.get("deployment", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [e["name"] for e in env] == ["C", "B", "A"]
    fleet.assert_settled()


def test_a_field_that_leaves_git_is_removed_and_others_labels_stay(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT)
    fleet.kubectl("label", "deployment", "web", "team=blue")
    fleet.kubectl("annotate", "deployment", "web", "note=by-hand")
    fleet.assert_settled()
    fleet.manifests(
        web=DEPLOYMENT.replace("            - {name: B", "#").replace(", labels: {app: web}}\ns", "}\ns")
    )
    (change,) = fleet.plan().changes()
    assert set(paths(change)) == {
        "/metadata/labels/app",
        "/spec/template/spec/containers/[name=main]/env/[name=B]",
    }
    fleet.apply("--no-wait")
    live = fleet.get("deployment", "web")
    assert "app" not in live["metadata"]["labels"]
    assert live["metadata"]["labels"]["team"] == "blue"
    assert live["metadata"]["annotations"]["note"] == "by-hand"
    names = [e["name"] for e in live["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert names == ["A", "C"]
    fleet.assert_settled()


def test_quantities_and_percentages_in_any_spelling_settle(fleet: Fleet) -> None:
    spelled = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 1
      strategy: {rollingUpdate: {maxSurge: "80%", maxUnavailable: 1}}
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          tolerations: []
          nodeSelector: {}
          affinity: {}
          securityContext: {}
          volumes: [{name: tmp, emptyDir: {}}, {name: mem, emptyDir: {sizeLimit: 1024Mi}}]
          containers:
            - name: main
              image: nginx:1.27
              env: [{name: EMPTY, value: ""}, {name: UNSET}]
              ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP}, {containerPort: 53}]
              livenessProbe: {httpGet: {path: /, port: 80}}
              resources:
                requests: {cpu: "0.5", memory: 0.5Gi}
                limits: {cpu: 1000m, memory: 1073741824}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80, targetPort: 80, name: http}]}
    ---
    apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: web}
    spec: {minAvailable: "50%", selector: {matchLabels: {app: web}}}
    ---
    apiVersion: v1
    kind: ResourceQuota
    metadata: {name: quota}
    spec: {hard: {requests.cpu: "20000m", requests.memory: 100Gi, pods: 100}}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: nothing}
    rules: []
    """
    fleet.manifests(web=spelled)
    fleet.apply("--no-wait")
    fleet.assert_settled()


def autoscaler(version: str) -> str:
    metrics = {
        "v1": "targetCPUUtilizationPercentage: 80",
        "v2": "metrics: [{type: Resource, resource: "
        "{name: cpu, target: {type: Utilization, averageUtilization: 80}}}]",
    }
    return f"""
    apiVersion: autoscaling/{version}
    kind: HorizontalPodAutoscaler
    metadata: {{name: web}}
    spec:
      scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
      minReplicas: 1
      maxReplicas: 2
      {metrics[version]}
    """


def test_a_new_version_of_a_kind_keeps_the_object(fleet: Fleet) -> None:
    fleet.manifests(target=DEPLOYMENT, hpa=autoscaler("v1"))
    fleet.apply("--no-wait")  # autoscalers look around every 15 s only
    fleet.assert_settled()
    before = fleet.get("hpa", "web")["metadata"]["uid"]
    fleet.manifests(target=DEPLOYMENT, hpa=autoscaler("v2"))
    ops = fleet.plan().ops()
    assert ops <= {("update", "HorizontalPodAutoscaler/web")}
    fleet.apply("--no-wait")
    assert fleet.get("hpa", "web")["metadata"]["uid"] == before
    fleet.assert_settled()
    fleet.manifests(target=DEPLOYMENT, hpa=autoscaler("v2").replace("maxReplicas: 2", "maxReplicas: 3"))
    fleet.apply("--no-wait")
    assert fleet.get("hpa", "web")["spec"]["maxReplicas"] == 3
    fleet.assert_settled()
    fleet.manifests(target=DEPLOYMENT, config=CONFIG)
    assert fleet.plan().ops() == {
        ("create", "ConfigMap/settings"),
        ("delete", "HorizontalPodAutoscaler/web"),
    }
    fleet.apply("--no-wait")
    assert fleet.get("hpa", "web") == {}


def test_a_definition_and_its_objects_come_in_one_go(fleet: Fleet) -> None:
    group = f"{fleet.name}.example"
    definition = f"""
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {{name: SCOPED.{group}}}
    spec:
      group: {group}
      scope: SCOPE
      names: {{kind: KIND, plural: SCOPED, singular: SINGULAR}}
      versions:
        - name: v1
          served: true
          storage: true
          schema:
            openAPIV3Schema:
              type: object
              properties:
                spec: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
    """

    def of(kind: str, scope: str) -> str:
        names = {
            "SCOPED": f"{kind.lower()}s",
            "SINGULAR": kind.lower(),
            "SCOPE": scope,
            "KIND": kind,
        }
        text = definition
        for word, value in names.items():
            text = text.replace(word, value)
        return text

    def custom(kind: str) -> str:
        return f"""
        apiVersion: {group}/v1
        kind: {kind}
        metadata: {{name: one}}
        spec: {{size: "0.5", list: [], map: {{}}, empty: ""}}
        """

    kinds = {"Widget": "Namespaced", "Planet": "Cluster"}
    files = {f"crd{k.lower()}": of(k, s) for k, s in kinds.items()}
    files |= {f"cr{k.lower()}": custom(k) for k in kinds}
    fleet.manifests(**files)
    assert {op for op, _ in fleet.plan().ops()} == {"create"}
    fleet.apply()
    fleet.assert_settled()
    assert fleet.get(f"widget.{group}", "one")["spec"] == {"size": "0.5", "list": [], "map": {}, "empty": ""}
    assert fleet.get(f"planet.{group}", "one")
    fleet.manifests(config=CONFIG)
    fleet.apply()
    assert fleet.get(f"planet.{group}", "one") == {}
    protected = {f"CustomResourceDefinition/{k.lower()}s.{group}" for k in kinds}
    assert fleet.plan().ops() == {("orphaned", name) for name in protected}
    fleet.kubectl("delete", "crd", *(f"{k.lower()}s.{group}" for k in kinds))
    fleet.apply()
    fleet.assert_settled()


def test_the_seed_examples_of_plain_kinds_deploy(fleet: Fleet) -> None:
    folder = Path(__file__).parents[1] / "rendering" / "data"
    plain = {"Deployment", "Service", "Ingress", "ConfigMap", "NetworkPolicy"}
    fleet.apps = []
    count = 0
    for file in sorted(folder.iterdir()):
        text = file.read_text(encoding="utf-8")
        kind = yaml.safe_load(text).get("kind")
        if kind in plain:  # some share a name: each is an app with a namespace of its own
            count += 1
            app = f"seed-{count}"
            namespace = f"{fleet.name}-{count}"
            fleet.namespaces.add(namespace)
            fleet.apps.append(fleet.app(app) | {"overlays": {"dev": {"namespace": namespace}}})
            fleet.write(f"apps/{app}/{file.name}", text)
    assert count == 8
    fleet.save()
    fleet.apply("--no-wait")
    fleet.assert_settled()


def test_an_immutable_field_is_denied_by_name_without_consent(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT, config=CONFIG)
    fleet.manifests(web=DEPLOYMENT.replace("{app: web}", "{app: shop}"), config=CONFIG)
    answer = fleet.plan(code=1)
    assert answer.ops() == {("denied", "Deployment/web")}
    change = answer.change("Deployment/web")
    assert "spec.selector cannot be changed in place" in change["reason"]
    assert "--force" in change["reason"]


def test_generate_name_is_refused_with_the_fix(fleet: Fleet) -> None:
    fleet.manifests(config=CONFIG.replace("{name: settings}", "{generateName: settings-}"))
    answer = fleet.run("plan")
    assert answer.code == 1
    assert "generateName" in answer.text


def test_a_job_that_its_ttl_removed_does_not_run_again(fleet: Fleet) -> None:
    job = """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: migrate}
    spec:
      ttlSecondsAfterFinished: 0
      template:
        spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}
    """
    fleet.manifests(job=job, config=CONFIG)
    fleet.apply()
    fleet.kubectl("wait", "--for=delete", "job/migrate", "--timeout=30s")
    fleet.assert_settled()
    fleet.manifests(job=job, config=CONFIG.replace('"1"', '"2"'))
    fleet.apply()
    assert fleet.get("job", "migrate") == {}
    assert "Healthy" in fleet.run("status").out
