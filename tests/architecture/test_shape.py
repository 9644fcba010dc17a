"""The house keeps its shape: module length, charters, names, a docs page for what users meet."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fleetmgr"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FORBIDDEN = {"utils", "helpers", "common", "base", "manager", "misc"}
CODE = re.compile(r'"(FLT-\d{4})"')


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_under_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_a_test_file_is_under_600_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 600


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_why_it_exists(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_named_by_its_content(path: Path) -> None:
    assert not FORBIDDEN & {path.stem, *path.relative_to(PACKAGE).parent.parts}


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=name)
def test_public_functions_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text())
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare


def test_every_error_code_has_a_section_in_the_reference() -> None:
    used = {code for path in MODULES for code in CODE.findall(path.read_text())}
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    missing = sorted(code for code in used if f"## {code}" not in page)
    assert not missing


def test_every_section_of_the_reference_says_what_why_and_what_to_do() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    sections = re.split(r"(?m)^## (FLT-\d{4})\n", page)[1:]
    codes, texts = sections[::2], sections[1::2]
    assert len(codes) == len(set(codes))
    lacking = [
        code
        for code, text in zip(codes, texts, strict=True)
        if not re.search(r"(?s)\n\*\*.+?\*\*.*\n- Why: .+\n- What to do: .+", text)
    ]
    assert not lacking


def test_no_file_names_a_package_registry_or_a_folder_of_some_machine() -> None:
    """Lock files and sources must work behind any mirror and in any checkout."""
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    assert not re.search(r"https?://", lock)
