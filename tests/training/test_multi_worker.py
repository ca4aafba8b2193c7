"""One training in several processes: real ones, on the loopback interface, that meet in collective operations."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from helpers import small  # noqa: F401  two devices, before TensorFlow runs its first operation
from helpers.tracked import with_cost

from zoo import data
from zoo.config import load
from zoo.execution import worker
from zoo.execution.executor import Job
from zoo.execution.messages import Finished, Message, Stopped
from zoo.host import ports, processes
from zoo.plan import runs
from zoo.plan.runs import Training
from zoo.storage.record import Record
from zoo.training import multi_worker
from zoo.training.events import ProgressUpdate
from zoo.training.network import default_strategy
from zoo.training.trainer import Arrays, train

PATIENCE_S = 300  # for a busy machine

# With all that the processes must share beside gradients: masks of dropout, moments and statistics of batch normalization.
QUESTION = """\
question: Do two workers train as one device?
base:
  model: tuto
  data: digits
  convs: [[3, 8]]
  hidden: [16]
  batch_norm: true
  dropout: 0.5
  optimizer: {lr: 0.01, momentum: 0.9}
  batch: 16
  steps: 60
  evaluate_every: 12
  milestones: [4, 12, 16, 24]
  precision: float32
  strategy: multi_worker
  workers: 2
seeds: 1
"""


class Workers:
    """The processes of one training, started and ended as an executor does it."""

    def __init__(self, training: Training):
        addresses = ports.free(training.config.workers)
        job = Job(training, "q", (), None, {}, peers=addresses)
        self.processes, self._connections = [], []
        for rank in range(len(addresses)):
            ours, theirs = processes.context().Pipe(duplex=False)
            self.processes.append(processes.start(worker.run, theirs, replace(job, rank=rank)))
            self._connections.append(ours)
            theirs.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def until_progress(self, rank: int) -> None:
        """Wait for the first progress update of one worker."""
        while not isinstance(self._message(rank), ProgressUpdate):
            pass

    def results(self) -> list[Message]:
        """Wait for the end of each; returns their last messages."""
        last = []
        for rank in range(len(self.processes)):
            messages = []
            try:
                while True:
                    messages.append(self._message(rank))
            except EOFError:
                last.append(messages[-1])
        return last

    def _message(self, rank: int) -> Message:
        if not self._connections[rank].poll(PATIENCE_S):
            raise TimeoutError(f"worker {rank} sends nothing")
        return self._connections[rank].recv()


def make(directory: Path, text: str = QUESTION) -> Training:
    directory.mkdir()
    (directory / "q.yaml").write_text(text)
    (training,) = with_cost(runs.make_plan(load(directory / "q.yaml"), directory / "runs")).trainings
    return training


def by_workers(training: Training) -> Record:
    """Train it to its end."""
    with Workers(training) as workers:
        assert workers.results() == [Finished(), Finished()]
    return training.record


def by_devices(training: Training, record: Record, *devices: str, until: int = 4) -> Record:
    """Train it in this process."""
    arrays = Arrays(*data.load("digits", "train"), *data.load("digits", "test"))
    strategy = default_strategy(devices)
    assert train(training.config, training.seed, arrays, record, targets=(until,), strategy=strategy)
    return record


def weights(record: Record, step: int) -> dict[str, np.ndarray]:
    """Weights, their averages, statistics of batch normalization and the optimizer's slots."""
    reader = tf.train.load_checkpoint(str(record.checkpoints / f"step_{step:08d}" / "state"))
    return {n: reader.get_tensor(n) for n in reader.get_variable_to_shape_map() if n.endswith("VARIABLE_VALUE")}


def logits(record: Record, step: int) -> tuple[np.ndarray, np.ndarray]:
    with np.load(record.results_file(step)) as results:
        return results["logits_raw"], results["logits_ema"]


def assert_equal_to_rounding(one: Record, other: Record, step: int) -> None:
    """Equal but for the order in which float32 sums are taken.

    Every sum over the batch is one of two halves: its last bit (6e-8) differs, and four steps carry that on, to about
    1e-5 of the largest value of a tensor; a row of the batch that is missing or counted twice is a sixteenth. More steps,
    or larger ones, prove nothing: sooner or later a maximum of the pooling falls on another pixel.
    """
    expected, found = weights(one, step), weights(other, step)
    assert set(expected) == set(found) and len(expected) > 20
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-4 * np.abs(value).max(), err_msg=name)
    for value, same in zip(logits(one, step), logits(other, step), strict=True):
        np.testing.assert_allclose(same, value, rtol=0, atol=1e-4 * np.abs(value).max())
    np.testing.assert_allclose(other.row_at(step)["train/loss"], one.row_at(step)["train/loss"], rtol=1e-5)
    assert other.row_at(step)["train/accuracy"] == one.row_at(step)["train/accuracy"]


def assert_equal_to_the_bit(one: Record, other: Record, step: int) -> None:
    expected, found = weights(one, step), weights(other, step)
    assert set(expected) == set(found) and len(expected) > 20
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    for value, same in zip(logits(one, step), logits(other, step), strict=True):
        np.testing.assert_array_equal(same, value)
    clock = ("time", "train_s", "evaluate_s", "train/images_per_s")
    rows = [[{k: v for k, v in row.items() if k not in clock} for row in r.history()] for r in (one, other)]
    assert rows[0] == rows[1]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Training:
    """Trained by two workers."""
    training = make(tmp_path_factory.mktemp("multi_worker") / "undisturbed")
    by_workers(training)
    return training


def test_two_workers_train_as_one_device(undisturbed, tmp_path):
    one = by_devices(undisturbed, Record(tmp_path / "one"), "CPU:0")
    assert_equal_to_rounding(one, undisturbed.record, 4)


def test_only_the_chief_writes_the_record(undisturbed):
    names = {path.name for path in undisturbed.record.directory.iterdir()} - {".lock"}
    assert {"training.json", "history.csv", "worker.log", "worker.1.log"} <= names
    assert [row["step"] for row in undisturbed.record.history()] == [4, 12, 16, 24, 36, 48, 60]
    kept = sorted(path.name for path in undisturbed.record.checkpoints.iterdir())
    assert kept == ["step_00000004", "step_00000012", "step_00000016", "step_00000024", "step_00000060"]


def test_stopped_killed_and_taken_up_with_the_same_bits(undisturbed, tmp_path):
    training = make(tmp_path / "disturbed")

    with Workers(training) as workers:  # a stop that is asked of one stops both, at the same step
        workers.until_progress(0)
        os.kill(workers.processes[1].pid, signal.SIGTERM)
        assert workers.results() == [Stopped(), Stopped()]
    assert training.steps_to_train().first > 0

    with Workers(training) as workers:  # one is lost: the executor ends the other, which would wait for it
        workers.until_progress(0)
        workers.processes[1].kill()
        workers.processes[0].kill()
        workers.processes[0].join()
    assert not training.is_done()

    assert_equal_to_the_bit(undisturbed.record, by_workers(training), 60)


def test_one_device_goes_on_with_what_two_workers_have_begun(undisturbed, tmp_path):
    begun = Record(shutil.copytree(undisturbed.record.directory, tmp_path / "begun"))
    for path in (*begun.checkpoints.iterdir(), *begun.results_file(0).parent.iterdir()):
        if path.stem > "step_00000012":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert_equal_to_rounding(undisturbed.record, by_devices(undisturbed, begun, "CPU:0", until=16), 16)


def test_bfloat16(tmp_path):
    """In 8 bits of mantissa the two halves' rounding is seen at once, so here the measure is two devices of one process."""
    training = make(tmp_path / "narrow", QUESTION.replace("float32", "bfloat16"))
    pair = by_devices(training, Record(tmp_path / "pair"), "CPU:0", "CPU:1")
    assert_equal_to_rounding(pair, by_workers(training), 4)


def test_free_addresses():
    """Different, and nobody listens there."""
    addresses = ports.free(8)
    assert len(set(addresses)) == 8
    for address in addresses:
        host, port = address.split(":")
        with socket.socket() as listening:
            listening.bind((host, int(port)))


def _join_and_tell(connection, rank: int, peers: tuple[str, ...]) -> None:
    """Send whether each port at which TensorFlow listens has a filter of packets, once it has joined the others."""
    multi_worker.join(rank, peers)
    filters = {}
    for each in ports._sockets():
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            instructions = each.getsockopt(socket.SOL_SOCKET, 26, 64)  # SO_GET_FILTER; the length is their number
            filters[each.getsockname()[1]] = len(instructions)
    connection.send(filters)
    connection.recv()


@pytest.mark.skipif(not ports.CAN_REFUSE_OTHERS, reason="the kernel offers this on Linux")
def test_workers_on_one_machine_refuse_other_machines():
    addresses = ports.free(2)
    started = []
    for rank in range(2):
        ours, theirs = processes.context().Pipe()
        started.append((processes.start(_join_and_tell, theirs, rank, addresses), ours))
    try:
        for (_, connection), address in zip(started, addresses, strict=True):
            assert connection.poll(PATIENCE_S)
            assert connection.recv() == {int(address.rpartition(":")[2]): 4}
    finally:
        for process, connection in started:
            processes.end(process)
            connection.close()
