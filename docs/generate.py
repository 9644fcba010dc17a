"""`python docs/generate.py [--check]`: the reference pages that are made from the code.

With `--check` nothing is written; the exit code is 1 where a page is not what the code says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click

from fleetmgr.cli.main import COMMANDS, fleet
from fleetmgr.reporting.encode import to_json
from fleetmgr.reporting.schema import OUTPUT_KINDS, output_schema
from fleetmgr.spec.app import App, Source
from fleetmgr.spec.fleet import Access, Cluster, Defaults, Environment, Fleet
from fleetmgr.spec.overlay import Overlay, OverlayException, Sync
from fleetmgr.spec.schema import json_schema

REFERENCE = Path(__file__).resolve().parent / "reference"
WIDTH = 100
NOTICE = "<!-- Made by docs/generate.py; do not edit. -->"
ORDER = (
    *(
        "Defaults",
        "Environment",
        "Cluster",
        "Access",
        "Impersonate",
        "App",
        "Placement",
        "Source",
        "RemoteHost",
        "Dependency",
    ),
    *(
        "Namespace",
        "ExcludedObject",
        "IgnoredDifference",
        "Sync",
        "Limits",
        "Retry",
        "Engine",
        "Overlay",
        "OverlayException",
    ),
    *("Rollout", "Wave", "Window"),
    *("KindHealth", "HealthRule"),
    *("Patch", "PatchTarget", "Include"),
)
MODELS = (Defaults, Environment, Cluster, Access, App, Source, Sync, Overlay, OverlayException)
CLI_INTRO = """\
# Command line

`fleet` and `fleetmgr` are the same program. Every command has `--help`; this page is that text.

- The result goes to standard output, everything else to standard error.
- Exit codes are in [exit-codes.md](exit-codes.md), the JSON shapes in [json.md](json.md).
- A selection (`-e`, `-c`, `-a`, `-l`) never prunes or changes what it does not name.
- `fleet completion SHELL` prints the completion script of bash, zsh or fish.

| Command | What it does |
|---|---|
"""
FIELDS_INTRO = """\
# Fields of fleet.yaml

How the fields work together is in [fleet-yaml-rules.md](fleet-yaml-rules.md). The same as JSON Schema:
`fleet schema`, and `fleet schema --kind overlay` for `environments/ENVIRONMENT/APP.yaml`.

The items of `environments`, `clusters` and `apps` may also be `{include: GLOB}`.
A field that this version cannot obey is refused by name (FLT-1005); the last section lists them.
"""


def main() -> None:
    """Write or check all pages."""
    pages = {"cli.md": cli_page(), "fleet-yaml.md": fields_page(), **schemas()}
    if "--check" in sys.argv[1:]:
        stale = [name for name, text in pages.items() if _current(name) != text]
        if stale:
            sys.exit(f"not what the code says: {', '.join(stale)}; run: python docs/generate.py")
        return
    for name, text in pages.items():
        path = REFERENCE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def schemas() -> dict[str, str]:
    """The JSON Schema of every kind of output as a file."""
    return {f"schemas/{name}.v1.json": to_json(output_schema(name)) for name in OUTPUT_KINDS}


def cli_page() -> str:
    """Every command's help, as it is printed 100 columns wide."""
    rows = [f"| `fleet {name}`{_aliases(entry.aliases)} | {entry.help} |" for name, entry in COMMANDS.items()]
    sections = [_help("fleet", fleet)]
    with click.Context(fleet, info_name="fleet") as context:
        for name in COMMANDS:
            command = fleet.get_command(context, name)
            if command is None:
                continue
            sections.append(_help(f"fleet {name}", command))
            if isinstance(command, click.Group):
                sections += [_help(f"fleet {name} {sub}", c) for sub, c in sorted(command.commands.items())]
    return "\n".join([NOTICE, CLI_INTRO + "\n".join(rows), "", *sections])


def _aliases(names: tuple[str, ...]) -> str:
    return "".join(f", `{name}`" for name in names)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def fields_page() -> str:
    """A table a model, from the JSON Schema."""
    schema = json_schema()
    parts = [NOTICE, FIELDS_INTRO, *_section("Fleet", schema)]
    for name in ORDER:
        parts += _section(name, schema["$defs"][name])
    parts += ["## Not yet supported", "", "| Where | Fields |", "|---|---|"]
    models = [(model.__name__, sorted(model.NOT_YET)) for model in (Fleet, *MODELS)]
    parts += [f"| {name} | {_code(fields)} |" for name, fields in models if fields]
    parts += [f"| `source.type` | {_code(sorted(Source.NOT_YET_TYPES))} |", ""]
    return "\n".join(parts)


def _code(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _section(name: str, definition: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{definition['description']}\n" if name != "Fleet" else "Everything in one fleet.yaml.\n"
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    required = set(definition.get("required", ()))
    for field, facts in definition["properties"].items():
        default = "required" if field in required else _default(facts)
        text = facts.get("description", "").replace("|", "\\|")
        yield f"| `{field}` | {_type(facts)} | {default} | {text} |"
    yield ""


def _default(facts: dict[str, Any]) -> str:
    return f"`{json.dumps(facts['default'])}`" if "default" in facts else ""


def _type(facts: dict[str, Any]) -> str:
    if "$ref" in facts:
        name = str(facts["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in facts:
        return " or ".join(_type(option) for option in facts["anyOf"])
    if "const" in facts:
        return f"`{facts['const']}`"
    kind = str(facts.get("type", "any"))
    if kind == "array":
        return f"list of {_type(facts['items'])}"
    if kind == "object":
        values = facts.get("additionalProperties")
        return f"map to {_type(cast('dict[str, Any]', values))}" if isinstance(values, dict) else "map"
    return kind


def _current(name: str) -> str:
    path = REFERENCE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    main()
