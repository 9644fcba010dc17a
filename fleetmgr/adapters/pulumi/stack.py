"""One cluster entry's stack behind ports.pulumi.PulumiStack.

What the backend holds is read once and then followed, because three things hang on it: whether the state is this
fleet's and this cluster's, which targets a refresh knows, and what a killed run left open.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError

from fleetmgr.adapters.pulumi import deployment, failures
from fleetmgr.adapters.pulumi.automation import close_left_open, quiet_log, quiet_stack
from fleetmgr.adapters.pulumi.cli import Cli
from fleetmgr.adapters.pulumi.collector import paused
from fleetmgr.adapters.pulumi.command import UNBOUNDED, Bounds, Command
from fleetmgr.adapters.pulumi.deployment import Held
from fleetmgr.adapters.pulumi.environment import settled
from fleetmgr.adapters.pulumi.events import Recorder
from fleetmgr.adapters.pulumi.failures import LockHolder
from fleetmgr.adapters.pulumi.masking import Mask
from fleetmgr.adapters.pulumi.program import Selection, register
from fleetmgr.adapters.pulumi.repairing import repaired
from fleetmgr.adapters.pulumi.settings import StackSettings
from fleetmgr.adapters.pulumi.targeting import left_out, selected
from fleetmgr.adapters.pulumi.workfolder import UNNAMED, WorkFolder, died_here
from fleetmgr.errors import Problem, Where
from fleetmgr.ports.pulumi import Outcome, Request, StackState, Step, StepOp
from fleetmgr.ports.pulumi_errors import CannotDo, PulumiError, RunStopped, RunTimedOut
from fleetmgr.ports.stop import Stop

_T = TypeVar("_T")
_GONE = (StepOp.DELETE, StepOp.FORGET)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the stacks of an engine share. ``place`` is held while a process runs, so that only so many do."""

    cli: Cli
    environment: Mapping[str, str]
    monotonic: Callable[[], float]
    place: AbstractContextManager[object]


class CliStack:
    """Implements PulumiStack; one operation at a time."""

    def __init__(self, settings: StackSettings, folder: WorkFolder, around: Surroundings) -> None:
        """Asks nothing yet."""
        self._settings = settings
        self._folder = folder
        self._around = around
        self._environment = settled(around.environment, backend=settings.backend)
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._where = Where(cluster=settings.cluster)

    def state(self) -> StackState:
        """As the port; reads anew."""
        with self._lock:
            return self._read().state()

    def deployment(self) -> bytes:
        """As the port."""
        with self._lock:
            return self._exported()

    def preview(self, request: Request, *, stop: Stop) -> Outcome:
        """As the port. A stack that does not exist is previewed in an empty backend that is gone afterwards; so is one
        whose state knows another way in, since its objects are read by the way of the state."""
        with self._lock:
            held = self._known()
            if not held.exists:
                environment = {**self._environment, "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(8)}
                environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
                with self._aside(environment) as there:
                    return self._run(request, held, stop, there)[0]
            if self._same_way(held):
                return self._run(request, held, stop, self._here())[0]
            exported = deployment.by_way(self._exported(), self._settings.way.context)
            with self._aside(self._environment) as there:
                self._replace_state(exported, there)
                return self._run(request, held, stop, there)[0]

    def up(self, request: Request, *, stop: Stop, on_step: Callable[[Step], None]) -> Outcome:
        """As the port."""
        with self._lock:
            held = self._known()
            if not held.exists:
                self._init()
            elif held.pending or not self._same_way(held):
                exported = deployment.without_pending(self._exported())
                self._replace_state(deployment.by_way(exported, self._settings.way.context))
            # Whatever becomes of the run, what was known of the state is old.
            self._held = None
            outcome, ended = self._run(request, held, stop, self._here(), on_step=on_step)
            if outcome.failure is None:
                self._held = _followed(held, outcome, ended)
            return outcome

    def forget(self, urns: tuple[str, ...]) -> None:
        """As the port: one export and one import however many; protected ones too, since their objects stay."""
        with self._lock:
            held = self._read()
            gone = frozenset(urns) & held.urns
            if gone:
                self._replace_state(deployment.without(self._exported(), gone))
                self._held = None

    def remove(self) -> None:
        """As the port; a stack that is not there is removed."""
        with self._lock:
            held = self._read()
            if not held.exists:
                return
            if held.resources:
                raise CannotDo(
                    f"the stack {self._settings.cluster} still holds {len(held.resources)} resources",
                    where=self._where,
                    hint="destroy or forget them first",
                )
            # What is left are the provider and components, which the CLI counts as resources.
            self._ask(["stack", "rm", self._settings.name, "--force", "--yes"])
            self._held = None

    def _here(self) -> _Place:
        return _Place(name=self._settings.name, folder=self._folder.path, command=self._command())

    def _command(self, environment: Mapping[str, str] | None = None) -> Command:
        self._folder.prepare()
        return Command(
            self._around.cli,
            environment or self._environment,
            self._around.monotonic,
            on_start=self._folder.started,
            on_end=self._folder.ended,
        )

    def _known(self) -> Held:
        held = self._held if self._held is not None else self._read()
        held.check(fleet=self._settings.fleet, cluster=self._settings.cluster)
        return held

    def _read(self) -> Held:
        try:
            held = deployment.read(self._exported())
        except _NoStack:
            held = Held(exists=False)
        if held.sealed or not held.exists:
            self._folder.drop_settings()
        self._held = held
        return held

    def _exported(self) -> bytes:
        """Secrets in it stay encrypted: the SDK's own export shows them."""
        arguments = ["stack", "export", "--stack", self._settings.name]
        try:
            return self._ask(arguments).encode()
        except PulumiError:
            settings = self._settings
            if not repaired(settings.backend, project=settings.fleet, stack=settings.cluster):
                raise
        return self._ask(arguments).encode()

    def _init(self) -> None:
        arguments = ["stack", "init", self._settings.name, "--no-select"]
        if self._settings.secrets_provider:
            arguments += ["--secrets-provider", self._settings.secrets_provider]
        self._ask(arguments)

    def _same_way(self, held: Held) -> bool:
        return held.way in {None, (None, self._settings.way.context)}

    @contextmanager
    def _aside(self, environment: Mapping[str, str]) -> Generator[_Place]:
        """A stack of its own, which is gone afterwards."""
        name = f"organization/{self._settings.fleet}/{self._settings.cluster}"
        with self._folder.scratch() as scratch:
            command = self._command({**environment, "PULUMI_BACKEND_URL": scratch.backend})
            there = _Place(name=name, folder=scratch.path, command=command)
            self._ask(["stack", "init", name, "--no-select"], there)
            yield there

    def _replace_state(self, exported: bytes, place: _Place | None = None) -> None:
        place = place or self._here()
        with self._folder.draft(exported) as path:
            self._ask(["stack", "import", "--stack", place.name, "--file", str(path)], place)

    def _ask(self, arguments: list[str], place: _Place | None = None) -> str:
        """What the CLI answers on standard output. Raises PulumiError, _NoStack."""
        place = place or self._here()
        asked = place.command
        try:
            with self._around.place, asked.bounded(UNBOUNDED):
                return self._freed(asked, lambda: asked.run(arguments, str(place.folder), {}).stdout)
        except StackNotFoundError:
            raise _NoStack from None
        except CommandError:
            said = self._said(asked.said, Mask(environment=self._around.environment))
            raise failures.refused(said) or self._failed(said, arguments) from None

    def _failed(self, said: failures.Said, arguments: list[str]) -> PulumiError:
        what = " ".join(arguments[:2])
        return PulumiError(f"`pulumi {what}` failed: {said.told()}", where=self._where)

    def _said(self, text: str, mask: Mask) -> failures.Said:
        settings = self._settings
        return failures.Said(text=text, cluster=settings.cluster, backend=settings.backend, mask=mask)

    def _run(
        self,
        request: Request,
        held: Held,
        stop: Stop,
        place: _Place,
        *,
        on_step: Callable[[Step], None] | None = None,
    ) -> tuple[Outcome, frozenset[str]]:
        """A preview, or an update where ``on_step`` is given; with the URNs whose step ended."""
        run = _Run(self._settings, self._folder, request, held)
        command = place.command
        seconds = request.seconds if request.seconds is not None else self._settings.seconds
        mask = Mask(request.stack.resources, self._around.environment)
        recorder = run.recorder(mask, on_step)
        try:
            with self._around.place, command.bounded(Bounds(stop=stop, seconds=seconds)):
                self._freed(command, lambda: run.perform(place, recorder, write=on_step is not None))
        except _NoStack:
            raise PulumiError(
                f"the stack {self._settings.cluster} was removed meanwhile", where=self._where
            ) from None
        except CommandError:
            failure = self._failure(command, recorder, mask)
        else:
            failure = None
        steps = recorder.steps()
        if failure is None:
            steps += left_out(request, held, steps)
        return Outcome(steps=steps, failure=failure, warnings=recorder.warnings()), recorder.ended()

    def _freed(self, command: Command, perform: Callable[[], _T]) -> _T:
        """``perform``, once more where only a run of ours that was killed on this machine holds the lock."""
        left = self._folder.left_behind()
        try:
            return perform()
        except ConcurrentUpdateError:
            if not _left_by(failures.lock_holder(command.said), left):
                raise
        command.run(["cancel", "--yes", "--stack", self._settings.name], str(self._folder.path), {})
        return perform()

    def _failure(self, command: Command, recorder: Recorder, mask: Mask) -> Problem:
        cluster = self._settings.cluster
        if command.stopped:
            message = f"the Pulumi run on {cluster} was stopped; what was being written was finished"
            return Problem(message=message, where=self._where, code=RunStopped.code)
        if command.timed_out:
            message = f"the Pulumi run on {cluster} took too long and was stopped"
            hint = "raise `engine.timeout`; the next apply goes on where this one ended"
            return Problem(message=message, where=self._where, hint=hint, code=RunTimedOut.code)
        said = self._said("\n".join([*(f"error: {e}" for e in recorder.errors), command.said]), mask)
        refusal = failures.refused(said)
        if refusal is not None and not recorder.wrote():
            raise refusal
        problems = [step.problem for step in recorder.steps() if step.problem is not None]
        if not problems:
            return failures.of_run(said)
        message = f"{len(problems)} of the resources on {cluster} failed"
        return Problem(message=message, where=self._where, code=problems[0].code)


def _left_by(holder: LockHolder | None, left: int | None) -> bool:
    """Whether the lock is of the run that our folder remembers as killed."""
    if holder is None or left is None:
        return False
    return died_here(holder.host, holder.pid) if left == UNNAMED else holder.pid == left


class _Place(Struct, frozen=True, kw_only=True):
    """A stack's name, where its project file is, and the command that runs there."""

    name: str
    folder: Path
    command: Command


class _Run:
    """One preview or update: its arguments and its program."""

    def __init__(self, settings: StackSettings, folder: WorkFolder, request: Request, held: Held) -> None:
        self._settings = settings
        self._folder = folder
        self._request = request
        self._held = held
        self._selected = selected(request, held)
        self._loop: asyncio.AbstractEventLoop | None = None

    def recorder(self, mask: Mask, on_step: Callable[[Step], None] | None) -> Recorder:
        return Recorder(
            cluster=self._settings.cluster,
            held=self._held,
            mask=mask,
            targets=None if self._request.targets is None else frozenset(self._request.targets),
            on_step=on_step,
        )

    def perform(self, place: _Place, recorder: Recorder, *, write: bool) -> None:
        """Raises CommandError; _NoStack."""
        stack = quiet_stack(place.name, place.folder, place.command)
        # Apps know nothing of each other: what fails holds up what depends on it, and nothing else.
        run = partial(stack.up, continue_on_error=True) if write else stack.preview
        with paused(), self._way(place.command):
            try:
                run(
                    program=self._program,
                    on_event=recorder.take,
                    refresh=True,
                    target=list(self._selected.targets) or None,
                    exclude=list(self._selected.excludes) or None,
                    replace=list(self._request.replacing) or None,
                    parallel=self._settings.parallel,
                    color="never",
                    suppress_outputs=True,
                    suppress_progress=True,
                )
            except StackNotFoundError:
                raise _NoStack from None
            except (
                RuntimeError
            ):  # the SDK, when a preview ended well and its summary was among what it could not read
                return
            finally:
                close_left_open(self._loop)

    @contextmanager
    def _way(self, command: Command) -> Generator[None]:
        way = self._settings.way
        if way.document is not None:
            with self._folder.kubeconfig(way.document) as path, command.setting(KUBECONFIG=str(path)):
                yield
        elif way.kubeconfig is not None:
            with command.setting(KUBECONFIG=way.kubeconfig):
                yield
        else:
            yield

    def _program(self) -> None:
        self._loop = asyncio.get_running_loop()
        quiet_log()
        # Warnings are told by whoever rendered, and hooks are run by whoever performs around this run.
        stack = msgspec.structs.replace(self._request.stack, warnings=(), hooks=())
        register(Selection(stack=stack, context=self._settings.way.context))


class _NoStack(Exception):
    """The backend holds no stack of that name."""


def _followed(held: Held, outcome: Outcome, ended: frozenset[str]) -> Held:
    """What the state holds after a run that ended well, as far as the next run of the same stack must know it."""
    gone = {s.urn for s in outcome.steps if s.op in _GONE}
    return msgspec.structs.replace(held, exists=True, urns=(held.urns | ended) - gone, pending=())
