"""The adapter of the Pulumi CLI, on a stand-in that speaks the CLI's protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fleetmgr.adapters.pulumi.settings import WayIn
from fleetmgr.errors import ExitCode
from fleetmgr.ports.pulumi_errors import (
    CannotDo,
    CliMissing,
    CliTooOld,
    ForeignState,
    PluginMissing,
    StackLocked,
    exit_code_of,
)
from tests.adapters.pulumi.stubbed import (
    World,
    config_maps,
    ops,
    preview,
    request,
    resource,
    stack_of,
    up,
    urn,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_from_nothing_to_everything_and_back(world: World) -> None:
    stack = world.stack()
    assert not stack.state().exists
    assert ops(preview(stack, request(config_maps(a="1", b="1")))) == {"web/a": "create", "web/b": "create"}
    assert not stack.state().exists, "a preview makes no stack"
    assert ops(up(stack, request(config_maps(a="1", b="1")))) == {"web/a": "create", "web/b": "create"}
    assert {r.id for r in stack.state().resources} == {"web/a", "web/b"}, "in the order in which they came in"
    changed = request(config_maps(a="2"))
    expected = {"web/a": "update", "web/b": "delete"}
    assert ops(preview(stack, changed)) == expected
    outcome = up(stack, changed)
    assert ops(outcome) == expected
    assert outcome.steps[0].fields == ("data",)
    assert ops(preview(stack, changed)) == {"web/a": "same"}
    assert [r.name for r in stack.state().resources] == ["web/a"]


def test_one_process_for_an_update_of_a_known_stack(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    before = len(world.calls())
    up(stack, request(config_maps(a="2")))
    preview(stack, request(config_maps(a="3")))
    assert [call["args"][0] for call in world.calls()[before:]] == ["up", "preview"]


def test_every_run_reads_live_objects_first_and_shows_no_secrets(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    preview(stack, request(config_maps(a="2")))
    runs = [*world.calls("up"), *world.calls("preview")]
    assert all("--refresh" in call["args"] for call in runs)
    assert not any("--show-secrets" in call["args"] for call in world.calls())


def test_only_what_is_needed_of_the_environment_goes_to_the_cli(world: World) -> None:
    up(world.stack(), request(config_maps(a="1")))
    (call,) = world.calls("up")
    assert {"AWS_REGION", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL", "HOME"} <= set(call["env"])
    assert not {"PULUMI_PARALLEL", "MY_OWN"} & set(call["env"])
    assert call["cwd"] == str(world.folder / "work" / "shop" / "dev-1")


def test_only_targets_are_changed(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1", b="1")))
    outcome = up(stack, request(config_maps(a="2", b="2", c="1"), "web/a", "web/c"))
    assert ops(outcome) == {"web/a": "update", "web/c": "create"}
    assert ops(preview(stack, request(config_maps(a="2", b="2", c="1")))) == {
        "web/a": "same",
        "web/b": "update",
        "web/c": "same",
    }


def test_a_target_that_is_not_wanted_is_deleted_and_others_stay(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1", b="1", c="1")))
    assert ops(up(stack, request(config_maps(a="1"), "web/b"))) == {"web/b": "delete"}
    assert {r.name for r in stack.state().resources} == {"web/a", "web/c"}


def test_new_targets_are_patterns_because_a_refresh_knows_them_not(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    up(stack, request(config_maps(a="1", b="1"), "web/b"))
    args = world.calls("up")[-1]["args"]
    targets = [args[i + 1] for i, arg in enumerate(args) if arg == "--target"]
    assert targets == [urn("web/b").replace("urn:pulumi:", "urn:pulumi:*")]


def test_what_waits_to_be_deleted_stays_out_of_a_run_that_is_not_about_it(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1", b="1")))
    outcome = up(stack, request(config_maps(a="2", c="1", d="1"), "web/a", "web/c"))
    assert ops(outcome) == {"web/a": "update", "web/c": "create"}
    args = world.calls("up")[-1]["args"]
    assert "--target" not in args, "a component among the targets would make its children targets of deletion"
    excluded = [args[i + 1] for i, arg in enumerate(args) if arg == "--exclude"]
    assert excluded == [urn(name).replace("urn:pulumi:", "urn:pulumi:*") for name in ("web/b", "web/d")]
    assert {r.name for r in stack.state().resources} == {"web/a", "web/b", "web/c"}


def test_a_delete_that_pulumi_leaves_out_because_others_depend_on_it_is_told(world: World) -> None:
    world.behave(keep="web/b")
    stack = world.stack()
    up(stack, request(config_maps(a="1", b="1", c="1")))
    (step,) = up(stack, request(config_maps(a="1"), "web/b")).steps
    assert step.op.value == "delete"
    assert "something that stays depends on it" in str(step.problem)


def test_a_name_that_would_be_a_pattern_is_refused(world: World) -> None:
    stack = stack_of(resource("ConfigMap", "web/*"))
    with pytest.raises(CannotDo, match="for a pattern"):
        preview(world.stack(), request(stack, "web/*"))


def test_the_parts_of_a_replacement_are_one_step(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    outcome = up(stack, request(config_maps(a="1"), "web/a", replacing=(urn("web/a"),)))
    assert ops(outcome) == {"web/a": "replace"}


def test_a_failed_step_names_its_object_and_what_the_provider_says(world: World) -> None:
    world.behave(fail={"web/b": "admission webhook said no"})
    stack = world.stack()
    outcome = up(stack, request(config_maps(a="1", b="1")))
    problem = next(step.problem for step in outcome.steps if step.urn == urn("web/b"))
    assert problem is not None
    assert str(problem) == "dev-1 / v1/ConfigMap/web/b: admission webhook said no"
    assert outcome.failure is not None
    assert exit_code_of(outcome.failure) is ExitCode.FAILED
    previewed = preview(stack, request(config_maps(a="1", b="1")))
    assert [str(step.problem) for step in previewed.steps if step.problem] == [str(problem)]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("configured Kubernetes cluster is unreachable: dial tcp: connection refused", ExitCode.PARTIAL),
        ('configmaps "b" is forbidden: User "x" cannot patch resource', ExitCode.AUTH),
    ],
)
def test_a_cluster_that_does_not_answer_or_denies_has_its_exit_code(
    world: World, said: str, code: ExitCode
) -> None:
    world.behave(fail={"web/b": said})
    failure = up(world.stack(), request(config_maps(b="1"))).failure
    assert failure is not None
    assert exit_code_of(failure) is code


def test_secrets_are_in_nothing_that_is_told(world: World) -> None:
    said = 'Invalid value: "c2VzYW1lLW9wZW4=": sesame-open is no password; open sesame'
    world.behave(fail={"web/s": said}, warnings=["sesame-open", "open sesame", "<{%reset%}>mind the gap"])
    secret = resource("Secret", "web/s", data={"password": "c2VzYW1lLW9wZW4="})
    outcome = up(world.stack(), request(stack_of(secret)))
    assert not any(secret in repr(outcome) for secret in ("c2VzYW1l", "sesame-open", "open sesame"))
    assert "mind the gap" in outcome.warnings


def test_what_everybody_gets_told_is_no_warning(world: World) -> None:
    world.behave(warnings=["using pulumi-resource-kubernetes from $PATH at /x"])
    assert up(world.stack(), request(config_maps(a="1"))).warnings == ()


def test_a_stop_finishes_what_is_being_written(world: World) -> None:
    world.behave(hang="web/b")
    stack = world.stack()
    outcome = up(stack, request(config_maps(a="1", b="1", c="1")), world.hanging)
    assert outcome.failure is not None
    assert outcome.failure.code == "FLT-9022"
    done = {r.name for r in stack.state().resources}
    assert "web/b" in done


def test_a_run_that_takes_too_long_is_stopped(world: World) -> None:
    world.behave(hang="web/a")
    outcome = up(world.stack(), request(config_maps(a="1"), seconds=1.0))
    assert outcome.failure is not None
    assert exit_code_of(outcome.failure) is ExitCode.TIMEOUT


@pytest.mark.filterwarnings("ignore:Failed to parse engine event")
def test_events_that_cannot_be_read_are_counted(world: World) -> None:
    world.behave(garbage="web/b")
    outcome = up(world.stack(), request(config_maps(a="1", b="1")))
    assert ops(outcome) == {"web/a": "create"}
    assert outcome.failure is None
    assert outcome.warnings == ("1 changes of the Pulumi run could not be read from its events",)


def test_forgetting_leaves_objects_and_clears_what_refers_to_them(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1", b="1", c="1")))
    document = world.document()
    a, b = (
        next(r for r in document["deployment"]["resources"] if r["urn"] == urn(n)) for n in ("web/a", "web/b")
    )
    a["protect"] = True
    b |= {"dependencies": [a["urn"]], "propertyDependencies": {"data": [a["urn"]]}, "deletedWith": a["urn"]}
    world.write(document)
    stack.forget((urn("web/a"), urn("web/c"), urn("web/unknown")))
    (kept,) = (r for r in world.document()["deployment"]["resources"] if "ConfigMap" in r["urn"])
    assert kept["urn"] == urn("web/b")
    assert (kept["dependencies"], kept["propertyDependencies"], kept.get("deletedWith")) == (
        [],
        {"data": []},
        None,
    )
    assert len(world.calls("stack", "import")) == 1


def test_a_stack_is_removed_once_it_holds_nothing(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    with pytest.raises(CannotDo, match="still holds 1 resources"):
        stack.remove()
    stack.forget((urn("web/a"),))
    stack.remove()
    assert not stack.state().exists
    stack.remove()


def test_what_a_killed_run_left_open_is_known_and_cleared_by_the_next(world: World) -> None:
    world.behave(die="web/b")
    stack = world.stack()
    run = f"from tests.adapters.pulumi import stubbed; stubbed.killed({str(world.folder)!r}, a='1', b='1')"
    assert (
        subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, check=False).returncode
        == 9
    )
    assert stack.state().pending == (urn("web/b"),)
    world.behave()
    outcome = up(stack, request(config_maps(a="1", b="1")))
    assert outcome.failure is None, "the lock of our own dead process is lifted"
    assert len(world.calls("cancel")) == 1
    assert stack.state().pending == ()


@pytest.mark.parametrize("host", [os.uname().nodename, "elsewhere"])
def test_a_kill_before_the_run_could_be_named_leaves_no_lock_either(world: World, host: str) -> None:
    world.behave(die="web/b")
    run = f"from tests.adapters.pulumi import stubbed; stubbed.killed({str(world.folder)!r}, a='1', b='1')"
    subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, check=False)
    (world.folder / "work" / "shop" / "dev-1" / "running").write_text("0")
    (lock,) = world.folder.rglob("*.lock")
    held = json.loads(lock.read_text())
    lock.write_text(json.dumps({**held, "who": f"me@{host}"}))
    world.behave()
    if host == "elsewhere":
        with pytest.raises(StackLocked):
            up(world.stack(), request(config_maps(a="1", b="1")))
    else:
        assert up(world.stack(), request(config_maps(a="1", b="1"))).failure is None


def test_a_way_in_of_its_own_is_a_private_file_for_the_run_alone(world: World) -> None:
    world.way = WayIn(document="secret: token", context="fleetmgr")
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    resources = world.document()["deployment"]["resources"]
    (provider,) = (r for r in resources if r["type"] == "pulumi:providers:kubernetes")
    assert provider["inputs"]["context"] == "fleetmgr"
    assert "kubeconfig" not in provider["inputs"]
    (call,) = world.calls("up")
    assert call["kubeconfig"] == {"mode": "0o100600", "text": "secret: token"}
    work = world.folder / "work" / "shop" / "dev-1"
    assert not list(work.glob("kubeconfig*"))
    assert work.stat().st_mode & 0o777 == 0o700
    assert "token" not in str(world.document())


def test_a_state_that_knows_another_way_in_is_read_by_ours(world: World) -> None:
    stack = world.stack()
    up(stack, request(config_maps(a="1")))
    document = world.document()
    (provider,) = (
        r for r in document["deployment"]["resources"] if r["type"] == "pulumi:providers:kubernetes"
    )
    provider["inputs"] |= {"kubeconfig": "/home/somebody/else", "context": "gone"}
    world.write(document)
    assert ops(preview(world.stack(), request(config_maps(a="1")))) == {"web/a": "same"}
    assert world.document() == document, "a preview writes no state"
    assert len(world.calls("stack", "import")) == 1, "it is made aside"
    up(world.stack(), request(config_maps(a="1")))
    (provider,) = (
        r for r in world.document()["deployment"]["resources"] if r["type"] == "pulumi:providers:kubernetes"
    )
    assert provider["inputs"]["context"] == "sandbox-1"
    assert "kubeconfig" not in provider["inputs"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("::shop::", "::other::", "belongs to the project `other`"),
        ('"clusterIdentifier": "dev-1"', '"clusterIdentifier": "dev-9"', "`dev-9`"),
    ],
)
def test_the_state_of_another_fleet_or_cluster_is_refused(
    world: World, old: str, new: str, message: str
) -> None:
    up(world.stack(), request(config_maps(a="1")))
    file = next(world.state.glob("*.json"))
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ForeignState, match=message):
        preview(world.stack(), request(config_maps(a="1")))


def test_no_cli_names_what_to_do(world: World) -> None:
    world.environment["PATH"] = "/nowhere"
    with pytest.raises(CliMissing, match="no `pulumi` on PATH") as raised:
        world.stack()
    assert "--install pulumi" in (raised.value.hint or "")
    assert "--engine embedded" in (raised.value.hint or "")


def test_a_cli_of_the_users_own_pulumi_home_is_found(world: World) -> None:
    own = world.home / ".pulumi" / "bin"
    own.mkdir(parents=True)
    (world.bin / "pulumi").rename(own / "pulumi")
    assert not world.stack().state().exists


def test_an_old_cli_is_refused(world: World) -> None:
    world.behave(version="v3.187.9")
    with pytest.raises(CliTooOld, match=r"is Pulumi 3\.187\.9, and the Pulumi engine needs 3\.188\.0"):
        world.stack()


def test_the_plugin_is_installed_once_before_any_stack(world: World) -> None:
    engine = world.engine()
    threads = [threading.Thread(target=engine.stack, args=(f"dev-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.calls("plugin", "install")) == 1
    assert len(world.calls("version")) == 1


def test_a_plugin_that_cannot_be_had_is_named_with_its_version(world: World) -> None:
    world.behave(pluginless=True)
    with pytest.raises(
        PluginMissing, match=r"provider v4\.\d+\.\d+ is not there and cannot be installed"
    ) as raised:
        world.stack()
    assert "pulumi plugin install resource kubernetes" in (raised.value.hint or "")


def test_a_provider_on_the_path_will_do(world: World) -> None:
    world.behave(pluginless=True)
    provider = world.bin / "pulumi-resource-kubernetes"
    provider.write_text("#!/bin/sh\n")
    provider.chmod(0o755)
    world.stack()
