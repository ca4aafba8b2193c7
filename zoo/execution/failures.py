"""What kind of failure an exception is, and the text about failed and missing trainings at the end of a sweep."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Collection, Sequence

from zoo.data import DataError
from zoo.execution.messages import Failed
from zoo.plan.runs import Training
from zoo.plugins import PluginError, SourceChanged
from zoo.storage.errors import RecordError
from zoo.storage.states import FailureKind
from zoo.text.listing import listed
from zoo.training.errors import Diverged, TrainingError

_REASON_LENGTH = 400  # characters of an error that are shown; the log has it all
_OUTPUT_LINES = 5  # shown of the output of what failed
_DISK_FULL = os.strerror(errno.ENOSPC)
_REMEDIES = {  # of what the same command meets again as long as nothing else changes
    FailureKind.ERROR: "the cause of the error is removed",
    FailureKind.NO_RESULT: "results can be written",
    FailureKind.DISK_FULL: "there is room on the disk",
    FailureKind.OUT_OF_MEMORY: "there is more memory (fewer trainings at once with --jobs, or a smaller batch, need less)",
}


def failed(error: Exception) -> Failed:
    """The error as the last message of a worker."""
    return Failed(_kind(error), reason(error))


def reason(error: Exception) -> str:
    """The error in one line, for the person."""
    if _is_disk_full(error):
        return f"the disk is full ({_DISK_FULL})"
    cause = _cause_in_graph(str(error))
    if cause:
        return cause[:_REASON_LENGTH]
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        name = f": {error.filename}" if error.filename else ""
        text = f"{error.strerror}{name}"
    if isinstance(error, (OSError, DataError, PluginError, RecordError, SourceChanged, TrainingError)):
        return text[:_REASON_LENGTH]
    return f"{type(error).__name__}: {text[:_REASON_LENGTH]}"


def _kind(error: Exception) -> FailureKind:
    if isinstance(error, Diverged):
        return FailureKind.DIVERGED
    if _is_disk_full(error):
        return FailureKind.DISK_FULL
    return FailureKind.OUT_OF_MEMORY if _is_out_of_memory(error) else FailureKind.ERROR


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOSPC
    # TensorFlow has one type for a full disk and for a lack of memory, and no errno in it; nor has h5py.
    return _DISK_FULL in str(error)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError):
        return True
    tensorflow = sys.modules.get("tensorflow")  # without it the error is none of its own
    return tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError)


def _cause_in_graph(text: str) -> str:
    """What went wrong inside a compiled function, out of TensorFlow's account of it, which begins with where; or ""."""
    if "Graph execution error" not in text:
        return ""
    lines = [line.strip() for line in text.splitlines()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b: ", line)]
    messages = [line for line in lines if line and not line.startswith(("[[{{", "File ", "Detected at"))]
    return (errors or messages)[-1]


def failed_text(failed: Sequence[tuple[Training, str]], command: str, reruns_failed: bool) -> str:
    """Which trainings failed, why, with the last of their output, and the command that tries them again.

    ``reruns_failed``: it tries those again, too, that would fail in the same way.
    """
    lines = [f"\n{_trainings(failed)} failed; the others are kept:"]
    for training, why in failed:
        lines += [f"  {training.name}: {why}", f"    its output: {training.record.log}"]
        status = training.record.status()
        lines += [f"    | {line}" for line in (status.output if status else "").splitlines()[-_OUTPUT_LINES:]]
    statuses = [training.record.status() for training, _ in failed]
    repeats = [status is not None and status.repeats for status in statuses]
    if not all(repeats):
        kinds = {status.failure if status else None for status in statuses if status is None or not status.repeats}
        lines += [_remedy(kinds, "them" if len(failed) > 1 else "it"), f"  {command}"]
    if any(repeats) and not reruns_failed:
        lines += [
            "What diverged would do so again and is not repeated, unless you ask for it:",
            f"  {command} --rerun-failed",
        ]
    elif any(repeats):
        lines += ["What diverged would do so again; a smaller learning rate, float32 or another seed may help."]
    return "\n".join(lines)


def _remedy(kinds: Collection[FailureKind | None], which: str) -> str:
    """What lets the same command do better, given how trainings failed."""
    remedies = {kind: _REMEDIES[kind] for kind in kinds if kind in _REMEDIES}
    if len(remedies) < len(kinds):  # some may be lucky
        return f"To try {which} again:"
    return f"Once {listed(dict.fromkeys(remedies.values()))}, this tries {which} again:"


def left_out_text(trainings: Sequence[Training], command: str) -> str:
    """Which trainings had no time, and the command that goes on with them."""
    lines = [
        f"\n{_trainings(trainings)} left out, for want of time:",
        *(f"  {training.name}" for training in trainings),
        "The same command goes on with what is left:",
        f"  {command}",
    ]
    return "\n".join(lines)


def _trainings(trainings: Sequence[object]) -> str:
    return "1 training" if len(trainings) == 1 else f"{len(trainings)} trainings"
