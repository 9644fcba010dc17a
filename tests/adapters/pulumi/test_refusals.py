"""What Pulumi says when a run cannot begin, as errors with their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.adapters.pulumi.failures import Said, of_run, of_step, refused
from fleetmgr.adapters.pulumi.masking import Mask
from fleetmgr.adapters.pulumi.repairing import repaired
from fleetmgr.errors import ExitCode, Where
from fleetmgr.ports.pulumi_errors import (
    BackendRefused,
    PassphraseMissing,
    PluginMissing,
    PulumiError,
    StackLocked,
)
from tests.adapters.pulumi.stubbed import World, config_maps, preview, request, up

LOCKED = """\
error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock \
file with `pulumi cancel`.
  s3://state/.pulumi/locks/organization/shop/dev-1/8a.json: created by eve@ci-7 (pid 4711) at 2026-11-21T07:00:00Z
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def said(text: str) -> Said:
    return Said(text=text, cluster="dev-1", backend="s3://state?region=x", mask=Mask())


@pytest.mark.parametrize(
    ("text", "error", "code", "told"),
    [
        (LOCKED, StackLocked, ExitCode.LOCKED, "locked by eve@ci-7 (pid 4711) since 2026-11-21T07:00:00Z"),
        (
            "error: [409] Conflict: Another update is currently in progress.",
            StackLocked,
            ExitCode.LOCKED,
            "is locked",
        ),
        (
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
            PassphraseMissing,
            ExitCode.AUTH,
            "none is set",
        ),
        ("error: incorrect passphrase", PassphraseMissing, ExitCode.AUTH, "is wrong"),
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            BackendRefused,
            ExitCode.AUTH,
            "does not accept who we are",
        ),
        (
            "error: could not list bucket: blob (code=PermissionDenied): AccessDenied: x",
            BackendRefused,
            ExitCode.AUTH,
            "does not accept",
        ),
        (
            "error: problem logging in: unable to open bucket s3://state: dial tcp: lookup s3: no such host",
            BackendRefused,
            ExitCode.FAILED,
            "cannot be used",
        ),
        (
            "error: no resource plugin 'pulumi-resource-kubernetes' found in the workspace at version v4.34.2",
            PluginMissing,
            ExitCode.FAILED,
            "cannot be used",
        ),
    ],
)
def test_known_words(text: str, error: type[PulumiError], code: ExitCode, told: str) -> None:
    found = refused(said(text))
    assert isinstance(found, error)
    assert found.exit_code is code
    assert told in found.message
    assert found.hint


def test_other_words_are_told_as_they_are_on_one_line_and_without_credentials() -> None:
    text = "Previewing\nerror: it broke\n  here: postgres://me:secret@db/x\x1b[31m"
    assert refused(said(text)) is None
    assert of_run(said(text)).message == "the Pulumi run on dev-1 failed: it broke here: postgres://db/x"


def test_a_cluster_that_refuses_connections_is_no_backend() -> None:
    text = "error: configured Kubernetes cluster is unreachable: dial tcp 127.0.0.1:1: connection refused"
    assert refused(said(text)) is None
    assert of_run(said(text)).code == "FLT-9020"


@pytest.mark.parametrize(
    ("said", "told", "code"),
    [
        (
            (
                'resource "urn:pulumi:d::f::fleetmgr:index:App$kubernetes:core/v1:ConfigMap::w/a" was not successfully'
                " created by the Kubernetes API server: admission webhook said no"
            ),
            "admission webhook said no",
            "FLT-9023",
        ),
        (
            'Patch "https://127.0.0.1:1/api?force=true": context canceled',
            "cut off by the stop before the cluster answered; the next run looks what became of it",
            "FLT-9022",
        ),
        (
            (
                "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove"
                " this resource from Pulumi state by rerunning with PULUMI_K8S_DELETE_UNREACHABLE"
            ),
            "failed to read resource state due to unreachable cluster",
            "FLT-9020",
        ),
    ],
)
def test_a_step_says_what_matters(said: str, told: str, code: str) -> None:
    problem = of_step(said, Where(cluster="dev-1"))
    assert (problem.message, problem.code) == (told, code)


def test_a_locked_stack_is_neither_changed_nor_unlocked(world: World) -> None:
    world.behave(locked_by={"who": "eve@ci-7", "pid": 4711})
    with pytest.raises(StackLocked, match="eve@ci-7"):
        up(world.stack(), request(config_maps(a="1")))
    assert not world.calls("cancel")


def test_no_passphrase_is_told_before_anything_is_made(world: World) -> None:
    del world.environment["PULUMI_CONFIG_PASSPHRASE"]
    stack = world.stack()
    assert not preview(stack, request(config_maps(a="1"))).failure, (
        "nothing is kept of it, so nothing is encrypted"
    )
    with pytest.raises(PassphraseMissing, match="none is set"):
        up(stack, request(config_maps(a="1")))
    assert not stack.state().exists


def test_a_wrong_passphrase_is_told_and_not_shown(world: World) -> None:
    up(world.stack(), request(config_maps(a="1")))
    world.behave(opened_by="the right one")
    with pytest.raises(PassphraseMissing, match="is wrong") as raised:
        preview(world.stack(), request(config_maps(a="1")))
    assert "open sesame" not in str(raised.value)


def test_a_backend_that_is_not_there_is_told_with_its_url(world: World) -> None:
    world.backend = f"file://{world.folder}/nowhere"
    with pytest.raises(BackendRefused, match="cannot be used: unable to open") as raised:
        world.stack().state()
    assert world.backend in (raised.value.hint or "")


def test_a_broken_answer_is_no_state(world: World) -> None:
    up(world.stack(), request(config_maps(a="1")))
    next(world.state.glob("*.json")).write_text('{"version": 3, "deployment": []}')
    with pytest.raises(PulumiError, match="no deployment"):
        world.stack().state()


def test_what_a_kill_breaks_beside_a_state_file_is_mended(world: World) -> None:
    stacks = world.state / ".pulumi" / "stacks" / "shop"
    stacks.mkdir(parents=True)
    broken, whole = stacks / "dev-1.json.attrs", stacks / "dev-1.json.bak.attrs"
    broken.touch()
    whole.write_text("{}")
    (stacks / "dev-2.json.attrs").touch()
    assert repaired(world.backend, project="shop", stack="dev-1")
    assert [path.name for path in sorted(stacks.iterdir())] == ["dev-1.json.bak.attrs", "dev-2.json.attrs"]
    assert not repaired(world.backend, project="shop", stack="dev-1")
    assert not repaired("s3://state", project="shop", stack="dev-1")
