"""The engine's events -> Steps: one a resource, whatever pieces Pulumi tells it in.

A replacement is told as create-replacement, replace and delete-replaced; a refresh, the stack, its provider and its
components are told like resources and are none to us. Values that events hold are never kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from pulumi.automation import (
    DiagnosticEvent,
    EngineEvent,
    OpType,
    StepEventMetadata,
    SummaryEvent,
)

from fleetmgr.adapters.pulumi.deployment import Held
from fleetmgr.adapters.pulumi.failures import of_step
from fleetmgr.adapters.pulumi.masking import Mask
from fleetmgr.adapters.pulumi.urns import parsed
from fleetmgr.errors import Problem, Where
from fleetmgr.ports.pulumi import Step, StepOp

_OPS: Mapping[OpType, StepOp] = {
    OpType.SAME: StepOp.SAME,
    OpType.CREATE: StepOp.CREATE,
    OpType.UPDATE: StepOp.UPDATE,
    OpType.DELETE: StepOp.DELETE,
    OpType.REPLACE: StepOp.REPLACE,
    OpType.CREATE_REPLACEMENT: StepOp.REPLACE,
    OpType.DELETE_REPLACED: StepOp.REPLACE,
    OpType.DISCARD_REPLACED: StepOp.REPLACE,
    OpType.DISCARD: StepOp.FORGET,
    OpType.IMPORT: StepOp.IMPORT,
    OpType.IMPORT_REPLACEMENT: StepOp.IMPORT,
}
_COUNTED = (OpType.CREATE, OpType.UPDATE, OpType.DELETE, OpType.REPLACE)
_NOISE = ("from $PATH", "pending operations from previous deployment", "A new version of Pulumi")


class Recorder:
    """Takes the events of one run, from threads of the SDK."""

    def __init__(
        self,
        *,
        cluster: str,
        held: Held,
        mask: Mask,
        targets: Collection[str] | None,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        """``targets`` are the URNs that may be told; None is all."""
        self._cluster = cluster
        self._held = held
        self._mask = mask
        self._targets = targets
        self._on_step = on_step
        self._lock = threading.Lock()
        self._ops: dict[str, StepOp] = {}
        self._fields: dict[str, tuple[str, ...]] = {}
        self._messages: dict[str, list[str]] = {}
        self._failed: set[str] = set()
        self._done: set[str] = set()
        self._seen: set[str] = set()
        self._told: set[str] = set()
        self._counted: dict[OpType, int] = {}
        self._summary: SummaryEvent | None = None
        self._warnings: dict[str, None] = {}
        self.errors: list[str] = []
        """Errors that are of no resource, unmasked."""

    def take(self, event: EngineEvent) -> None:
        """Any event."""
        with self._lock:
            finished = self._take(event)
        if finished is not None and self._on_step is not None:
            self._on_step(finished)

    def _take(self, event: EngineEvent) -> Step | None:
        if event.diagnostic_event:
            self._diagnostic(event.diagnostic_event)
        elif event.resource_pre_event:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            return self._end(event.res_outputs_event.metadata, failed=False)
        elif event.res_op_failed_event:
            return self._end(event.res_op_failed_event.metadata, failed=True)
        elif event.summary_event:
            self._summary = event.summary_event
        return None

    def _begin(self, metadata: StepEventMetadata) -> None:
        if metadata.logical:
            self._counted[metadata.op] = self._counted.get(metadata.op, 0) + 1
        op = _OPS.get(metadata.op)
        if op is None or not self._told_of(metadata.urn):
            return
        # The parts of a replacement come in any order, and a create or delete of the same URN belongs to it.
        if self._ops.get(metadata.urn) is not StepOp.REPLACE:
            self._ops[metadata.urn] = op
        fields = tuple(metadata.detailed_diff or metadata.diffs or ())
        if fields:
            self._fields[metadata.urn] = tuple(sorted(fields))

    def _end(self, metadata: StepEventMetadata, *, failed: bool) -> Step | None:
        urn = metadata.urn
        if metadata.op in _OPS and not failed:
            self._seen.add(urn)
        if metadata.op not in _OPS or urn not in self._ops:
            return None
        if failed:
            self._failed.add(urn)
        elif self._ops[urn] is StepOp.REPLACE and metadata.op is not OpType.CREATE_REPLACEMENT:
            return None
        else:
            self._done.add(urn)
        if urn in self._told:
            return None
        self._told.add(urn)
        return self._step(urn)

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        urn = event.urn or ""
        parts = parsed(urn)
        about = parts is not None and parts.ours
        if event.severity == "error":
            if about:
                self._messages.setdefault(urn, []).append(event.message)
            else:
                self.errors.append(event.message)
        elif event.severity == "warning" and not any(noise in event.message for noise in _NOISE):
            text = self._mask.text(event.message, secret=parts is not None and parts.secret)
            prefix = f"{parts.object}: " if parts is not None and parts.ours else ""
            self._warnings[f"{prefix}{text.removeprefix('warning: ')}"] = None

    def _told_of(self, urn: str) -> bool:
        parts = parsed(urn)
        return parts is not None and parts.ours and (self._targets is None or urn in self._targets)

    def steps(self) -> tuple[Step, ...]:
        """Every resource that was looked at, in the order in which Pulumi began with them; those that fail before
        their step is known come last."""
        with self._lock:
            unknown = [urn for urn in self._messages if urn not in self._ops]
            for urn in unknown:
                self._ops[urn] = StepOp.UPDATE if urn in self._held.urns else StepOp.CREATE
            return tuple(self._step(urn) for urn in self._ops)

    def ended(self) -> frozenset[str]:
        """URNs whose step is done, components included: the state holds them now, if they were not deleted."""
        with self._lock:
            return frozenset(self._seen)

    def wrote(self) -> bool:
        """Whether any resource was changed, or failed to be."""
        with self._lock:
            return bool(self._failed) or any(self._ops[urn] is not StepOp.SAME for urn in self._done)

    def warnings(self) -> tuple[str, ...]:
        """Pulumi's own, masked, each once; and that events were lost, if they were."""
        with self._lock:
            return (*self._warnings, *self._lost())

    def _lost(self) -> tuple[str, ...]:
        """An event that cannot be read is lost without a word, so what came is held against Pulumi's own count."""
        if self._summary is None:
            return ()
        told: Mapping[OpType, int] = self._summary.resource_changes or {}
        missing = sum(max(0, told.get(op, 0) - self._counted.get(op, 0)) for op in _COUNTED)
        return (f"{missing} changes of the Pulumi run could not be read from its events",) if missing else ()

    def _step(self, urn: str) -> Step:
        op = self._ops[urn]
        if op is StepOp.DELETE and self._stays(urn):
            op = StepOp.FORGET
        return Step(urn=urn, op=op, fields=self._fields.get(urn, ()), problem=self._problem(urn))

    def _stays(self, urn: str) -> bool:
        """Whether Pulumi only forgets it: the object is retained, or goes with another one that is deleted too."""
        other = self._held.goes_with.get(urn)
        return urn in self._held.retained or (other is not None and self._ops.get(other) is StepOp.DELETE)

    def _problem(self, urn: str) -> Problem | None:
        messages = self._messages.get(urn, ())
        if not messages and urn not in self._failed:
            return None
        parts = parsed(urn)
        where = Where(cluster=self._cluster, object=parts.object if parts else urn)
        secret = parts is not None and parts.secret
        text = "; ".join(self._mask.text(m.removeprefix("Preview failed: "), secret=secret) for m in messages)
        return of_step(text or "Pulumi says that it failed, and not why", where)
