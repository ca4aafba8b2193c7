"""Optimizers and schedules: what they do to a weight, and how another one is added."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from helpers.small import config as small_config

from zoo.training import optimizers, schedules
from zoo.training.optimizers import SGD, Adam, AdamW, RMSprop


@pytest.mark.parametrize("sparse", [False, True])
def test_descent_without_momentum_by_hand(sparse):
    weights = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    gradient = tf.constant([[0.0, 0.0], [2.0, -2.0]])
    if sparse:
        gradient = tf.IndexedSlices(gradient[1:], tf.constant([1]), tf.constant([2, 2]))
    optimizer = SGD(lr=0.5, momentum=0.0).build(0.5)
    optimizer.build([weights])
    optimizer.apply_gradients([(gradient, weights)])
    np.testing.assert_array_equal(weights, [[1.0, 2.0], [2.0, 5.0]])


@pytest.mark.parametrize(
    "settings",
    [
        SGD(lr=0.1, momentum=0.9),
        SGD(lr=0.1, momentum=0.9, nesterov=True),
        Adam(lr=0.1),
        AdamW(lr=0.1),
        RMSprop(lr=0.1),
        RMSprop(lr=0.1, momentum=0.5),
    ],
)
def test_an_optimizer_keeps_as_many_values_a_weight_as_it_says(settings):
    weights = tf.Variable(tf.ones([5]))
    optimizer = settings.build(settings.lr)
    optimizer.build([weights])
    kept = sum(variable.shape == [5] for variable in optimizer.variables)
    assert kept == settings.slots


def steps(
    settings: optimizers.Optimizer, gradients: list[float], start: float = 1.0, name: str = "kernel"
) -> list[float]:
    """The weight after each step."""
    weight = tf.Variable([start], name=name)
    optimizer = settings.create(settings.lr)
    optimizer.build([weight])
    after = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant([gradient]), weight)])
        after.append(float(weight[0]))
    return after


def test_momentum_of_both_kinds_by_hand():
    """v = 0.5 v - 0.1 g; w += v, or by Nesterov w += 0.5 v - 0.1 g (Sutskever et al. 2013)."""
    assert steps(SGD(lr=0.1, momentum=0.5), [1.0, 1.0]) == pytest.approx([0.9, 0.9 - 0.15])
    nesterov = SGD(lr=0.1, momentum=0.5, nesterov=True)
    assert steps(nesterov, [1.0, 1.0]) == pytest.approx([1 - 0.05 - 0.1, 1 - 0.15 - 0.5 * 0.15 - 0.1])


def test_adamw_takes_a_fraction_of_kernels_alone():
    """Without a gradient Adam does nothing, and the decay takes 0.1 * 0.5 of the weight in each step."""
    settings = AdamW(lr=0.1, decay=0.5)
    assert steps(settings, [0.0, 0.0]) == pytest.approx([0.95, 0.95**2])
    for name in ("bias", "batch_norm/gamma", "batch_norm/beta"):
        assert steps(settings, [0.0, 0.0], name=name) == [1.0, 1.0]


def test_rmsprop_by_hand():
    """s = 0.9 s + 0.1 g^2; w -= 0.1 g / sqrt(s)."""
    assert steps(RMSprop(lr=0.1), [2.0]) == pytest.approx([1 - 0.1 * 2 / (0.1 * 4) ** 0.5], abs=1e-5)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_gradients_are_scaled_to_the_norm_of_all_of_them_together(momentum):
    """(3, 4) has the norm 5, which becomes 1; (0.3, 0.4) is left alone."""
    one, two = tf.Variable([0.0]), tf.Variable([0.0])
    settings = SGD(lr=1.0, momentum=momentum, clip_norm=1.0)
    optimizer = settings.create(settings.lr)
    optimizer.build([one, two])
    optimizer.apply_gradients([(tf.constant([3.0]), one), (tf.constant([4.0]), two)])
    assert [float(one[0]), float(two[0])] == pytest.approx([-0.6, -0.8])
    small = SGD(lr=1.0, momentum=0.0, clip_norm=1.0).create(1.0)
    small.build([one])
    small.apply_gradients([(tf.constant([0.3]), one)])
    assert float(one[0]) == pytest.approx(-0.9)


def rates(schedule: schedules.Schedule, at: list[int], **changes) -> list[float]:
    """At steps of a training of 100 images, 10 at a time: an epoch is 10 steps."""
    config = small_config(batch=10, schedule=schedule.model_dump(), optimizer={"name": "adam", "lr": 0.4}, **changes)
    return [schedules.learning_rate_at(config, 100, step) for step in at]


def test_schedules_by_hand():
    assert rates(schedules.Cosine(epochs=2), [0, 10, 20, 99]) == pytest.approx([0.4, 0.2, 0.0, 0.0], abs=1e-7)
    halved = schedules.Cosine(epochs=2, final_fraction=0.5)
    assert rates(halved, [0, 10, 20, 99]) == pytest.approx([0.4, 0.3, 0.2, 0.2])
    triangle = schedules.OneCycle(epochs=4, peak=0.25)
    assert rates(triangle, [0, 5, 10, 25, 40, 99]) == pytest.approx([0.0, 0.2, 0.4, 0.2, 0.0, 0.0], abs=1e-7)
    constant = schedules.Constant(warmup_epochs=0.4)
    assert rates(constant, [0, 1, 2, 3, 4, 99]) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    stairs = schedules.Staircase(decay_factor=0.5, decay_every_epochs=1, warmup_epochs=0.4)
    assert rates(stairs, [0, 3, 9, 10, 20]) == pytest.approx([0.1, 0.4, 0.4, 0.2, 0.1])


def test_what_does_nothing_is_known():
    assert SGD(lr=0.1, momentum=0.0, nesterov=True).idle() == {"nesterov": "momentum is 0"}
    assert SGD(lr=0.1, momentum=0.1, nesterov=True).idle() == {}
    assert set(schedules.Constant().idle()) == {"name", "warmup_epochs"}
    assert schedules.Constant(warmup_epochs=1).idle() == {}
