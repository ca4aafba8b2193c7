"""The trainer: averages, objective, checkpoints, replicas, and bits that stay the same."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from helpers.plans import register_negated
from helpers.small import config

from zoo import data
from zoo.storage.record import Record
from zoo.training import network as networks
from zoo.training import objective, schedules
from zoo.training.errors import Diverged
from zoo.training.events import TrainingEvents
from zoo.training.network import create_network, default_strategy
from zoo.training.steps import Totals, training_function
from zoo.training.trainer import Arrays, train


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    train_images, train_labels = data.load("digits", "train")
    test_images, test_labels = data.load("digits", "test")
    return Arrays(train_images, train_labels, test_images[:100], test_labels[:100])


class Stopping(TrainingEvents):
    def stop_requested(self) -> bool:
        return True


def trained(directory, arrays, seed=0, targets=None, columns=(), strategy=None, stop=False, **changes):
    """Train the small configuration; returns its record and the final logits (raw, averaged)."""
    record = Record(directory)
    settings = config(**changes)
    targets = targets or (settings.steps,)
    finished = train(
        settings,
        seed,
        arrays,
        record,
        targets=targets,
        columns=columns,
        strategy=strategy or default_strategy(["CPU:0"]),
        events=Stopping() if stop else None,
    )
    if not finished:
        return record, None
    with np.load(record.results_file(max(targets))) as results:
        return record, (results["logits_raw"], results["logits_ema"])


def without_clock(rows):
    return [
        {k: v for k, v in row.items() if k not in ("time", "train_s", "evaluate_s", "train/images_per_s")}
        for row in rows
    ]


def test_the_ramp_of_the_averages():
    # (1 + n) / (10 + n) by hand: 2/11 after one update, 11/20 after ten; capped from n = 89,990 on.
    values = [float(networks.decay_at(tf.constant(n), 0.9999)) for n in (1, 10, 1_000_000)]
    np.testing.assert_allclose(values, [2 / 11, 11 / 20, 0.9999], rtol=1e-6)


def test_averages_follow_tensorflows_own():
    variable, strategy = None, default_strategy(["CPU:0"])
    with strategy.scope():
        variable = tf.Variable([1.0, -2.0])
        ours = networks.create_averages([variable])
    theirs = tf.Variable([1.0, -2.0])
    step = tf.Variable(0)
    reference = tf.train.ExponentialMovingAverage(0.9999, num_updates=step)
    reference.apply([theirs])
    for n, value in enumerate([[3.0, 1.0], [0.5, 7.0], [2.0, 2.0]], start=1):
        variable.assign(value)
        theirs.assign(value)
        step.assign(n)
        reference.apply([theirs])
        strategy.run(lambda n=n: networks.update_averages(ours, [variable], n, 0.9999))
    np.testing.assert_allclose(ours[0].read_value(), reference.average(theirs), rtol=1e-6)


def test_averages_stand_in_and_the_weights_come_back_to_the_bit():
    network = create_network(config(), 0, 10, 1437, default_strategy(["CPU:0"]))
    before = [v.numpy() for v in network.model.trainable_variables]
    for average in network.averages:
        average.assign(tf.ones_like(average))
    with network.averaged():
        assert all((v.numpy() == 1).all() for v in network.model.trainable_variables)
    for old, new in zip(before, network.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


def test_weight_decay_by_hand():
    with default_strategy(["CPU:0"]).scope():
        model = keras.Sequential(
            [
                keras.layers.Conv2D(2, 1, input_shape=(2, 2, 3), kernel_initializer="ones", name="conv"),
                keras.layers.Flatten(),
                keras.layers.Dense(4, kernel_initializer="ones", name="hidden"),
                keras.layers.Dense(3, kernel_initializer="ones", name="last"),
            ]
        )
    # conv has 6 weights of 1, hidden 8 * 4 = 32; half the sum of squares: 3 and 16.
    for rule, layers, expected in [
        ("constant", "hidden", 0.004 * 16),
        ("constant", "all_but_last", 0.004 * (3 + 16)),
        ("per_layer", "hidden", 0.004 / 32 * 16),
        ("per_layer", "all_but_last", 0.004 / 6 * 3 + 0.004 / 32 * 16),
    ]:
        settings = config(weight_decay={"rule": rule, "scale": 0.004, "layers": layers})
        penalty = objective.weight_penalty(objective.decayed_kernels(model, layers), settings)
        np.testing.assert_allclose(float(penalty), expected, rtol=1e-6)


def test_the_tutorials_decay_acts_on_local3_and_local4():
    network = create_network(config(arguments={"hidden": (16, 8)}), 0, 10, 1437, default_strategy(["CPU:0"]))
    kernels = objective.decayed_kernels(network.model, "hidden")
    assert [tuple(kernel.shape) for kernel in kernels] == [(6 * 6 * 8, 16), (16, 8)]


def test_the_tutorials_learning_rate_is_a_staircase_of_350_epochs():
    settings = config(batch=128, schedule={"decay_factor": 0.1, "decay_every_epochs": 350.0})
    steps = int(50_000 / 128 * 350)  # the tutorial's own expression: 136,718
    rates = [schedules.learning_rate_at(settings, 50_000, n) for n in (0, steps - 1, steps, 2 * steps)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.001], rtol=1e-5)


def test_one_step_of_sgd_by_hand(tmp_path, arrays):
    """After one step every weight has moved by -0.1 times the gradient of cross entropy plus decay."""
    settings = config(steps=1)
    network = create_network(settings, 0, 10, len(arrays.train_images), default_strategy(["CPU:0"]))
    from zoo.data.batches import training_batch

    images, labels = tf.constant(arrays.train_images), tf.constant(arrays.train_labels, tf.int32)
    before = [v.numpy() for v in network.model.trainable_variables]
    pixels, targets = training_batch(images, labels, settings, 0, tf.constant(0, tf.int64))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(targets, network.model(pixels), from_logits=True)
        )
        hidden = network.model.get_layer("local3").kernel
        loss += 500 / hidden.shape.num_elements() * tf.reduce_sum(hidden**2) / 2
    gradients = tape.gradient(loss, network.model.trainable_variables)
    totals = training_function(network, images, labels, settings, 0)(0, 1, Totals())
    np.testing.assert_allclose(totals.loss, float(loss), rtol=1e-5)
    for old, gradient, variable in zip(before, gradients, network.model.trainable_variables, strict=True):
        np.testing.assert_allclose(variable.numpy(), old - 0.1 * gradient.numpy(), atol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path, arrays):
    _, (raw, averaged) = trained(tmp_path / "a", arrays)
    _, (again, averaged_again) = trained(tmp_path / "b", arrays)
    _, (other, _) = trained(tmp_path / "c", arrays, seed=1)
    np.testing.assert_array_equal(raw, again)
    np.testing.assert_array_equal(averaged, averaged_again)
    assert not np.array_equal(raw, other)
    assert not np.array_equal(raw, averaged)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"arguments": {"dropout": 0.5, "batch_norm": True}, "optimizer": {"name": "adam", "lr": 0.01}},
    ],
)
def test_a_training_that_is_stopped_and_resumed_gives_the_same_bits(tmp_path, arrays, changes):
    whole, logits = trained(tmp_path / "whole", arrays, **changes)
    for _ in range(20):  # stopped at every call into the compiled loop, wherever that falls
        record, resumed = trained(tmp_path / "parts", arrays, stop=True, **changes)
        if resumed:
            break
    np.testing.assert_array_equal(resumed[0], logits[0])
    np.testing.assert_array_equal(resumed[1], logits[1])
    assert without_clock(record.history()) == without_clock(whole.history())


def test_a_longer_training_goes_on_from_a_shorter_one_and_answers_for_it(tmp_path, arrays):
    short, at_6 = trained(tmp_path / "grown", arrays, targets=(6,))
    _, at_12 = trained(tmp_path / "grown", arrays, targets=(12,))
    both, direct = trained(tmp_path / "direct", arrays, targets=(6, 12))
    np.testing.assert_array_equal(at_12[0], direct[0])
    with np.load(both.results_file(6)) as results:
        np.testing.assert_array_equal(at_6[0], results["logits_raw"])
    assert [row["step"] for row in short.history()] == [6, 12]


def test_the_share_of_the_machine_that_others_took_is_in_the_history(tmp_path, arrays):
    settings = config(evaluate_every=6, steps=12)
    half_of_it = lambda: 0.5 * time.perf_counter()  # noqa: E731
    assert train(settings, 0, arrays, Record(tmp_path), targets=(12,), others_s=half_of_it)
    assert [row["others_busy"] for row in Record(tmp_path).history()] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_checkpoint_of_earlier_versions_does_not_know_what_else_ran(tmp_path, arrays):
    record, _ = trained(tmp_path, arrays, targets=(6,), steps=12, evaluate_every=6)
    (path,) = record.checkpoints.glob("*/progress.json")
    progress = json.loads(path.read_text())
    del progress["others_s"]
    path.write_text(json.dumps(progress))
    (path.parent / "checksums.json").unlink()
    assert train(config(evaluate_every=6, steps=12), 0, arrays, record, targets=(12,), others_s=time.perf_counter)
    assert "others_busy" not in record.history()[-1]


def test_a_milestone_keeps_its_predictions(tmp_path, arrays):
    record, _ = trained(tmp_path, arrays, milestones=(4, 400))
    assert [row["step"] for row in record.history()] == [4, 6, 12]
    assert record.has_result(4) and record.has_result(12) and not record.has_result(6)


def test_a_readout_that_was_added_later_is_evaluated_from_the_last_checkpoint(tmp_path, arrays):
    before, logits = trained(tmp_path, arrays)
    rows = before.history()
    register_negated()
    after, again = trained(tmp_path, arrays, columns=["test/accuracy_raw_negated"])
    np.testing.assert_array_equal(again[0], logits[0])
    with np.load(after.results_file(12)) as results:
        np.testing.assert_array_equal(results["logits_raw_negated"], -logits[0])
    assert [row["step"] for row in after.history()] == [6, 12]
    assert after.history()[0] == rows[0], "what was evaluated on the way stays as it was"
    assert rows[1].items() < after.history()[1].items()
    labels = np.asarray(arrays.test_labels)
    assert after.history()[1]["test/accuracy_raw_negated"] == np.mean(logits[0].argmin(axis=1) == labels)
    assert not after.missing([12], ["test/accuracy_raw_negated"])


@pytest.mark.parametrize("seed", range(5))
def test_two_devices_train_as_one(seed):
    """All augmentations, dropout and batch normalization included; equal to rounding, before it has grown."""
    one, two = (state_after(3, seed, *devices) for devices in (["CPU:0"], ["CPU:0", "CPU:1"]))
    assert len(one) == len(two)
    for expected, value in zip(one, two, strict=True):
        np.testing.assert_allclose(value, expected, rtol=0, atol=2e-5)


def state_after(steps: int, seed: int, *devices: str) -> list[np.ndarray]:
    """Loss, weights, moments of batch normalization and averages."""
    augment = {"crop": True, "flip": True, "brightness": 63.0, "contrast": (0.2, 1.8)}
    settings = config(arguments={"dropout": 0.5, "batch_norm": True}, augment=augment)
    strategy = default_strategy(devices)
    assert strategy.num_replicas_in_sync == len(devices)
    images, labels = data.load("digits", "train")
    network = create_network(settings, seed, 10, len(images), strategy)
    function = training_function(network, tf.constant(images), tf.constant(labels, tf.int32), settings, seed)
    totals = function(0, steps, Totals())
    return [
        np.array(totals.loss),
        *(v.numpy() for v in network.model.variables),
        *(v.numpy() for v in network.averages),
    ]


def test_a_batch_that_devices_cannot_share_is_refused(tmp_path, arrays):
    with pytest.raises(ValueError, match="batch of 15 cannot be shared evenly by 2 devices"):
        trained(tmp_path, arrays, strategy=default_strategy(["CPU:0", "CPU:1"]), batch=15)


def test_a_loss_that_is_not_a_number_stops_the_training_and_names_the_step(tmp_path, arrays):
    with pytest.raises(Diverged, match=r"not a number at step \d+"):
        trained(tmp_path, arrays, steps=60, optimizer={"name": "sgd", "lr": 1000.0, "momentum": 0.9})


def test_bfloat16_trains_close_to_float32(tmp_path, arrays):
    record, _ = trained(tmp_path / "wide", arrays, steps=60)
    narrow, (raw, _) = trained(tmp_path / "narrow", arrays, steps=60, precision="bfloat16")
    assert raw.dtype == np.float32
    losses = [r.history()[-1]["train/loss"] for r in (record, narrow)]
    assert abs(losses[0] - losses[1]) < 0.1 * losses[0]


def test_training_learns(tmp_path, arrays):
    off = {"crop": False, "flip": False, "brightness": 0.0, "contrast": None}
    record, _ = trained(tmp_path, arrays, steps=150, evaluate_every=150, augment=off, batch=32)
    assert record.history()[-1]["test/accuracy_raw"] > 0.6
