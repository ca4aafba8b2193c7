"""Optimizers and schedules: what they do to a weight, and how another one is added."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from zoo.training.optimizers import SGD, Adam


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


@pytest.mark.parametrize("settings", [SGD(lr=0.1, momentum=0.9), Adam(lr=0.1)])
def test_an_optimizer_keeps_as_many_values_a_weight_as_it_says(settings):
    weights = tf.Variable(tf.ones([5]))
    optimizer = settings.build(settings.lr)
    optimizer.build([weights])
    kept = sum(variable.shape == [5] for variable in optimizer.variables)
    assert kept == settings.slots
