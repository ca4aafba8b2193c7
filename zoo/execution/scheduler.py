"""Runs to results: which training starts when, what happens when one fails, and how a sweep is stopped.

Where a training runs is the executor's business (``executors/local.py``: here, ``executors/ray``: on a Ray cluster). What
happens is told to an ``Audience`` (a progress display, the recorder); results are on disk before.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from zoo.execution import worker
from zoo.host import git, hardware
from zoo.plan.runs import Plan, Training
from zoo.storage.records import AttemptRecord, Status
from zoo.storage.states import FailureKind, TrainingState
from zoo.text.wording import duration
from zoo.training.events import ProgressUpdate

_STOP_SECONDS = 60  # a training that was asked to stop gets this long for its checkpoint
_DUMP_SECONDS = 2  # a training that hangs gets this long to write down where


class Attempt(Protocol):
    """One job that an executor has started."""

    @property
    def job(self) -> worker.Job: ...
    def stop(self) -> None: ...  # asks for a checkpoint and an end
    def kill(self) -> None: ...  # ends it at once
    def dump(self) -> None: ...  # has it write into its log where in the code it is


class Executor(Protocol):
    """Where trainings run."""

    @property
    def slots(self) -> int: ...  # how many trainings at once
    def start(self, job: worker.Job) -> Attempt: ...
    def narrow(self) -> bool: ...  # one fewer at once from now on; False when there is only one

    def events(self, timeout_s: float) -> list[tuple[Attempt, str, Any]]:
        """What has been heard since: a worker's messages, and at last ("gone", how it died or "")."""
        ...

    def close(self) -> None: ...  # ends what still runs, at once


class Audience(Protocol):
    """Who is told how the sweep goes."""

    def started(self, training: Training) -> None: ...
    def waiting(self, training: Training, why: str) -> None: ...  # why "": another process trains the same
    def beat(self, training: Training, beat: ProgressUpdate) -> None: ...
    def stopping(self, training: Training) -> None: ...  # Ctrl-C has been heard
    def again(self, training: Training, reason: str, note: str) -> None: ...  # it failed, and is tried once more
    def ended(self, training: Training, state: str, reason: str) -> None: ...  # state: done, stopped or failed
    def left_out(self, training: Training, reason: str) -> None: ...  # it failed earlier, and would again


@dataclass(frozen=True)
class Policy:
    """What is done about trainings that fail."""

    retries: int = 2  # times that a crash is followed by another attempt without having got any further
    stall_s: float = 900  # a training that shows no sign of life for so long is ended; 0: never
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
    """Ctrl-C and SIGTERM: once asks for a stop with checkpoints, twice for a stop at once."""

    count = 0

    @contextlib.contextmanager
    def caught(self) -> Iterator[Interrupt]:
        """Within this block the first signal is counted instead of ending the program; the second ends it."""
        before = {number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, *_: Any) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt


def execute(
    plan: Plan,
    executor: Executor,
    audience: Audience,
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
    ``policy.retry_failed``. ``expected_s`` (training key -> seconds) is noted beside how long it then took. ``may_begin``
    is asked just before a training starts.
    """
    sweep = _Sweep(executor, audience, policy, expected_s or {})
    code = git.git_state(Path(__file__).parents[1])
    waiting: deque[worker.Job] = deque()
    to_come = iter([plan.trainings] if stages is None else stages)

    def queue(training: Training) -> None:
        status = training.record.status()
        if training.is_done():
            sweep.outcome.done.append(training)
            if (status is None or status.state is not TrainingState.DONE) and not training.record.is_in_use():
                _settle(training, "done")  # whoever watched it was killed before it could say so
        elif status is not None and status.repeats and not policy.retry_failed:
            sweep.outcome.failed.append((training, status.reason))
            audience.left_out(training, status.reason)
        else:
            job = worker.Job(training, plan.question.name, plan.question.imports, data_dir, code, hardware.cores())
            waiting.append(job)

    try:
        while True:
            if not (waiting or sweep.running):
                stage = () if sweep.outcome.stopped or sweep.outcome.not_begun else next(to_come, ())
                if not stage:
                    break
                for training in stage:
                    queue(training)
                continue
            if interrupt.count:
                sweep.outcome.stopped |= bool(waiting)
                waiting.clear()
                sweep.stop()
            while waiting and len(sweep.running) < executor.slots and not interrupt.count:
                job = waiting.popleft()
                if may_begin(job.training):
                    sweep.begin(job)
                else:
                    sweep.outcome.not_begun.append(job.training)
            if sweep.running:
                waiting.extendleft(reversed(sweep.listen()))
    finally:
        executor.close()  # for a second Ctrl-C: nothing runs any more otherwise
    order = {training.key: place for place, training in enumerate(plan.trainings)}
    sweep.outcome.done.sort(key=lambda training: order[training.key])
    return sweep.outcome


@dataclass
class _Ongoing:
    """What is known of an attempt while it runs."""

    attempt: Attempt
    first_step: int
    log_size: int  # bytes that earlier attempts left in the log
    began: float  # time.time()
    sign_at: float  # time.monotonic() of its last sign of life
    startup_s: float | None = None
    step: int = 0
    word: tuple[str, str] = ("", "")  # its last word, and the reason
    asked_at: float | None = None  # time.monotonic() when it was asked to stop
    dumped_at: float | None = None  # time.monotonic() when it was found hanging
    waited: bool = False  # for another process that trains the same


class _Sweep:
    """The trainings that run, and how those ended that did."""

    def __init__(self, executor: Executor, audience: Audience, policy: Policy, expected_s: Mapping[str, float]):
        self._executor, self._audience, self._policy = executor, audience, policy
        self._expected_s = expected_s
        self.outcome = Outcome()
        self.running: dict[int, _Ongoing] = {}  # by identity of the attempt
        self._failures: dict[str, int] = {}  # training -> attempts in a row that got no further
        self._stopping = False

    def begin(self, job: worker.Job) -> None:
        training = job.training
        problem = _settle(training, "running")
        if problem:
            self._audience.started(training)
            self._finish(training, "failed", problem)
            return
        if training.key not in self._failures:
            self._audience.started(training)
        first = training.steps_to_train().first
        log_size = training.record.log_size()
        attempt = self._executor.start(job)
        self.running[id(attempt)] = _Ongoing(attempt, first, log_size, time.time(), time.monotonic(), step=first)

    def stop(self) -> None:
        """Ask every training to stop; those that do not heed it in time are ended."""
        self._stopping = True
        for ongoing in self.running.values():
            if ongoing.asked_at is None:
                ongoing.asked_at = time.monotonic()
                ongoing.attempt.stop()
                self._audience.stopping(ongoing.attempt.job.training)

    def listen(self) -> list[worker.Job]:
        """Hear what the trainings say for a moment; returns the jobs that are to be tried again."""
        again = []
        for attempt, kind, value in self._executor.events(0.2):
            ongoing = self.running[id(attempt)]
            ongoing.sign_at = time.monotonic()
            if kind == "beat":
                self._beat(ongoing, value)
            elif kind == "waiting":
                ongoing.waited = True
                self._audience.waiting(attempt.job.training, value)
            elif kind == "gone":
                del self.running[id(attempt)]
                again += self._ended(ongoing, value)
            elif kind != "alive":
                ongoing.word = kind, value
        for ongoing in self.running.values():
            self._watch(ongoing)
        return again

    def _beat(self, ongoing: _Ongoing, beat: ProgressUpdate) -> None:
        if ongoing.startup_s is None:
            ongoing.startup_s = time.time() - ongoing.began
        ongoing.step = beat.step
        self._audience.beat(ongoing.attempt.job.training, beat)

    def _watch(self, ongoing: _Ongoing) -> None:
        """End what hangs: a training without a sign of life, or one that does not stop when asked to."""
        now = time.monotonic()
        if ongoing.asked_at is not None and now - ongoing.asked_at > _STOP_SECONDS:
            ongoing.attempt.kill()
        elif ongoing.dumped_at is not None:
            if now - ongoing.dumped_at > _DUMP_SECONDS:
                ongoing.attempt.kill()
        elif self._policy.stall_s and now - ongoing.sign_at > self._policy.stall_s:
            ongoing.dumped_at = now
            ongoing.attempt.dump()

    def _ended(self, ongoing: _Ongoing, death: str) -> list[worker.Job]:
        """Record how an attempt ended; returns its job when it is to be tried again."""
        job = ongoing.attempt.job
        training = job.training
        state, reason, crashed = self._verdict(ongoing, death)
        self._note(ongoing, state, reason)
        if state == "failed" and not self._stopping:
            narrowed = _short_of_memory(reason) and self._executor.narrow()
            further = training.steps_to_train().first > ongoing.first_step
            tried = 1 if further else self._failures.get(training.key, 0) + 1
            if (crashed or narrowed) and tried <= self._policy.retries:
                self._failures[training.key] = tried
                self._audience.again(training, reason, self._how_again(training, tried, narrowed))
                return [job]
        self._finish(training, state, reason, ongoing.log_size)
        return []

    def _verdict(self, ongoing: _Ongoing, death: str) -> tuple[str, str, bool]:
        """How an attempt ended (done, stopped, failed or diverged), why, and whether it was a crash, which may not recur."""
        word, reason = ongoing.word
        if word == "done":
            if ongoing.attempt.job.training.is_done():
                return "done", "", False
            return "failed", "its process reported success, but its results are not on disk", False
        if ongoing.dumped_at is not None:
            waited = duration(self._policy.stall_s)
            return "failed", f"it hung: no sign of life for {waited}, so it was ended; its output says where", True
        if death and ongoing.asked_at is None:
            return "failed", death, True
        if word in ("failed", "diverged"):
            return word, reason, False
        if ongoing.asked_at is not None or word == "stopped":
            return "stopped", "", False
        return "failed", "its process ended without a word", True

    def _how_again(self, training: Training, tried: int, narrowed: bool) -> str:
        step = training.steps_to_train().first
        place = f"from step {step:,}" if step else "from the start"
        fewer = f", with {self._executor.slots} at once from now on" if narrowed else ""
        return f"trying again {place}{fewer} (attempt {tried + 1} of {self._policy.retries + 1})"

    def _finish(self, training: Training, state: str, reason: str, log_size: int = 0) -> None:
        """Record the end of a training and count it."""
        repeats = state == "diverged"  # any other failure is tried again by the same command
        state = "failed" if repeats else state
        output = training.record.last_output(log_size) if state == "failed" else ""
        problem = _settle(training, state, reason, repeats, output)
        reason = reason or (problem if state == "failed" else "")
        self._audience.ended(training, state, reason)
        if state == "done":
            self.outcome.done.append(training)
        elif state == "failed":
            self.outcome.failed.append((training, reason))
        else:
            self.outcome.stopped = True

    def _note(self, ongoing: _Ongoing, state: str, reason: str) -> None:
        """Keep when and how an attempt went; what it was expected to take, too, when it went through undisturbed."""
        training = ongoing.attempt.job.training
        whole = state == "done" and not ongoing.waited and training.key not in self._failures
        with contextlib.suppress(OSError):  # a full disk; the status says so where it matters
            training.record.add_attempt(
                AttemptRecord(
                    state=TrainingState.FAILED if state == "diverged" else TrainingState(state),
                    failure=_failure(state),
                    reason=reason,
                    began=ongoing.began,
                    ended=time.time(),
                    first_step=ongoing.first_step,
                    last_step=ongoing.step,
                    startup_s=ongoing.startup_s,
                    expected_s=self._expected_s.get(training.key) if whole else None,
                    at_once=self._executor.slots,
                    host=socket.gethostname(),
                )
            )


def _failure(state: str) -> FailureKind | None:
    return {"diverged": FailureKind.DIVERGED, "failed": FailureKind.ERROR}.get(state)


def _short_of_memory(reason: str) -> bool:
    """Whether a training failed for want of memory, so that fewer at once may do better."""
    return "memory was short" in reason or reason.startswith(("MemoryError", "ResourceExhaustedError"))


def _settle(training: Training, state: str, reason: str = "", repeats: bool = False, output: str = "") -> str:
    """Record how a training stands; returns why that cannot be written, if so: the others may still go on."""
    failure = _failure("diverged" if repeats else state)
    status = Status(state=TrainingState(state), failure=failure, reason=reason, output=output, time=time.time())
    try:
        training.record.write_status(status)
    except OSError as error:
        return worker.reason(error)
    return ""
