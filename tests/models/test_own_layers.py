"""A user's own layer may branch and loop on tensors: it is trained and evaluated as it is written."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from helpers.small import config

from zoo import data, models
from zoo.storage.record import Record
from zoo.training.network import default_strategy
from zoo.training.trainer import Arrays, train


class Branching(keras.layers.Layer):
    """2x or 3x, as the batch's first pixel is above or below the mean of its image."""

    def call(self, inputs):
        if tf.reduce_sum(inputs[0, 0, 0]) > 0:
            return inputs * 2.0
        return inputs * 3.0


class Selecting(keras.layers.Layer):
    """The same, without control flow."""

    def call(self, inputs):
        return inputs * tf.where(tf.reduce_sum(inputs[0, 0, 0]) > 0, 2.0, 3.0)


class Doubling(keras.layers.Layer):
    """Always 2x, by a loop that only the tensors can end."""

    def call(self, inputs):
        doubled = inputs
        while tf.reduce_sum(tf.abs(doubled)) < 1.5 * tf.reduce_sum(tf.abs(inputs)):
            doubled = doubled + inputs
        return doubled


class Twice(keras.layers.Layer):
    """Always 2x."""

    def call(self, inputs):
        return inputs + inputs


LAYERS = {layer.__name__: layer for layer in (Branching, Selecting, Doubling, Twice)}


@pytest.fixture(scope="module")
def own_network():
    def own(input_size: int = 24, classes: int = 10, layer: str = "Twice"):
        images = keras.Input((input_size, input_size, 3))
        features = keras.layers.Flatten()(LAYERS[layer](name="own")(images))
        return keras.Model(images, keras.layers.Dense(classes, dtype="float32")(features))

    with models.restored():
        models.register("own_layers")(own)
        yield


@pytest.fixture(scope="module")
def logits(own_network, tmp_path_factory) -> dict[str, np.ndarray]:
    """Each layer's network, trained on the digits for a few steps: its logits of a hundred images, raw and averaged."""
    return {layer: _logits(tmp_path_factory.mktemp(layer), layer) for layer in LAYERS}


def _logits(directory, layer: str) -> np.ndarray:
    settings = config(model="own_layers").model_copy(update={"arguments": {"layer": layer}, "steps": 8})
    images, labels = data.load("digits", "test")
    arrays = Arrays(*data.load("digits", "train"), images[:100], labels[:100])
    record = Record(directory)
    assert train(settings, 0, arrays, record, targets=(8,), strategy=default_strategy(["CPU:0"]))
    with np.load(record.results_file(8)) as results:
        return np.stack([results["logits_raw"], results["logits_ema"]])


def test_a_branch_on_a_tensor_is_taken_anew_at_every_step(logits):
    np.testing.assert_array_equal(logits["Branching"], logits["Selecting"])
    assert not np.array_equal(logits["Branching"], logits["Twice"])


def test_a_loop_on_a_tensor_ends_where_it_should(logits):
    np.testing.assert_array_equal(logits["Doubling"], logits["Twice"])
