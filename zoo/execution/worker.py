"""What happens inside the process of one training."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import data
from zoo.execution import failures
from zoo.execution.executor import Job
from zoo.execution.heartbeats import StartUpHeartbeats
from zoo.execution.messages import Finished, Heartbeat, Notice, Stopped, Waiting, WorkerMessage
from zoo.host import hardware, machine_lock, processes
from zoo.measure.load import OthersLoad
from zoo.plan import origin
from zoo.plan.network import Workload, load_imports
from zoo.plan.runs import Training
from zoo.storage.locks import file_lock
from zoo.storage.record import Record
from zoo.storage.records import TrainingDescription
from zoo.text import messages
from zoo.training.events import ProgressUpdate, TrainingEvents

if TYPE_CHECKING:
    from zoo.training.trainer import Arrays

DUMP_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGTERM)  # on it a worker writes into its log where in the code it is

_ORPHAN_S = 60  # a worker whose scheduler is gone gets this long for its checkpoint


def run(connection: Connection, job: Job) -> None:
    """Train, sending messages, the last of which is a result.

    SIGTERM requests a stop at the next opportunity, with a checkpoint, and so does the death of the scheduler's process.
    """
    stop = _StopRequest()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    signal.signal(signal.SIGTERM, stop.request)
    processes.end_with_parent(lambda: _end_soon(stop))
    reporter = _Reporter(connection, stop)
    machine = hardware.core_numbers()  # before it is given a part of them
    try:
        _redirect_output(_log(job))
        _apply_allocation(job)
        with messages.shown_by(reporter.notice), reporter.start_up, contextlib.ExitStack() as locks:
            with reporter.start_up.waiting():
                if job.rank == 0:  # the lock is the chief's: the other processes can do nothing without it
                    locks.enter_context(_exclusive(job.training.record, reporter))
                locks.enter_context(machine_lock.training(lambda text: reporter.send(Waiting(text))))
            finished = _train(job, reporter, OthersLoad(machine))
        reporter.send(Finished() if finished else Stopped())
    except Exception as error:
        with contextlib.suppress(OSError):  # a full disk takes no log either
            traceback.print_exc()
            sys.stderr.flush()
        reporter.send(failures.failed(error))


class _StopRequest:
    """Whether a stop has been requested. Before the training first asks, there is nothing to save: the process ends."""

    def __init__(self) -> None:
        self._is_requested = self._is_heeded = False

    def request(self, *_: Any) -> None:
        self._is_requested = True
        if not self._is_heeded:
            os._exit(0)

    def is_requested(self) -> bool:
        self._is_heeded = True
        return self._is_requested


class _Reporter(TrainingEvents):
    """Sends messages to the scheduler, from any thread."""

    def __init__(self, connection: Connection, stop: _StopRequest):
        self._connection, self._stop = connection, stop
        self._sending = threading.Lock()
        self.start_up = StartUpHeartbeats(self.heartbeat)

    def send(self, message: WorkerMessage) -> None:
        with contextlib.suppress(OSError), self._sending:  # the scheduler is gone, and a stop has been requested
            self._connection.send(message)

    def progress(self, update: ProgressUpdate) -> None:
        if update.evaluated:  # everything has been compiled
            self.start_up.stop()
        self.send(update)

    def heartbeat(self) -> None:
        self.send(Heartbeat())

    def notice(self, text: str) -> None:
        """Tell the person, and the log."""
        print(text, flush=True)
        self.send(Notice(text))

    def stop_requested(self) -> bool:
        return self._stop.is_requested()


def _end_soon(stop: _StopRequest) -> None:
    """Request a stop, and make sure of it: a training that hangs would keep every later one of its kind waiting."""
    stop.request()
    time.sleep(_ORPHAN_S)
    os._exit(1)


def _apply_allocation(job: Job) -> None:
    """Use only the cores and GPUs that this training has been given."""
    if job.allocation.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.allocation.cores)
    if job.allocation.gpus:  # TensorFlow reads this when it first looks for devices
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(job.allocation.gpus)


def _log(job: Job) -> Path:
    """Where this process's output goes: each of those that train together has a file of its own."""
    log = job.training.record.log
    return log.with_name(f"{log.stem}.{job.rank}{log.suffix}") if job.rank else log


@contextlib.contextmanager
def _exclusive(record: Record, reporter: _Reporter) -> Iterator[None]:
    """Within this block no other process trains this.

    The other one is another question's sweep, or what a killed sweep left behind on its way to a checkpoint.
    """
    import filelock

    lock = file_lock(record.lock_file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        reporter.send(Waiting("another process is training the same; waiting for it to end"))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _train(job: Job, reporter: _Reporter, others_s: OthersLoad) -> bool:
    """Whether the training is done; False when it was stopped."""
    import tensorflow as tf

    from zoo.training import trainer

    training, record = job.training, job.training.record
    described = record.description()
    threads = (described and described.threads) or job.threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    strategy = _strategy(job)
    load_imports(job.imports, [(training.config, training.network)])
    training = dataclasses.replace(training, config=training.config.complete())
    origin.check_key(training)
    job = dataclasses.replace(job, training=training)
    arrays = _arrays(training, job.data_dir)
    if job.rank == 0:
        _describe(job, record, len(arrays.test_labels))
    reporter.heartbeat()
    return trainer.train(
        training.config,
        training.seed,
        arrays,
        record,
        targets=training.targets,
        columns=training.accuracies,
        classes=len(data.info(training.config.data).classes),
        strategy=strategy,
        events=reporter,
        others_s=(lambda: math.nan) if job.peers else others_s,  # the other workers of this training are no others
    )


def _strategy(job: Job) -> Any:
    """Join the other processes of this training, None when there are none; before TensorFlow's first operation."""
    from zoo.training import multi_worker

    return multi_worker.join(job.rank, job.peers) if job.peers else None


def _arrays(training: Training, data_dir: Path | None) -> Arrays:
    from zoo.training.trainer import Arrays

    name = training.config.data
    digest = data.digest(name, data_dir)
    if digest != training.data_sha256:
        raise data.DataError(
            f"the data set {name} has changed since the sweep began: it was {training.data_sha256}, is {digest}"
        )
    return Arrays(*data.load(name, "train", data_dir), *data.load(name, "test", data_dir))


def _describe(job: Job, record: Record, test_images: int) -> None:
    """Record what is trained here, with which code, on which machine; ``test_images`` is their number."""
    training, earlier = job.training, record.description()
    described = TrainingDescription(
        key=training.key,
        question=job.question,
        runs=tuple(run.name for run in training.runs),
        seed=training.seed,
        data_sha256=training.data_sha256,
        source_sha256=training.network.source_sha256,
        classes=training.network.classes,
        test_images=test_images,
        config=training.config.flat(),
        shape=Workload.of(training.config).shape(),
        precision=training.config.precision,
        cost=training.cost,
        device=hardware.device(),
        cores=len(job.allocation.cores) or hardware.cores(),
        threads=(earlier and earlier.threads) or job.threads,
        started=earlier.started if earlier else time.time(),
        **job.code,
    )
    record.write_description(described)
    record.write_environment({**hardware.describe(), **job.code})


def _redirect_output(path: Path) -> None:
    """Append this process's output, that of native code too, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(DUMP_SIGNAL)
