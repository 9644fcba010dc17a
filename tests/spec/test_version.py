"""requiredVersion follows PEP 440's release comparison."""

from __future__ import annotations

import pytest

from fleetmgr.spec.version import satisfies


@pytest.mark.parametrize(
    ("version", "specifier", "fits"),
    [
        ("0.1.0", ">=0.1", True),
        ("0.1.0", ">0.1", False),
        ("0.10.0", ">=0.9", True),
        ("1.4.2", "~=1.4", True),
        ("2.0", "~=1.4", False),
        ("1.4.2", "~=1.4.3", False),
        ("1.0", "==1", True),
        ("1.0.1", "==1.0.*", True),
        ("1.1", "!=1.0.*", True),
        ("0.5", ">=0.3,<0.5", False),
        ("1.0.dev3", ">=1", True),
    ],
)
def test_satisfies(version: str, specifier: str, *, fits: bool) -> None:
    assert satisfies(version, specifier) is fits


@pytest.mark.parametrize(
    "specifier", ["", "1.0", ">=", "^1", ">=1.*", "~=1", ">=1,", "latest", ">=" + "9" * 5000]
)
def test_what_is_no_specifier(specifier: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is the clause
        satisfies("1.0", specifier)
