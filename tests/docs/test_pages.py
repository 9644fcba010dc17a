"""The pages hold together: links lead somewhere, fleets are valid, commands exist, places are nobody's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fleetmgr.cli.main import COMMANDS
from fleetmgr.cli.main import fleet as program
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


def said(page: Path) -> Iterator[list[str]]:
    """Every command line of a page, in a block or inside a sentence, as its words without ``fleet``."""
    text = page.read_text()
    lines = [
        line
        for block in FENCE.findall(text)
        for line in re.findall(r"^(?:\$ )?fleet (.+)$", block, re.MULTILINE)
    ]
    lines += re.findall(r"`fleet ([^`]+)`", FENCE.sub("", text))
    for line in lines:
        try:
            words = shlex.split(line.split("  #")[0].split(" # ")[0].split(" | ")[0], comments=False)
        except ValueError:  # a line that goes on
            continue
        yield [word for word in words if word not in ("\\", "...")]


def options_of(command: click.Command) -> set[str]:
    return {"--help", "-h"} | {o for p in command.params for o in (*p.opts, *p.secondary_opts)}


def unknown(words: list[str]) -> list[str]:
    """Words of a command line that the program does not know: verbs below a group, and options."""
    command: click.Command = program
    context = click.Context(program)
    found: list[str] = []
    for word in words:
        option = re.match(r"--?[A-Za-z][\w-]*", word)
        if isinstance(command, click.Group) and not option:
            below = command.get_command(context, word)
            if below is None:
                return [] if re.search(r"[^a-z-]", word) else [*found, word]
            command, context = below, click.Context(below, parent=context)
        elif option and option[0] not in options_of(command):
            found.append(option[0])
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_command_lines_are_ones_that_the_program_takes(page: Path) -> None:
    wrong = {" ".join(words): bad for words in said(page) if (bad := unknown(words))}
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_place_of_some_machine_is_named(page: Path) -> None:
    assert not re.search(r"/root/|/work/|/tmp/bash", page.read_text())
