"""One attempt at a training while it runs: what it has reported, whether it hangs, and how it ended."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from zoo.execution.executor import Attempt
from zoo.execution.messages import Failed, Finished, Message, Result, Stopped, Waiting
from zoo.host.exits import ExitReason
from zoo.plan.runs import Training
from zoo.storage.records import AttemptRecord
from zoo.storage.states import FailureKind, TrainingState
from zoo.text.wording import duration
from zoo.training.events import ProgressUpdate

STOP_S = 60.0  # a training that was asked to stop gets this long for its checkpoint
DUMP_S = 2.0  # a training that hangs gets this long to write down where


@dataclass(frozen=True)
class AttemptResult:
    """How an attempt ended."""

    state: TrainingState
    failure: FailureKind | None = None  # set if and only if the state is FAILED
    reason: str = ""


@dataclass
class RunningAttempt:
    """An attempt, and what is known of it."""

    attempt: Attempt
    hang_after_s: float  # without a heartbeat; 0: never
    first_step: int = 0
    log_size: int = 0  # bytes that earlier attempts left in the log
    step: int = 0
    startup_s: float | None = None
    waited: bool = False
    result: Result | None = None
    began: float = field(default_factory=time.time)
    _heartbeat_at: float = field(default_factory=time.monotonic)
    _stop_requested_at: float | None = None  # time.monotonic()
    _dumped_at: float | None = None  # likewise: when it was found hanging

    @property
    def training(self) -> Training:
        return self.attempt.job.training

    def receive(self, message: Message) -> None:
        """Note what it reports; any message is a heartbeat."""
        self._heartbeat_at = time.monotonic()
        match message:
            case ProgressUpdate():
                if self.startup_s is None:
                    self.startup_s = time.time() - self.began
                self.step = message.step
            case Waiting():
                self.waited = True
            case Finished() | Stopped() | Failed():
                self.result = message

    def request_stop(self) -> bool:
        """Ask it to stop; False when it has been asked already."""
        if self._stop_requested_at is not None:
            return False
        self._stop_requested_at = time.monotonic()
        self.attempt.stop()
        return True

    def end_if_stuck(self) -> None:
        """End it when it hangs, after a dump of where, or does not stop when asked to."""
        now = time.monotonic()
        if self._stop_requested_at is not None and now - self._stop_requested_at > STOP_S:
            self.attempt.kill()
        elif self._dumped_at is not None:
            if now - self._dumped_at > DUMP_S:
                self.attempt.kill()
        elif self.hang_after_s and now - self._heartbeat_at > self.hang_after_s:
            self._dumped_at = now
            self.attempt.dump()

    def ended(self, exit_reason: ExitReason | None) -> AttemptResult:
        """How it ended, now that its processes are gone."""
        if isinstance(self.result, Finished):
            if self.training.is_done():
                return AttemptResult(TrainingState.DONE)
            return _failed(FailureKind.NO_RESULT, "its process reported success, but its results are not on disk")
        if self._dumped_at is not None:
            waited = duration(self.hang_after_s)
            return _failed(
                FailureKind.HANG, f"it hung: no heartbeat for {waited}, so it was ended; its output says where"
            )
        if exit_reason is not None and self._stop_requested_at is None:
            kind = FailureKind.MEMORY_KILL if exit_reason.out_of_memory else FailureKind.CRASH
            return _failed(kind, exit_reason.text)
        if isinstance(self.result, Failed):
            return _failed(self.result.kind, self.result.reason)
        if self._stop_requested_at is not None or isinstance(self.result, Stopped):
            return AttemptResult(TrainingState.STOPPED)
        return _failed(FailureKind.CRASH, "its process ended without a result")

    def record(self, result: AttemptResult, expected_s: float | None, at_once: int) -> AttemptRecord:
        """What is kept of it."""
        return AttemptRecord(
            state=result.state,
            failure=result.failure,
            reason=result.reason,
            began=self.began,
            ended=time.time(),
            first_step=self.first_step,
            last_step=self.step,
            startup_s=self.startup_s,
            expected_s=expected_s,
            at_once=at_once,
            host=socket.gethostname(),
        )


def _failed(kind: FailureKind, reason: str) -> AttemptResult:
    return AttemptResult(TrainingState.FAILED, kind, reason)
