"""Names at a Tab: which, where, from which files, and nothing at all when something is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.cli.names import names_of
from fleetmgr.cli.quick_completion import candidates
from tests.cli.conftest import Cli

FLEET = """\
name: shop
environments: [{name: dev, vars: {name: no}}, &p {name: prod}]
clusters:
  - name: dev-1
    labels: {name: no}
    access: {context: *p}
  - include: clusters/*.yaml
  - include: [more/a.yaml, ../*.yaml, "/*"]
apps:
  - source: {name: no}
    name: web
  - name: api
"""


@pytest.fixture
def here(cli: Cli) -> Path:
    folder = Path.cwd()
    files = {
        "fleet.yaml": FLEET,
        "clusters/one.yaml": "name: prod-1\nlabels: {name: no}\n",
        "clusters/two.yaml": "- name: prod-2\n- {name: prod-3}\n",
        "more/a.yaml": "[[[[ {{",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    assert cli.home
    return folder


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("plan -c ", "dev-1 prod-1 prod-2 prod-3"),
        ("plan -c pr", "prod-1 prod-2 prod-3"),
        ("apply -e prod -y -a ", "api web"),
        ("status --environment ", "dev prod"),
        ("status ", "api web"),
        ("status -e dev w", "web"),
        ("explain ", "api web"),
        ("explain web ", "dev-1 prod-1 prod-2 prod-3"),
        ("remove ", "app cluster environment"),
        ("remove cluster d", "dev-1"),
        ("remove environment ", "dev prod"),
        ("add environment qa --after ", "dev prod"),
        ("add app x --depends-on ", "api web"),
        ("-f nowhere.yaml plan -c ", ""),
        ("plan --file nowhere.yaml -c ", ""),
        ("plan --file=nowhere.yaml -c ", ""),
        ("plan ", None),
        ("plan -", None),
        ("plan -o ", None),
        ("sandbox up --cluster ", None),
        ("", None),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_offered(line: str, found: str | None) -> None:
    *args, incomplete = line.split(" ")
    expected = None if found is None else found.split()
    assert candidates(args, incomplete) == expected


@pytest.mark.parametrize(
    ("shell", "answer"), [("bash", "plain,api\nplain,web\n"), ("zsh", "plain\napi\n_\nplain\nweb\n_\n")]
)
def test_the_shells_protocol(here: Path, shell: str, answer: str) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from fleetmgr.cli.main import main; main()"],
        cwd=here,
        env={"_FLEET_COMPLETE": f"{shell}_complete", "COMP_WORDS": "fleet plan -a ", "COMP_CWORD": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == answer
    for heavy in ("pydantic", "urllib3", "ruamel", "rich", "fleetmgr.spec", "fleetmgr.operations"):
        assert f"| {heavy}" not in run.stderr.replace("|   ", "| "), heavy


def test_a_broken_fleet_offers_what_comes_before_the_break_and_no_error(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("apps:\n  - name: a\n  - name: [b\nclusters: }")
    assert names_of(file, "apps") == ["a"]
    file.write_text("[" * 100_000)
    assert names_of(file, "apps") == []
    file.write_bytes(b"\xff\xfe\x00")
    assert names_of(file, "apps") == []
    assert names_of(tmp_path, "apps") == []


@given(st.text(alphabet="apsnme: -[]{}&*\n'\"", max_size=60))
def test_no_text_is_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(f"apps:\n{text}")
    names_of(file, "apps")
