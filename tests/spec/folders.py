"""Fleet folders for tests, from text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.spec import LoadedFleet, load

HEAD = "apiVersion: fleetmgr.dev/v1\nkind: Fleet\nname: shop\n"
MINIMAL = HEAD + (
    "environments: [{name: dev}]\n"
    "clusters: [{name: dev-1, environment: dev}]\n"
    "apps: [{name: web, namespace: web, source: {type: manifests, path: apps/web}}]\n"
)
FULL = (
    HEAD
    + """\
defaults: {timeout: 5m}
environments:
  - name: dev
    vars: {replicas: 1, host: "web.${cluster.vars.domain}", only: dev}
    sync: {prune: true}
  - name: prod
clusters:
  - name: dev-1
    environment: dev
    labels: {region: kr, tier: canary}
    vars: {domain: dev.shop.example}
    access: {context: dev-1}
  - include: clusters/*.yaml
apps:
  - name: web
    namespace: shop-web
    placement: {environments: [dev, prod], select: "region in (kr, us), !legacy"}
    source: {type: manifests, path: "apps/${environment.name}/"}
    dependsOn: [ingress]
    vars: {replicas: 2}
    labels: {team: shop}
    overlays:
      dev: {replicas: {web: 1}, vars: {replicas: 3}}
      prod:
        replicas: {web: 2, api: 2}
        exceptions: {prod-1: {labels: {size: small}, replicas: {web: 4}}}
  - name: ingress
    namespace: {name: ingress, labels: {level: privileged}}
    timeout: 1h30m
    source: {type: manifests, path: apps/ingress}
"""
)
FULL_FILES = {
    "fleet.yaml": FULL,
    "clusters/prod.yaml": (
        "- {name: prod-1, environment: prod, labels: {region: us}, vars: {domain: p1}}\n"
        '- {name: prod-2, environment: prod, labels: {region: us, legacy: "yes"}}\n'
    ),
    "environments/prod/web.yaml": (
        'images: {nginx: "1.27.3"}\nreplicas: {web: 3}\nexceptions: {prod-1: {replicas: {web: 6}, path: apps/other}}\n'
    ),
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    """The files below ``root``; returns fleet.yaml's path."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "fleet.yaml"


def loaded(root: Path, files: Mapping[str, str] | str) -> LoadedFleet:
    """The fleet of ``files`` (or of one fleet.yaml)."""
    return load(write(root, {"fleet.yaml": files} if isinstance(files, str) else files))


def problems(root: Path, files: Mapping[str, str] | str) -> tuple[Problem, ...]:
    """What the loader says about them."""
    with pytest.raises(InvalidInput) as caught:
        loaded(root, files)
    return caught.value.problems


def told(found: tuple[Problem, ...]) -> str:
    """One line a problem, as ``str`` gives it."""
    return "\n".join(str(p) for p in found)
