"""What happens in a sweep, for whoever shows or records it. Results are on disk before an event is reported."""

from __future__ import annotations

from zoo.plan.runs import Training
from zoo.storage.states import TrainingState
from zoo.training.events import ProgressUpdate


class SweepEvents:
    """Receives the events of a sweep; this one ignores them. Subclass it to listen."""

    def started(self, training: Training) -> None:
        """The first attempt at a training begins."""

    def waiting(self, training: Training, reason: str) -> None:
        """It cannot begin yet."""

    def progress(self, training: Training, update: ProgressUpdate) -> None:
        """Called about twice a second."""

    def stopping(self, training: Training) -> None:
        """It was asked to stop."""

    def retrying(self, training: Training, reason: str, plan: str) -> None:
        """It failed for ``reason``, and is tried again as ``plan`` says."""

    def ended(self, training: Training, state: TrainingState, reason: str) -> None:
        """It is done, stopped or failed."""

    def left_out(self, training: Training, reason: str) -> None:
        """It failed in an earlier sweep and would fail again, so it is not begun."""


class Observers(SweepEvents):
    """Passes each event on to several listeners, in order."""

    def __init__(self, *observers: SweepEvents):
        self._observers = observers

    def started(self, training: Training) -> None:
        for observer in self._observers:
            observer.started(training)

    def waiting(self, training: Training, reason: str) -> None:
        for observer in self._observers:
            observer.waiting(training, reason)

    def progress(self, training: Training, update: ProgressUpdate) -> None:
        for observer in self._observers:
            observer.progress(training, update)

    def stopping(self, training: Training) -> None:
        for observer in self._observers:
            observer.stopping(training)

    def retrying(self, training: Training, reason: str, plan: str) -> None:
        for observer in self._observers:
            observer.retrying(training, reason, plan)

    def ended(self, training: Training, state: TrainingState, reason: str) -> None:
        for observer in self._observers:
            observer.ended(training, state, reason)

    def left_out(self, training: Training, reason: str) -> None:
        for observer in self._observers:
            observer.left_out(training, reason)
