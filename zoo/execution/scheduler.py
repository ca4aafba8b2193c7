"""Runs to results: which training starts when, what happens when one fails, and how a sweep is stopped."""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.execution import failures
from zoo.execution.events import SweepEvents
from zoo.execution.executor import Executor, Job
from zoo.execution.messages import Exited, Failed, Notice, Waiting
from zoo.execution.running import AttemptResult, RunningAttempt
from zoo.host import hardware
from zoo.host.git import git_state
from zoo.plan import origin
from zoo.plan.runs import Plan, Training
from zoo.storage.records import Status
from zoo.storage.states import TrainingState
from zoo.training.events import ProgressUpdate

_log = logging.getLogger(__name__)

_EVENTS_S = 0.2  # how long one wait for messages takes at most


@dataclass(frozen=True)
class Policy:
    """What is done about trainings that fail."""

    retries: int = 2  # attempts after a crash that may end without having got any further
    hang_after_s: float = 900  # a training without a heartbeat for so long is ended; 0: never
    retry_failed: bool = False  # also try what would fail the same way again


@dataclass
class Outcome:
    """How the trainings of a sweep ended. ``failed`` is training -> reason; those ``not_begun`` had no time."""

    done: list[Training] = field(default_factory=list)
    failed: list[tuple[Training, str]] = field(default_factory=list)
    not_begun: list[Training] = field(default_factory=list)
    stopped: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every training that was wanted has its result."""
        return not (self.failed or self.not_begun or self.stopped)


class Interrupt:
    """The first signal requests a stop with checkpoints, the second one ends the program."""

    is_requested = False
    _is_signalled = _ends_block = False

    @contextlib.contextmanager
    def ending_block(self) -> Iterator[None]:
        """Within this block the first signal raises KeyboardInterrupt, too: for what waits long and has nothing to save."""
        self._ends_block = True
        try:
            if self._is_signalled:
                raise KeyboardInterrupt
            yield
        finally:
            self._ends_block = False

    @contextlib.contextmanager
    def caught(self) -> Iterator[Interrupt]:
        """Within this block the first signal is noted instead of ending the program; the second raises KeyboardInterrupt."""
        before = {number: signal.signal(number, self.receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def request(self) -> None:
        """Have the sweep stop as after a first signal."""
        self.is_requested = True

    def receive(self, *_: Any) -> None:
        """A signal has come."""
        ends = self.is_requested or self._ends_block
        self.is_requested = self._is_signalled = True
        if ends:
            raise KeyboardInterrupt


def execute(
    plan: Plan,
    executor: Executor,
    events: SweepEvents,
    *,
    interrupt: Interrupt,
    data_dir: Path | None = None,
    policy: Policy = Policy(),
    expected_s: Mapping[str, float] | None = None,
    may_begin: Callable[[Training], bool] = lambda training: True,
    stages: Iterable[Sequence[Training]] | None = None,
) -> Outcome:
    """Do the trainings that have no result yet; one that fails does not stop the others.

    They are those of the plan, or those of ``stages``: each stage is asked for when the one before has ended, unless that
    was stopped or left something out. A training that diverged would do so again, so it is repeated only with
    ``policy.retry_failed``. ``expected_s`` (training key -> seconds) is recorded beside how long it then took. ``may_begin``
    is asked just before a training starts.
    """
    scheduler = _Scheduler(plan, executor, events, interrupt, policy, data_dir, expected_s or {})
    try:
        scheduler.run(iter([plan.trainings] if stages is None else stages), may_begin)
    finally:
        executor.close()  # for a second Ctrl-C: nothing runs any more otherwise
    order = {training.key: number for number, training in enumerate(plan.trainings)}
    scheduler.outcome.done.sort(key=lambda training: order[training.key])
    return scheduler.outcome


class _Scheduler:
    """The trainings that wait and run, and how those ended that did."""

    def __init__(
        self,
        plan: Plan,
        executor: Executor,
        events: SweepEvents,
        interrupt: Interrupt,
        policy: Policy,
        data_dir: Path | None,
        expected_s: Mapping[str, float],
    ):
        self._question, self._data_dir = plan.question, data_dir
        self._executor, self._events, self._interrupt, self._policy = executor, events, interrupt, policy
        self._expected_s = expected_s
        self._code = {**git_state(Path(__file__).parents[1]), "code_sha256": origin.code_sha256()}
        self.outcome = Outcome()
        self._waiting: deque[Job] = deque()
        self._running: dict[int, RunningAttempt] = {}  # by identity of the executor's attempt
        self._states: dict[str, TrainingState] = {}  # by key of the training
        self._fruitless: dict[str, int] = {}  # training key -> attempts in a row that got no further
        self._is_stopping = False

    def run(self, stages: Iterable[Sequence[Training]], may_begin: Callable[[Training], bool]) -> None:
        """Do one stage after the other."""
        for stage in stages:
            for training in stage:
                self._queue(training)
            while self._waiting or self._running:
                if self._interrupt.is_requested:
                    self._stop()
                while self._waiting and len(self._running) < self._executor.slots:
                    job = self._waiting.popleft()
                    if may_begin(job.training):
                        self._begin(job)
                    else:
                        self.outcome.not_begun.append(job.training)
                if self._running:
                    self._receive()
            if not stage or self.outcome.stopped or self.outcome.not_begun:
                return

    def _queue(self, training: Training) -> None:
        """Have a training done, unless it is done, or would fail as it did before."""
        status = training.record.status()
        if status is not None:
            self._states[training.key] = status.state
        if training.is_done():
            self.outcome.done.append(training)
            is_recorded = status is not None and status.state is TrainingState.DONE
            if not is_recorded and not training.record.is_in_use():
                self._record(training, AttemptResult(TrainingState.DONE))  # its scheduler was killed before it could
        elif status is not None and status.repeats and not self._policy.retry_failed:
            self.outcome.failed.append((training, status.reason))
            self._events.left_out(training, status.reason)
        else:
            question = self._question
            job = Job(training, question.name, question.imports, self._data_dir, self._code, hardware.cores())
            self._waiting.append(job)

    def _begin(self, job: Job) -> None:
        training = job.training
        problem = self._record(training, AttemptResult(TrainingState.RUNNING))
        if training.key not in self._fruitless:
            self._events.started(training)
        if problem:
            self._finish(training, AttemptResult(TrainingState.FAILED, problem.kind, problem.reason))
            return
        first = training.steps_to_train().first
        log_size = training.record.log_size()
        # A first process has to wait for TensorFlow's imports.
        nothing_to_save = contextlib.nullcontext() if self._running else self._interrupt.ending_block()
        try:
            with nothing_to_save:
                attempt = self._executor.start(job)
        except KeyboardInterrupt:
            if self._running:  # the second one
                raise
            self._finish(training, AttemptResult(TrainingState.STOPPED))
            self._stop()
            return
        self._running[id(attempt)] = RunningAttempt(
            attempt, self._policy.hang_after_s, first_step=first, log_size=log_size, step=first
        )

    def _stop(self) -> None:
        """Begin nothing more, and ask every training to stop."""
        self._is_stopping = True
        self.outcome.stopped |= bool(self._waiting)
        self._waiting.clear()
        for running in self._running.values():
            if running.request_stop():
                self._events.stopping(running.training)

    def _receive(self) -> None:
        """Receive the messages of the trainings for a moment, and end those that hang."""
        retried: list[Job] = []
        for attempt, message in self._executor.events(_EVENTS_S):
            running = self._running[id(attempt)]
            running.receive(message)
            if isinstance(message, ProgressUpdate):
                self._events.progress(running.training, message)
            elif isinstance(message, Waiting):
                self._events.waiting(running.training, message.reason)
            elif isinstance(message, Notice):
                _log.warning("%s: %s", running.training.name, message.text)
            elif isinstance(message, Exited):
                del self._running[id(attempt)]
                if self._ended(running, running.ended(message.reason)):
                    retried.append(attempt.job)
        self._waiting.extendleft(reversed(retried))
        for running in self._running.values():
            running.end_if_stuck()

    def _ended(self, running: RunningAttempt, result: AttemptResult) -> bool:
        """Record how an attempt ended; returns whether its job is to be tried again."""
        training = running.training
        undisturbed = result.state is TrainingState.DONE and not running.waited and training.key not in self._fruitless
        expected_s = self._expected_s.get(training.key) if undisturbed else None
        with contextlib.suppress(OSError):  # a full disk; the status says so where it matters
            training.record.add_attempt(running.record(result, expected_s, self._executor.slots))
        if result.failure is not None and not self._is_stopping:
            reduced = result.failure.is_of_memory and self._executor.reduce_slots()
            further = training.steps_to_train().first > running.first_step
            tried = 1 if further else self._fruitless.get(training.key, 0) + 1
            if (result.failure.is_retried or reduced) and tried <= self._policy.retries:
                self._fruitless[training.key] = tried
                self._events.retrying(training, result.reason, self._retry_text(training, tried, reduced))
                return True
        self._finish(training, result, running.log_size)
        return False

    def _retry_text(self, training: Training, tried: int, reduced: bool) -> str:
        step = training.steps_to_train().first
        start = f"from step {step:,}" if step else "from the start"
        fewer = f", with {self._executor.slots} at once from now on" if reduced else ""
        return f"trying again {start}{fewer} (attempt {tried + 1} of {self._policy.retries + 1})"

    def _finish(self, training: Training, result: AttemptResult, log_size: int = 0) -> None:
        """Record the end of a training and count it."""
        output = training.record.last_output(log_size) if result.failure is not None else ""
        problem = self._record(training, result, output)
        reason = result.reason or (problem.reason if problem and result.failure is not None else "")
        self._events.ended(training, result.state, reason)
        if result.state is TrainingState.DONE:
            self.outcome.done.append(training)
        elif result.failure is not None:
            self.outcome.failed.append((training, reason))
        else:
            self.outcome.stopped = True

    def _record(self, training: Training, result: AttemptResult, output: str = "") -> Failed | None:
        """Record how a training stands; returns why that cannot be written, if so: the others may still go on."""
        before = self._states.get(training.key)
        assert before is None or before.may_become(result.state), f"{training.name}: {before} -> {result.state}"
        self._states[training.key] = result.state
        status = Status(
            state=result.state, failure=result.failure, reason=result.reason, output=output, time=time.time()
        )
        try:
            training.record.write_status(status)
        except OSError as error:
            return failures.failed(error)
        return None
