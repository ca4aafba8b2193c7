"""What happens inside the process of one training."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import data, models
from zoo.host import hardware, machine_lock, processes
from zoo.plan.network import Workload
from zoo.plan.runs import Training
from zoo.plugins import PluginError, load_file
from zoo.storage.record import Record
from zoo.storage.records import TrainingDescription
from zoo.training.events import ProgressUpdate, TrainingEvents

DUMP_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGTERM)  # on it a worker writes into its log where in the code it is

_ORPHAN_SECONDS = 60  # a worker whose listener is gone gets this long for its checkpoint
_REASON_LENGTH = 400  # characters of an error that are told; the log has it all


@dataclass(frozen=True)
class Job:
    """A training with what its process needs to know beside it."""

    training: Training
    question: str
    imports: Sequence[Path]
    data_dir: Path | None
    code: dict[str, str]  # git commit and state of the code
    threads: int = 0  # of TensorFlow's pool when this training begins; 0: as many as there are cores
    cores: tuple[int, ...] = ()  # that its process may use; empty: all
    gpus: tuple[str, ...] = ()  # likewise, as CUDA_VISIBLE_DEVICES names them
    rank: int = 0  # of this process among those that train this together
    peers: tuple[str, ...] = ()  # their addresses, host:port, by rank; empty when it trains alone


def run(connection, job: Job) -> None:
    """Train, sending ``(kind, value)`` messages: "beat", "waiting" and "alive" (it works, with nothing to show), then one of
    "done", "stopped", "diverged" and "failed", the last two with the reason.

    SIGTERM asks for a stop at the next opportunity, with a checkpoint, and so does the death of the process that listens.
    """
    stop = _Stop()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    signal.signal(signal.SIGTERM, stop.ask)
    processes.end_with_parent(lambda: _end_soon(stop))

    def send(kind: str, value: Any = "") -> None:
        with contextlib.suppress(OSError):  # nobody listens any more, and a stop has been asked for
            connection.send((kind, value))

    try:
        _write_output_to(_log(job))
        _stay_within(job)
        # The lock is the chief's: the other processes of a training can do nothing without it.
        alone = _alone(job.training.record, send) if job.rank == 0 else contextlib.nullcontext()
        with alone, machine_lock.training():
            finished = _train(job, send, stop)
        send("done" if finished else "stopped")
    except Exception as error:
        with contextlib.suppress(OSError):  # a full disk takes no log either
            traceback.print_exc()
            sys.stderr.flush()
        send("diverged" if type(error).__name__ == "Diverged" else "failed", reason(error))


class _Stop:
    """Whether somebody has asked for a stop. Before the training first wants to know, nothing is to be saved: it ends."""

    asked = False
    heeded = False

    def ask(self, *_: Any) -> None:
        self.asked = True
        if not self.heeded:
            os._exit(0)

    def __call__(self) -> bool:
        self.heeded = True
        return self.asked


def _end_soon(stop: _Stop) -> None:
    """Ask for a stop, and see to it: a training that hangs would keep every later one of its kind waiting."""
    stop.ask()
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)


def _stay_within(job: Job) -> None:
    """Use only the cores and GPUs that this training has been given."""
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)
    if job.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(job.gpus)  # read when TensorFlow first looks for devices


def _log(job: Job) -> Path:
    """Where this process's output goes: each of those that train together has a file of its own."""
    log = job.training.record.log
    return log.with_name(f"{log.stem}.{job.rank}{log.suffix}") if job.rank else log


@contextlib.contextmanager
def _alone(record: Record, send: Callable[..., None]) -> Iterator[None]:
    """Within this block no other process trains this.

    The other one is another question's sweep, or what a killed sweep left behind on its way to a checkpoint.
    """
    import filelock

    lock = filelock.FileLock(record.lock_file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        send("waiting")
        while not lock.is_locked:
            send("alive")
            with contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=0.5)
    try:
        yield
    finally:
        lock.release()


def _train(job: Job, send: Callable[..., None], stop: _Stop) -> bool:
    import tensorflow as tf

    from zoo.training import trainer

    earlier = job.training.record.description()
    threads = (earlier and earlier.threads) or job.threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    strategy = _strategy(job)
    for path in job.imports:
        load_file(path)
    training, record = job.training, job.training.record
    arrays = _arrays(training, job.data_dir)
    if job.rank == 0:
        _describe(job, record)
    send("alive")
    return trainer.train(
        training.config,
        training.seed,
        arrays,
        record,
        targets=training.targets,
        classes=len(data.info(training.config.data).classes),
        strategy=strategy,
        events=_Events(send, stop),
    )


class _Events(TrainingEvents):
    def __init__(self, send: Callable[..., None], stop: _Stop):
        self._send, self._stop = send, stop

    def progress(self, update: ProgressUpdate) -> None:
        self._send("beat", update)

    def heartbeat(self) -> None:
        self._send("alive")

    def stop_requested(self) -> bool:
        return self._stop()


def _strategy(job: Job):
    """Join the other processes of this training, None when there are none; before TensorFlow's first operation."""
    from zoo.training import multi_worker

    return multi_worker.join(job.rank, job.peers) if job.peers else None


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
    training, earlier = job.training, record.description()
    described = TrainingDescription(
        key=training.key,
        question=job.question,
        runs=tuple(run.name for run in training.runs),
        seed=training.seed,
        data_sha256=training.data_sha256,
        source_sha256=models.entry(training.config.model).source_sha256(),
        config=training.config.flat(),
        shape=Workload.of(training.config).shape(),
        precision=training.config.precision,
        cost=training.cost,
        device=hardware.device(),
        cores=len(job.cores) or hardware.cores(),
        threads=(earlier and earlier.threads) or job.threads,
        started=earlier.started if earlier else time.time(),
        **job.code,
    )
    record.write_description(described)
    record.write_environment({**hardware.describe(), **job.code})


def reason(error: Exception) -> str:
    """The error in one line, for the person."""
    cause = _cause_in_graph(str(error))
    if cause:
        return cause[:_REASON_LENGTH]
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        text = f"{error.strerror}{place}"
    if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in text:
        return f"the disk is full ({os.strerror(errno.ENOSPC)})"
    if isinstance(error, (OSError, data.DataError, PluginError)) or type(error).__name__ == "Diverged":
        return text[:_REASON_LENGTH]
    return f"{type(error).__name__}: {text[:_REASON_LENGTH]}"


def _cause_in_graph(text: str) -> str:
    """What went wrong inside a compiled function, out of TensorFlow's account of it, which begins with where; or ""."""
    if "Graph execution error" not in text:
        return ""
    lines = [line.strip() for line in text.splitlines()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b: ", line)]
    told = [line for line in lines if line and not line.startswith(("[[{{", "File ", "Detected at"))]
    return (errors or told)[-1]


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
    if hasattr(faulthandler, "register"):
        faulthandler.register(DUMP_SIGNAL)
