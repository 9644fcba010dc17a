"""Which hooks an apply runs, and how it knows again what it ran.

A hook runs once for each thing that Git asks for. That is an *attempt*: the digest of what the app's members are to
be. It begins with the first apply that changes them and lasts, over failures and kills, until one has ended well.
What an attempt has run is in the app's record and, for the moment between the two, on the hook's object itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from fleetmgr.engine.inventory import body_digest, key_text
from fleetmgr.engine.record import HookMemory
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.ordering import HELM_HOOK, HOOK, Phase
from fleetmgr.model.resource import Hook

HOOK_ANNOTATION = "fleetmgr.dev/hook"
"""On a hook's object: the phase that it was created for."""
RUN_ANNOTATION = "fleetmgr.dev/hook-run"
"""On a hook's object: attempt, phase and content that it was created for, as one digest."""
REMOVING = "removal"
"""The attempt of an app that leaves."""
IN_A_SYNC = (Phase.PRE_SYNC, Phase.SYNC, Phase.POST_SYNC)


def attempt_of(objects: Mapping[str, str], secrets_in: str) -> str:
    """The name of an attempt: over the digests of the members. Secrets have none; where there are any,
    ``secrets_in`` (the digest of the source that holds them) stands for them."""
    lines = [f"{key} {objects[key]}" for key in sorted(objects)]
    return hashlib.sha256("\n".join([*lines, secrets_in]).encode()).hexdigest()[:16]


def content_of(hook: Hook) -> str:
    """What tells a hook from a changed one; nothing does for a Secret."""
    return "" if is_secret(hook.resource.inputs) else body_digest(hook.resource.inputs)


def run_of(hook: Hook, phase: Phase, attempt: str) -> str:
    """What is written on the object of one run."""
    return hashlib.sha256(f"{attempt} {phase} {content_of(hook)}".encode()).hexdigest()[:16]


def as_run(hook: Hook, phase: Phase, attempt: str) -> JsonObject:
    """The object that runs it."""
    body = hook.resource.inputs
    metadata = object_at(body, "metadata")
    annotations = {
        **object_at(metadata, "annotations"),
        HOOK_ANNOTATION: phase.value,
        RUN_ANNOTATION: run_of(hook, phase, attempt),
    }
    return {**body, "metadata": {**metadata, "annotations": annotations}}


def is_run_of(live: JsonObject, hook: Hook, phase: Phase, attempt: str) -> bool:
    """Whether a live object is this very run: one that was killed left it behind."""
    annotations = object_at(live, "metadata", "annotations")
    return annotations.get(RUN_ANNOTATION) == run_of(hook, phase, attempt)


def somebodys_hook(live: JsonObject) -> bool:
    """Whether an object says of itself that it is a hook: another tool has run it and left it."""
    annotations = object_at(live, "metadata", "annotations")
    return HOOK in annotations or HELM_HOOK in annotations


def ran_key(phase: Phase, key: ObjectKey) -> str:
    """``PreSync Job.batch/shop/migrate``."""
    return f"{phase} {key_text(key)}"


def has_run(memory: HookMemory | None, hook: Hook, phase: Phase, attempt: str) -> bool:
    """Whether this attempt has run exactly this hook to its end."""
    if memory is None or memory.attempt != attempt:
        return False
    return memory.ran.get(ran_key(phase, hook.resource.ref.key)) == content_of(hook)


def is_due(memory: HookMemory | None, attempt: str, *, first: bool, changes: bool) -> bool:
    """Whether hooks run in an apply: of an app that is applied for the ``first`` time, that ``changes`` towards
    something else than the last apply that ended well, or whose attempt has not ended well yet.

    Healing drift is no change: the migration of this revision has run.
    """
    if memory is None:
        return first or changes
    return memory.synced != attempt and (changes or memory.attempt == attempt)


def begun(memory: HookMemory | None, attempt: str, removal: Iterable[Hook]) -> HookMemory:
    """The memory once an attempt has begun; what it ran before it was stopped is kept."""
    before = memory or HookMemory()
    ran: Mapping[str, str] = before.ran if before.attempt == attempt else {}
    return HookMemory(synced=before.synced, attempt=attempt, ran=ran, removal=kept_for_removal(removal))


def ended_well(attempt: str, removal: Iterable[Hook]) -> HookMemory:
    """The memory once an attempt is over."""
    return HookMemory(synced=attempt, removal=kept_for_removal(removal))


def kept_for_removal(hooks: Iterable[Hook]) -> tuple[JsonObject, ...]:
    """Bodies of what runs when the app leaves: Git will no longer hold them then."""
    return tuple(hook.resource.inputs for hook in hooks)
