"""What a running training reports, and how it learns that it is to stop. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.storage.records import Row


@dataclass(frozen=True)
class ProgressUpdate:
    """How far a running training has got, about twice a second."""

    step: int
    loss: float  # mean since the last evaluation
    images_per_s: float  # of the last call into the compiled loop
    evaluated: Row | None = None  # the evaluation that has just been made


class TrainingEvents:
    """Receives what a training reports; this one ignores it and never requests a stop. Subclass it to listen."""

    def progress(self, update: ProgressUpdate) -> None:
        """Called about twice a second."""

    def heartbeat(self) -> None:
        """Called during long stretches without progress updates."""

    def stop_requested(self) -> bool:
        """Whether the training is to stop at the next opportunity, after a checkpoint."""
        return False
