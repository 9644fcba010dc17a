"""The tutorial does what it says: its commands are run in order, its output must come."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-fleet.md"
NAME = "tutorial"
"""A sandbox of the test's own instead of the reader's ``hello``."""
BLOCK = re.compile(r"^```(text|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = (
    (re.compile(r"\b[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\b\d+\.\d s\b"), "N s"),
    (re.compile(r"\b\d+[smh]\b"), "AGE"),
    (re.compile(r"\s+"), " "),
)


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    for ours in ("--name hello", "fleetmgr-hello", "hello-1", "sandbox hello"):
        text = text.replace(ours, ours.replace("hello", NAME))
    return text


def normal(line: str) -> str:
    line = line.replace(str(Path.home()), "~")
    for pattern, name in VARYING:
        line = pattern.sub(name, line)
    return line.strip()


class Reader:
    """Somebody who follows the tutorial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exports: list[str] = []
        self.environment = {
            **os.environ,  # noqa: TID251 - as a shell has it
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # noqa: TID251 - as a shell has it
            "GIT_EDITOR": "true",
            "NO_COLOR": "1",
            **{
                f"GIT_{who}_{part}": "reader@example"
                for who in ("AUTHOR", "COMMITTER")
                for part in ("NAME", "EMAIL")
            },
        }

    def type(self, command: str) -> str:
        """Run one line as a shell would; its folder and exports stay for the next."""
        if command == "fleet apply":
            command += " --yes"  # no terminal to answer on
        if command.startswith("export "):
            self.exports.append(command)
        script = "\n".join([*self.exports, f"{{ {command}\n}} && pwd > {self.folder / '.pwd'}"])
        here = self.folder / ".pwd"
        ran = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=here.read_text().strip() if here.exists() else self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"$ {command}\n{ran.stdout}"
        return ran.stdout

    def edit(self, text: str) -> None:
        """Put what a YAML block shows into fleet.yaml: items of lists by their name."""
        path = Path((self.folder / ".pwd").read_text().strip()) / "fleet.yaml"
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        for key, items in yaml.safe_load(text).items():
            for item in items:
                next(old for old in document[key] if old["name"] == item["name"]).update(item)
        path.write_text(yaml.safe_dump(document, sort_keys=False))


def missing(expected: list[str], output: str) -> list[str]:
    got = {normal(line) for line in output.splitlines()}
    lines = [line for line in expected if line.strip() and line != "..." and "[y/N]" not in line]
    # Where a value is written moves with the edits of the test.
    return [line for line in lines if normal(line) not in got and "fleet.yaml:" not in line]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    subprocess.run(
        [str(Path(sys.executable).with_name("fleet")), "sandbox", "down", "--name", NAME],
        check=False,
        capture_output=True,
    )


def test_the_tutorial_does_what_it_says(reader: Reader) -> None:
    ran = 0
    for kind, text in BLOCK.findall(page()):
        if kind == "yaml":
            reader.edit(text)
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *expected = part.rstrip("\n").split("\n")
            output = reader.type(command)
            ran += 1
            assert not missing(expected, output), f"$ {command}\n{output}"
    assert ran > 20
