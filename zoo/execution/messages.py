"""What a worker and its executor report to the scheduler. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.host.exits import ExitReason
from zoo.storage.states import FailureKind
from zoo.training.events import ProgressUpdate


@dataclass(frozen=True)
class Heartbeat:
    """It works, with nothing to show."""


@dataclass(frozen=True)
class Waiting:
    """It cannot begin yet."""

    reason: str  # for the person


@dataclass(frozen=True)
class Notice:
    """Something that the person should know, such as damage that was found and repaired."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The training is done."""


@dataclass(frozen=True)
class Stopped:
    """The training has stopped on request, after a checkpoint."""


@dataclass(frozen=True)
class Failed:
    """The training has failed."""

    kind: FailureKind
    reason: str  # for the person


@dataclass(frozen=True)
class Exited:
    """The last message of an attempt: its processes are gone."""

    reason: ExitReason | None = None  # set when one of them ended on its own without a result


Result = Finished | Stopped | Failed  # the last message of a worker
WorkerMessage = ProgressUpdate | Heartbeat | Waiting | Notice | Result
Message = WorkerMessage | Exited
