"""Train one configuration with one seed, from wherever it was left, to the steps that are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo import models
from zoo.measure.accuracy import accuracy, top_k_accuracy
from zoo.storage.atomic import write_atomically
from zoo.storage.record import Record
from zoo.storage.records import Row
from zoo.training import averages as moving_averages
from zoo.training import checkpoints, multi_worker, samples, schedules
from zoo.training.checkpoints import Progress
from zoo.training.errors import Diverged, UnevenBatch
from zoo.training.events import ProgressUpdate, TrainingEvents
from zoo.training.steps import Network, Totals, evaluation_function, training_function

CALL_SECONDS = 0.5  # of one call into the compiled loop: progress is seen, and a stop heeded, this often
CHECKPOINT_SECONDS = 120  # what a crash costs at most, beside the time since the last evaluation


class Arrays(NamedTuple):
    """A data set: images uint8 [N, H, W, 1 or 3] and labels [N], for training and for testing."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def train(
    config,
    seed: int,
    data: Arrays,
    record: Record,
    *,
    targets: Sequence[int],
    classes: int = 10,
    strategy: Any = None,
    events: TrainingEvents | None = None,
) -> bool:
    """Train until ``record`` has a result at each of ``targets`` (steps), keeping predictions there and at the milestones.

    Takes up the newest checkpoint that comes before the first of them that is missing. Returns True at the end and False
    when ``events`` requested a stop, after a checkpoint. Raises Diverged when the loss is no longer finite, and ValueError
    for a batch that the devices of the strategy cannot share evenly.

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
    first, last = (int(step) for step in exchange(_span(record, targets))[0])  # as the chief finds them
    if first == last:
        return True
    network = create_network(config, seed, classes, len(data.train_images), strategy)
    with multi_worker.own_record(strategy, record) as own:
        images, labels = tf.constant(_in_color(data.train_images)), tf.constant(data.train_labels, tf.int32)
        samples.write(own, images, labels, config, seed)
        steps = training_function(network, images, labels, config, seed)
        evaluate = evaluation_function(
            network, tf.constant(_in_color(data.test_images)), config, alive=events.heartbeat
        )

        keep = {*targets, *(m for m in config.milestones if m <= last)}
        progress = checkpoints.read(checkpoints.place(record, first), network) if first else Progress()
        own.write_history(progress.history)
        steps(progress.step, 0, progress.totals)  # trace and compile before the clock runs

        count, saved_at = 10, time.monotonic()
        while progress.step < last:
            until = min(_next_evaluation(progress.step, config.evaluate_every), *(s for s in keep if s > progress.step))
            count = min(count, until - progress.step)
            seconds = _advance(progress, steps, count)
            if progress.totals.first_bad_step >= 0:
                raise Diverged(f"the loss is not a number at step {progress.totals.first_bad_step}")
            heard = exchange(
                (
                    progress.step < last and events.stop_requested(),
                    time.monotonic() - saved_at > CHECKPOINT_SECONDS,
                    max(1, min(10 * count, int(count * CALL_SECONDS / seconds))),
                )
            )
            stop, save = heard[:, :2].any(axis=0)
            loss = progress.totals.loss / (progress.step - progress.interval_step)
            row = None
            if progress.step == until:
                row = _evaluate(progress, network, evaluate, data, config, own, progress.step in keep)
            if row or save or stop:
                checkpoints.write(own, network, progress)
                own.write_history(progress.history)
                checkpoints.keep_only(own, {progress.step, *keep})
                saved_at = time.monotonic()
            if multi_worker.is_chief(strategy):
                events.progress(ProgressUpdate(progress.step, loss, count * config.batch / seconds, row))
            if stop:
                return False
            count = int(heard[:, 2].min())
    return True


def create_network(config, seed: int, classes: int, train_images: int, strategy) -> Network:
    """The model at its seeded initial weights, its averages and its optimizer, under the strategy."""
    import tf_keras as keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16" if config.precision == "bfloat16" else "float32")
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = models.build(config.model, input_size=config.input_size, classes=classes, **config.arguments)
        averages = moving_averages.create(model.trainable_variables)
        optimizer = config.optimizer.build(schedules.learning_rate(config, train_images))
        optimizer.build(model.trainable_variables)
    return Network(strategy, model, averages, optimizer)


def default_strategy(devices: Sequence[str] | None = None):
    """A MirroredStrategy over ``devices``, by default over all GPUs, or the CPU where there is none."""
    import tensorflow as tf

    devices = devices or [f"GPU:{i}" for i, _ in enumerate(tf.config.list_logical_devices("GPU"))] or ["CPU:0"]
    # The default collectives fail for a second model of another size in the same process.
    reduction = tf.distribute.ReductionToOneDevice() if devices[0].startswith("CPU") else None
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)


def _span(record: Record, targets: Sequence[int]) -> tuple[int, int]:
    """From which step, 0 or that of a checkpoint, to which it is still to be trained; equal when nothing is."""
    missing = record.missing(targets)
    if not missing:
        return 0, 0
    return checkpoints.latest_whole(record, at_most=missing[0] - 1), missing[-1]


def _in_color(images: np.ndarray) -> np.ndarray:
    """Images [N, H, W, 3], those of one channel with it repeated."""
    return np.repeat(images, 3, axis=3) if images.shape[-1] == 1 else images


def _next_evaluation(step: int, every: int) -> int:
    return (step // every + 1) * every


def _advance(progress: Progress, steps: Callable[..., Totals], count: int) -> float:
    """Run ``count`` steps; returns their seconds."""
    started = time.perf_counter()
    progress.totals = steps(progress.step, count, progress.totals)
    seconds = time.perf_counter() - started
    progress.step += count
    progress.seconds += seconds
    progress.interval_seconds += seconds
    return seconds


def _evaluate(progress: Progress, network: Network, evaluate, data: Arrays, config, record: Record, keep: bool) -> Row:
    """Add a row to the history, of both the raw and the averaged weights, and keep the predictions if they are wanted."""
    labels = np.asarray(data.test_labels)
    started = time.perf_counter()
    raw = evaluate()
    with moving_averages.in_place_of(network.averages, network.model.trainable_variables):
        averaged = evaluate()
    count = progress.step - progress.interval_step
    row = {
        "step": progress.step,
        "train/loss": progress.totals.loss / count,
        "train/accuracy": progress.totals.correct / (count * config.batch),
        "train/learning_rate": schedules.learning_rate_at(config, len(data.train_images), progress.step - 1),
        "train/images_per_s": count * config.batch / progress.interval_seconds,
        "test/accuracy_raw": accuracy(raw, labels),
        "test/accuracy_ema": accuracy(averaged, labels),
        "test/top5_raw": top_k_accuracy(raw, labels, 5),
        "test/top5_ema": top_k_accuracy(averaged, labels, 5),
        "train_s": progress.seconds,
        "evaluate_s": time.perf_counter() - started,
        "time": time.time(),
    }
    if keep:
        arrays = {"labels": labels, "logits_raw": raw, "logits_ema": averaged}
        write_atomically(record.results_file(progress.step), lambda file: np.savez(file, **arrays))
    progress.history.append(row)
    progress.totals = Totals()
    progress.interval_seconds, progress.interval_step = 0.0, progress.step
    return row
