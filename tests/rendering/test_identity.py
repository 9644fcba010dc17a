"""Type tokens and aliases against Pulumi's own Kubernetes package."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.urn import type_token
from fleetmgr.rendering.identity import resource_name, type_aliases
from fleetmgr.rendering.kinds import BUILT_IN_GROUPS, CLUSTER_SCOPED

TOKEN = re.compile(r"kubernetes:([a-z0-9.]+)/(v[a-z0-9]+):(\w+)")


@pytest.mark.parametrize(
    ("group", "version", "kind", "token"),
    [
        ("", "v1", "Service", "kubernetes:core/v1:Service"),
        ("apps", "v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("rbac.authorization.k8s.io", "v1", "Role", "kubernetes:rbac.authorization.k8s.io/v1:Role"),
        ("networking.k8s.io", "v1", "Ingress", "kubernetes:networking.k8s.io/v1:Ingress"),
        ("cert-manager.io", "v1", "Issuer", "kubernetes:cert-manager.io/v1:Issuer"),
    ],
)
def test_tokens(group: str, version: str, kind: str, token: str) -> None:
    assert type_token(group, version, kind) == token


def test_names_hold_the_namespace_and_nothing_else() -> None:
    assert resource_name(ObjectRef("", "v1", "Service", "web", "a")) == "web/a"
    assert resource_name(ObjectRef("", "v1", "Namespace", "", "web")) == "web"


def test_an_hpa_and_an_ingress_know_their_other_versions() -> None:
    assert type_aliases("autoscaling", "v2", "HorizontalPodAutoscaler") == tuple(
        f"kubernetes:autoscaling/{v}:HorizontalPodAutoscaler" for v in ("v1", "v2beta1", "v2beta2")
    )
    assert type_aliases("networking.k8s.io", "v1", "Ingress") == (
        "kubernetes:extensions/v1beta1:Ingress",
        "kubernetes:networking.k8s.io/v1beta1:Ingress",
    )
    assert type_aliases("", "v1", "Service") == ()
    assert type_aliases("e.com", "v1", "Ingress") == (), "a custom kind of the same name is another kind"


def pulumi_aliases() -> dict[str, set[str]]:
    """Type token -> the aliases that pulumi-kubernetes' own class gives itself."""
    spec = find_spec("pulumi_kubernetes")
    assert spec is not None
    assert spec.origin is not None
    found: dict[str, set[str]] = {}
    for path in Path(spec.origin).parent.rglob("*.py"):
        text = path.read_text()
        own = re.search(r"__init__\(\s*'(kubernetes:[^']+)'", text)
        aliases = re.findall(r'type_="(kubernetes:[^"]+)"', text)
        if own and aliases and not own[1].endswith(("Patch", "List")):
            found[own[1]] = set(aliases)
    return found


def test_every_alias_of_pulumis_classes_is_ours_too() -> None:
    known = pulumi_aliases()
    assert len(known) > 50
    for token, aliases in known.items():
        match = TOKEN.fullmatch(token)
        assert match is not None
        group, version, kind = match.groups()
        ours = set(type_aliases("" if group == "core" else group, version, kind))
        assert aliases <= ours | {token}, token


def test_cluster_scoped_kinds_are_of_known_groups() -> None:
    assert {kind.group for kind in CLUSTER_SCOPED} <= BUILT_IN_GROUPS
