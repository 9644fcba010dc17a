"""The code and ``tools/*/go.mod`` pin the same versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetmgr.adapters.toolchain.golang import MINIMUM
from fleetmgr.adapters.toolchain.pins import KUBERNETES, PINS, Pin

TOOLS = Path(__file__).parents[3] / "tools"


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.module)
def test_versions_agree(pin: Pin) -> None:
    module = (TOOLS / pin.module / "go.mod").read_text(encoding="utf-8")
    for _, package in pin.packages:
        assert re.search(rf"^\s*(tool )?{re.escape(package)}$", module, re.MULTILINE), package
        required = re.findall(r"^(?:require )?\s*(\S+) (v\S+)", module, re.MULTILINE)
        versions = [version for path, version in required if package.startswith(path)]
        assert pin.version in versions
    go = re.search(r"^go (\d+)\.(\d+)", module, re.MULTILINE)
    assert go is not None
    assert (int(go[1]), int(go[2])) <= MINIMUM


def test_every_staging_module_is_replaced_with_its_published_version() -> None:
    module = (TOOLS / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    published = KUBERNETES.version.replace("v1.", "v0.")
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) (v\S+)$", module, re.MULTILINE)
    assert len(replaced) > 25
    assert all(old == new and version == published for old, new, version in replaced)
    assert KUBERNETES.version in KUBERNETES.ldflags
