"""Train one configuration with one seed, from its newest checkpoint to the steps that are asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.data import samples
from zoo.data.pixels import in_color
from zoo.storage.atomic import write_atomically
from zoo.storage.record import Record
from zoo.storage.records import OTHERS_BUSY, Row
from zoo.training import checkpoints, evaluation, multi_worker, schedules
from zoo.training.checkpoints import Progress
from zoo.training.errors import Diverged, UnevenBatch
from zoo.training.events import ProgressUpdate, TrainingEvents
from zoo.training.network import TrainableNetwork, create_network, default_strategy
from zoo.training.steps import Steps, Totals, training_function

if TYPE_CHECKING:
    from zoo.config import Config

CALL_SECONDS = 0.5  # of one call into the compiled loop: how often progress is reported and a stop can be requested
CHECKPOINT_SECONDS = 120  # what a crash costs at most, beside the time since the last evaluation
_FIRST_CALL_STEPS = 10


class Arrays(NamedTuple):
    """A data set: images uint8 [N, H, W, 1 or 3] and labels [N], for training and for testing."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[Any]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[Any]


def train(
    config: Config,
    seed: int,
    data: Arrays,
    record: Record,
    *,
    targets: Sequence[int],
    columns: Sequence[str] = (),
    classes: int = 10,
    strategy: Any = None,
    events: TrainingEvents | None = None,
    others_s: Callable[[], float] = lambda: math.nan,
) -> bool:
    """Train until ``record`` has a result at each of ``targets`` (steps), keeping predictions there and at the milestones.

    A result has these ``columns`` in the history: one without is evaluated again.
    Resumes from the newest checkpoint before the first of them that is missing. Returns True at the end and False
    when ``events`` requested a stop, after a checkpoint. Raises Diverged when the loss is no longer finite, and
    UnevenBatch for a batch that the devices of the strategy cannot share evenly. ``others_s`` is a clock of what everything
    else on the machine computes (``zoo.measure.load``), and goes into the history as a share of the machine.

    Under a MultiWorkerMirroredStrategy each of its processes calls this with the same arguments: only the chief
    reports progress and writes to ``record``; a stop that is requested of one stops all.
    """
    import tensorflow as tf

    strategy, events = strategy or default_strategy(), events or TrainingEvents()
    if config.batch % strategy.num_replicas_in_sync:
        raise UnevenBatch(
            f"a batch of {config.batch} cannot be shared evenly by {strategy.num_replicas_in_sync} devices"
        )
    exchange = multi_worker.exchange_function(strategy)
    wanted = _steps_to_train(record, targets, columns) if multi_worker.is_chief(strategy) else (0, 0, 0)
    first, missing, last = (int(step) for step in exchange(wanted)[0])  # as the chief finds them
    if not last:
        return True
    network = create_network(config, seed, classes, len(data.train_images), strategy)
    with multi_worker.own_record(strategy, record) as own:
        images, labels = tf.constant(in_color(data.train_images)), tf.constant(data.train_labels, tf.int32)
        _write_samples(own, images, labels, config, seed)
        test_images = tf.constant(in_color(data.test_images))
        session = _Session(
            config=config,
            network=network,
            steps=training_function(network, images, labels, config, seed),
            evaluate=evaluation.evaluation_function(network, test_images, config, heartbeat=events.heartbeat),
            data=data,
            record=own,
            kept=frozenset({*targets, *(m for m in config.milestones if m <= last)}),
            exchange=exchange,
            events=events,
            others_s=others_s,
            progress=checkpoints.read(checkpoints.path_of(record, first), network) if first else Progress(others_s=0.0),
        )
        if first == missing:  # its checkpoint has been made after its evaluation: predictions or a readout are missing
            session.evaluate_again()
        return session.run(last)


@dataclass
class _Session:
    """A training in this process: all that advances it, and how far it is."""

    config: Config
    network: TrainableNetwork
    steps: Steps
    evaluate: Callable[[], evaluation.Logits]
    data: Arrays
    record: Record
    kept: frozenset[int]  # the steps whose predictions and checkpoints are kept
    exchange: Callable[[Sequence[int]], NDArray[np.int64]]
    events: TrainingEvents
    others_s: Callable[[], float]
    progress: Progress

    def run(self, last: int) -> bool:
        """Train to the step ``last``; False when a stop was requested before."""
        progress = self.progress
        self.record.write_history(progress.history)
        if progress.step == last:
            return True
        with self.network.kept():  # a step compiles everything, before the clock runs
            self.steps(progress.step, 1, Totals())
        count, saved_at = _FIRST_CALL_STEPS, time.monotonic()
        while progress.step < last:
            until = self._next_evaluation()
            count = min(count, until - progress.step)
            seconds = self._advance(count)
            if progress.totals.first_bad_step >= 0:
                raise Diverged(f"the loss is not a number at step {progress.totals.first_bad_step}")
            answers = self.exchange(
                (
                    progress.step < last and self.events.stop_requested(),
                    time.monotonic() - saved_at > CHECKPOINT_SECONDS,
                    max(1, min(10 * count, int(count * CALL_SECONDS / seconds))),
                )
            )
            stop, save = answers[:, 0].any(), answers[:, 1].any()
            loss = progress.totals.loss / (progress.step - progress.interval_step)
            row = self._add_evaluation() if progress.step == until else None
            if row or save or stop:
                self._save()
                saved_at = time.monotonic()
            if multi_worker.is_chief(self.network.strategy):
                speed = count * self.config.batch / seconds
                self.events.progress(ProgressUpdate(progress.step, loss, speed, row))
            if stop:
                return False
            count = int(answers[:, 2].min())
        return True

    def evaluate_again(self) -> None:
        """Make the predictions of this step anew, and its accuracies, to which readouts may have been added."""
        labels, logits = np.asarray(self.data.test_labels), evaluation.all_logits(self.network, self.evaluate)
        evaluation.write_result(self.record, self.progress.step, labels, logits)
        for row in self.progress.history:
            if row["step"] == self.progress.step:
                row |= evaluation.accuracies(logits, labels)

    def _next_evaluation(self) -> int:
        step, every = self.progress.step, self.config.evaluate_every
        return min((step // every + 1) * every, *(kept for kept in self.kept if kept > step))

    def _advance(self, count: int) -> float:
        """Train for ``count`` steps; returns their seconds."""
        progress = self.progress
        others_s, started = self.others_s(), time.perf_counter()
        progress.totals = self.steps(progress.step, count, progress.totals)
        seconds = time.perf_counter() - started
        progress.others_s += self.others_s() - others_s
        progress.step += count
        progress.seconds += seconds
        progress.interval_seconds += seconds
        return seconds

    def _add_evaluation(self) -> Row:
        """Add a row to the history, and keep the predictions where they are wanted."""
        config, progress, labels = self.config, self.progress, np.asarray(self.data.test_labels)
        started = time.perf_counter()
        logits = evaluation.all_logits(self.network, self.evaluate)
        count = progress.step - progress.interval_step
        rate = schedules.learning_rate_at(config, len(self.data.train_images), progress.step - 1)
        row = {
            "step": progress.step,
            "train/loss": progress.totals.loss / count,
            "train/accuracy": progress.totals.correct / (count * config.batch),
            "train/learning_rate": rate,
            "train/images_per_s": count * config.batch / progress.interval_seconds,
            **evaluation.accuracies(logits, labels),
            "train_s": progress.seconds,
            "evaluate_s": time.perf_counter() - started,
            "time": time.time(),
        }
        if not math.isnan(progress.others_s):
            row[OTHERS_BUSY] = min(1.0, max(0.0, progress.others_s / progress.seconds))
        if progress.step in self.kept:
            evaluation.write_result(self.record, progress.step, labels, logits)
        progress.history.append(row)
        progress.totals = Totals()
        progress.interval_seconds, progress.interval_step = 0.0, progress.step
        return row

    def _save(self) -> None:
        checkpoints.write(self.record, self.network, self.progress)
        self.record.write_history(self.progress.history)
        checkpoints.keep_only(self.record, {self.progress.step, *self.kept})


def _write_samples(record: Record, images: Any, labels: Any, config: Config, seed: int) -> None:
    path = record.directory / "samples.png"
    if not path.exists():
        picture = samples.picture(images, labels, config, seed)
        write_atomically(path, lambda file: picture.save(file, "PNG"))


def _steps_to_train(record: Record, targets: Sequence[int], columns: Sequence[str]) -> tuple[int, int, int]:
    """From which step, 0 or that of a checkpoint, by way of the first that lacks a result, to which it is still to be
    trained; all 0 when nothing is.
    """
    if record.missing(targets, columns):
        checkpoints.restore_history(record)
    missing = record.missing(targets, columns)
    if not missing:
        return 0, 0, 0
    return checkpoints.latest_whole(record, missing[0]), missing[0], missing[-1]
