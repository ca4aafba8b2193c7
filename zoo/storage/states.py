"""The states of a training, the changes between them that are allowed, and the kinds of failure."""

from __future__ import annotations

from enum import StrEnum


class TrainingState(StrEnum):
    """How a training stands."""

    RUNNING = "running"
    DONE = "done"  # it has a result at each step that was wanted of it
    STOPPED = "stopped"  # on request, after a checkpoint
    FAILED = "failed"

    def may_become(self, other: TrainingState) -> bool:
        """Whether ``other`` may follow; each state may be recorded twice.

        A stopped or failed training is done when fewer steps are wanted than it had made, and a done one runs again when
        more are wanted; but one that is done neither fails nor is stopped without having run.
        """
        return self is other or other in _FOLLOWING[self]


_FOLLOWING = {
    TrainingState.RUNNING: {TrainingState.DONE, TrainingState.STOPPED, TrainingState.FAILED},
    TrainingState.DONE: {TrainingState.RUNNING},
    TrainingState.STOPPED: {TrainingState.RUNNING, TrainingState.DONE},
    TrainingState.FAILED: {TrainingState.RUNNING, TrainingState.DONE},
}


class FailureKind(StrEnum):
    """Why a training failed."""

    CRASH = "crash"  # its process or node was lost
    MEMORY_KILL = "memory_kill"  # likewise, ended by the system because memory ran short
    OUT_OF_MEMORY = "out_of_memory"  # it asked for more memory than there is
    HANG = "hang"
    ERROR = "error"  # an exception
    DIVERGED = "diverged"
    DISK_FULL = "disk_full"
    NO_RESULT = "no_result"  # it reported success, but its results are not on disk

    @property
    def is_retried(self) -> bool:
        """Whether another attempt in the same sweep may succeed."""
        return self in (FailureKind.CRASH, FailureKind.MEMORY_KILL, FailureKind.HANG)

    @property
    def is_of_memory(self) -> bool:
        """Whether fewer trainings at once may avoid it."""
        return self in (FailureKind.MEMORY_KILL, FailureKind.OUT_OF_MEMORY)

    @property
    def would_repeat(self) -> bool:
        """Whether the same training fails in the same way each time, so that a later sweep need not try it."""
        return self is FailureKind.DIVERGED
