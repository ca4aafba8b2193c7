"""What happens inside the process of one training."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data, machine, models, processes
from zoo.plan import Training
from zoo.plugins import PluginError, load_file
from zoo.prices import shape
from zoo.record import Record

_REASON_LENGTH = 400  # characters of an error that are told; the log has it all


@dataclass(frozen=True)
class Job:
    """A training with what its process needs to know beside it."""

    training: Training
    cost: dict[str, int]
    question: str
    imports: Sequence[Path]
    data_dir: Path | None
    code: dict[str, str]  # git commit and state of the code


def run(connection, job: Job) -> None:
    """Train, sending ``(kind, value)`` messages: "beat" and "waiting", then one of "done", "stopped", "diverged" and
    "failed", the last two with the reason.

    SIGTERM asks for a stop at the next opportunity, with a checkpoint, and so does the death of the process that listens.
    """
    stop = _Stop()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    signal.signal(signal.SIGTERM, stop.ask)
    processes.end_with_parent(stop.ask)

    def send(kind: str, value: Any = "") -> None:
        with contextlib.suppress(OSError):  # nobody listens any more, and a stop has been asked for
            connection.send((kind, value))

    try:
        _write_output_to(job.training.record.log)
        with _alone(job.training.record, lambda: send("waiting"), stop) as is_ours:
            finished = is_ours and _train(job, lambda beat: send("beat", beat), stop)
        send("done" if finished else "stopped")
    except Exception as error:
        with contextlib.suppress(OSError):  # a full disk takes no log either
            traceback.print_exc()
            sys.stderr.flush()
        send("diverged" if type(error).__name__ == "Diverged" else "failed", reason(error))


class _Stop:
    """Whether somebody has asked for a stop."""

    asked = False

    def ask(self, *_: Any) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


@contextlib.contextmanager
def _alone(record: Record, say_waiting: Callable[[], None], stop: _Stop) -> Iterator[bool]:
    """Within this block no other process trains this; yields False if a stop came before the other one had ended.

    The other one is another question's sweep, or what a killed sweep left behind on its way to a checkpoint.
    """
    import filelock

    lock = filelock.FileLock(record.directory / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        say_waiting()
        while not stop() and not lock.is_locked:
            with contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=0.5)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _train(job: Job, beat, stop: _Stop) -> bool:
    import tensorflow as tf

    from zoo.training import trainer

    tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    for path in job.imports:
        load_file(path)
    training, record = job.training, job.training.record
    arrays = _arrays(training, job.data_dir)
    _describe(job, record)
    return trainer.train(
        training.config,
        training.seed,
        arrays,
        record,
        targets=training.targets,
        classes=len(data.info(training.config.data).classes),
        beat=beat,
        should_stop=stop,
    )


def _arrays(training: Training, data_dir: Path | None):
    from zoo.training.trainer import Arrays

    name = training.config.data
    found = data.digest(name, data_dir)
    if found != training.data_sha256:
        raise data.DataError(
            f"the data set {name} has changed since the sweep began: it was {training.data_sha256}, is {found}"
        )
    return Arrays(*data.load(name, "train", data_dir), *data.load(name, "test", data_dir))


def _describe(job: Job, record: Record) -> None:
    """Say on disk what is trained here, with which code, on which machine."""
    training = job.training
    described = {
        "key": training.key,
        "question": job.question,
        "runs": [run.name for run in training.runs],
        "seed": training.seed,
        "data_sha256": training.data_sha256,
        "source_sha256": models.entry(training.config.model).source_sha256(),
        "config": training.config.flat(),
        "shape": shape(training.config),
        "precision": training.config.precision,
        "cost": job.cost,
        "device": machine.device(),
        "started": time.time(),
        **job.code,
    }
    earlier = record.read("training")
    record.write("training", {**described, **{k: earlier[k] for k in ("started",) if k in earlier}})
    record.write("environment", {**machine.describe(), **job.code})


def reason(error: Exception) -> str:
    """The error in one line, for the person."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        text = f"{error.strerror}{place}"
    if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in text:
        return f"the disk is full ({os.strerror(errno.ENOSPC)})"
    if isinstance(error, (OSError, data.DataError, PluginError)) or type(error).__name__ == "Diverged":
        return text[:_REASON_LENGTH]
    return f"{type(error).__name__}: {text[:_REASON_LENGTH]}"


def _write_output_to(path: Path) -> None:
    """Turn this process's output, that of native code too, to the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable()
