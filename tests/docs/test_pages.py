"""The pages hold together: links lead somewhere, fleets are valid, commands exist, places are nobody's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetmgr.cli.main import COMMANDS
from fleetmgr.spec import load

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?fleet ([a-z]+)", re.MULTILINE)
VERBS = {*COMMANDS, *(alias for entry in COMMANDS.values() for alias in entry.aliases)}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text())):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_whole_fleet_in_a_page_is_valid(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(YAML.findall(page.read_text())):
        if text.startswith("apiVersion: fleetmgr.dev/v1"):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "fleet.yaml").write_text(text)
            assert load(folder / "fleet.yaml").fleet.apps


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    used = {verb for block in FENCE.findall(page.read_text()) for verb in COMMAND.findall(block)}
    assert used <= VERBS


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_place_of_some_machine_is_named(page: Path) -> None:
    assert not re.search(r"/root/|/work/|/tmp/bash", page.read_text())
