"""Sending to MLflow what the trainings of a plan have left on disk, without training anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.plan import origin
from zoo.plan.runs import Plan, Training
from zoo.storage.states import TrainingState
from zoo.tracking.address import without_passwords
from zoo.tracking.errors import TrackingError
from zoo.tracking.recorder import PATIENCE_S, Recorder
from zoo.tracking.store import Store

_STATE_TEXT = {
    TrainingState.DONE: "complete",
    TrainingState.RUNNING: "still running",
    TrainingState.STOPPED: "stopped",
    TrainingState.FAILED: "failed",
}


@dataclass(frozen=True)
class SyncResult:
    """How many of the ``runs`` of a plan MLflow has now, by state, and what prevented the rest."""

    uri: str
    runs: int
    states: Mapping[TrainingState, int]  # state -> runs that have been sent
    absent: int  # runs of trainings that have nothing on disk
    problem: TrackingError | None
    store: Store | None  # None when there was nothing to send, or the store could not be opened

    @property
    def text(self) -> str:
        """In one line: "sent 5 of 6 runs to sqlite:///mlflow.db: 4 complete, 1 stopped; 1 has nothing on disk"."""
        by_state = ", ".join(f"{count} {_STATE_TEXT[state]}" for state, count in self.states.items())
        sent = f"sent {sum(self.states.values())} of {self.runs} runs to {without_passwords(self.uri, self.uri)}"
        absent = f"; {self.absent} {'has' if self.absent == 1 else 'have'} nothing on disk" if self.absent else ""
        return f"{sent}{': ' if by_state else ''}{by_state}{absent}"


def send_all(
    plan: Plan,
    uri: str,
    directory: Path,
    command: str = "",
    patience_s: float = PATIENCE_S,
) -> SyncResult:
    """Bring MLflow up to what is on disk, for every training of the plan that has something there.

    ``command`` is the one that does the sweep, kept with it. A store that cannot be written to is the ``problem`` of the
    result, and the runs of the trainings that got through are counted all the same. Raises RecordError.
    """
    for training in plan.trainings:
        training.record.repair()
        origin.check(training)
    states = {t.key: state for t in plan.trainings if (state := state_on_disk(t)) is not None}
    present = [training for training in plan.trainings if training.key in states]
    absent = sum(len(training.runs) for training in plan.trainings) - sum(len(t.runs) for t in present)
    if not present:
        return SyncResult(uri, len(plan.runs), {}, absent, None, None)
    recorder = Recorder(plan, uri, directory, command, repair=True)
    for training in present:
        recorder.update(training, *states[training.key])
    problem = recorder.close(patience_s)
    counted = Counter(states[t.key][0] for t in present if t.key not in recorder.unsent for _ in t.runs)
    return SyncResult(
        uri, len(plan.runs), {s: counted[s] for s in _STATE_TEXT if counted[s]}, absent, problem, recorder.store
    )


def state_on_disk(training: Training) -> tuple[TrainingState, str] | None:
    """How a training stands as far as its record says, and why it failed; None when there is no record.

    One that says "running" while no process is at it was killed together with the sweep that ran it: stopped.
    """
    record = training.record
    if record.is_empty():
        return None
    if training.is_done():
        return TrainingState.DONE, ""
    if record.is_in_use():
        return TrainingState.RUNNING, ""
    status = record.status()
    if status is not None and status.state is TrainingState.FAILED:
        return TrainingState.FAILED, status.reason
    return TrainingState.STOPPED, ""
