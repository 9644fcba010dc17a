"""A stand-in for the `pulumi` program that speaks its protocol: what an adapter can see of the CLI, without a cluster.

It answers version, stack init|export|import|rm, plugin install and cancel, and for preview and up serves a resource
monitor, runs the program behind `--client`, keeps the state of a `file://` backend and posts engine events. Inputs are
compared as they are registered; there is no provider behind them.

Its first argument is a folder: `behaviour.json` in it says what goes wrong (BEHAVIOUR), `calls.jsonl` tells what was
asked. The part that needs gRPC is stub_update.py, so that short questions are answered fast.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from pathlib import Path
from typing import Any
from urllib.parse import unquote

HERE = Path(sys.argv[1])
BEHAVIOUR: dict[str, Any] = {
    "version": "v3.260.0",
    "opened_by": None,  # the one that opens secrets; None takes any
    "backend_error": None,  # what every question to the backend ends with
    "run_error": None,  # what preview and up end with before they begin
    "locked_by": None,  # {"who": "user@host", "pid": 1}: until `cancel`
    "fail": {},  # name -> what the provider says
    "hang": None,  # name of the resource in whose step an interrupt is waited for
    "die": None,  # name of the resource in whose step the program is killed, the lock and the operation left
    "garbage": None,  # name of the resource whose events cannot be read
    "keep": None,  # name of the resource that is not deleted, since others depend on it
    "warnings": [],
    "pluginless": False,
    "here": str(HERE),
} | json.loads((HERE / "behaviour.json").read_text() if (HERE / "behaviour.json").exists() else "{}")


def fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(255)


def option(args: list[str], name: str) -> str | None:
    for index, arg in enumerate(args):
        if arg == name:
            return args[index + 1]
        if arg.startswith(f"{name}="):
            return arg.partition("=")[2]
    return None


class Backend:
    """The stacks of a folder, and their locks."""

    def __init__(self) -> None:
        url = os.environ.get("PULUMI_BACKEND_URL", "")
        if BEHAVIOUR["backend_error"]:
            fail(BEHAVIOUR["backend_error"])
        self.folder = Path(unquote(url.removeprefix("file://")))
        if not self.folder.is_dir():
            fail(f"unable to open state store {url}: open {self.folder}: no such file or directory")

    def path(self, name: str) -> Path:
        return self.folder / f"{name.replace('/', '.')}.json"

    def read(self, name: str) -> dict[str, Any]:
        if not self.path(name).exists():
            fail(f"no stack named '{name}' found")
        return json.loads(self.path(name).read_text())

    def write(self, name: str, document: dict[str, Any]) -> None:
        self.path(name).write_text(json.dumps(document))

    def lock(self, name: str) -> Path:
        path = self.folder / f"{name.replace('/', '.')}.lock"
        holder = BEHAVIOUR["locked_by"]
        if holder and not (HERE / "cancelled").exists() and not path.exists():
            path.write_text(json.dumps(holder))
        if path.exists():
            held = json.loads(path.read_text())
            fail(
                "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete"
                f" the lock file with `pulumi cancel`.\n  {path}: created by {held['who']} (pid {held['pid']})"
                " at 2026-11-21T07:00:00Z"
            )
        path.write_text(json.dumps({"who": "me@here", "pid": os.getpid()}))
        return path


def open_secrets() -> None:
    given = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if given is None:
        names = "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
        fail(f"passphrase must be set with {names} environment variables")
    if BEHAVIOUR["opened_by"] not in {None, given} and "scratch" not in os.environ["PULUMI_BACKEND_URL"]:
        fail("getting secrets manager: incorrect passphrase")


def main() -> None:
    args = [arg for arg in sys.argv[2:] if arg != "--non-interactive"]
    with (HERE / "calls.jsonl").open("a") as calls:
        call: dict[str, Any] = {"args": args, "env": sorted(os.environ), "cwd": str(Path.cwd())}
        file = Path(os.environ.get("KUBECONFIG", "/nowhere"))
        if file.exists():
            call["kubeconfig"] = {"mode": oct(file.stat().st_mode), "text": file.read_text()}
        calls.write(json.dumps(call) + "\n")
    match args[:2]:
        case ["version", *_]:
            print(BEHAVIOUR["version"])
        case ["plugin", "install"]:
            plugin(args)
        case ["stack", _]:
            stack(args)
        case ["cancel", *_]:
            (HERE / "cancelled").touch()
            name = option(args, "--stack") or ""
            (Backend().folder / f"{name.replace('/', '.')}.lock").unlink(missing_ok=True)
        case [("preview" | "up"), *_]:
            run(args)
        case _:
            fail(f"unknown command {args}")


def plugin(args: list[str]) -> None:
    if BEHAVIOUR["pluginless"]:
        fail('Get "https://get.pulumi.com/...": dial tcp: lookup get.pulumi.com: no such host')
    (Path(os.environ["PULUMI_HOME"]) / "plugins" / f"{args[2]}-{args[3]}-{args[4]}").mkdir(parents=True)


def stack(args: list[str]) -> None:
    backend = Backend()
    name = option(args, "--stack") or args[2]
    match args[1]:
        case "init":
            open_secrets()
            if backend.path(name).exists():
                fail(f"stack '{name}' already exists")
            backend.write(name, {"version": 3, "deployment": None})
            Path(f"Pulumi.{name.rpartition('/')[2]}.yaml").write_text("encryptionsalt: v1:x\n")
        case "export":
            print(json.dumps(backend.read(name), indent=4))
        case "import":
            backend.read(name)
            open_secrets()
            lock = backend.lock(name)
            document = json.loads(Path(option(args, "--file") or "").read_text())
            document["deployment"].pop("pending_operations", None)
            backend.write(name, document)
            lock.unlink()
        case "rm":
            deployment: dict[str, Any] = backend.read(name)["deployment"] or {}
            if "--force" not in args and deployment.get("resources"):
                fail(f"'{name}' still has resources; removal rejected")
            backend.path(name).unlink()
        case _:
            fail(f"unknown command {args}")


def protocol_alone() -> None:
    """Let the SDK's protocol be imported without the SDK, which takes most of the time that a run takes."""
    folder = next(
        path for entry in sys.path if (path := Path(entry) / "pulumi" / "runtime" / "proto").is_dir()
    )
    for name, path in (("pulumi", folder.parents[1]), ("pulumi.runtime", folder.parent)):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package


def run(args: list[str]) -> None:
    """A preview or an update."""
    backend = Backend()
    name = option(args, "--stack") or ""
    document = backend.read(name)
    open_secrets()
    if BEHAVIOUR["run_error"]:
        fail(BEHAVIOUR["run_error"])
    preview = args[0] == "preview"
    lock = None if preview else backend.lock(name)
    protocol_alone()
    engine = importlib.import_module("stub_update")
    update = engine.Update(args, name, document, BEHAVIOUR, preview=preview)
    code = update.run(dying=lambda: backend.write(name, update.written(dying=True)))
    if not preview:
        backend.write(name, update.written())
    if lock is not None:
        lock.unlink()
    if code:
        print(f"error: {update.error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
