"""Moving averages of the trainable weights, with the ramp that lets them forget the initial weights.

Source: ``tf.train.ExponentialMovingAverage(decay, num_updates)``, as the TensorFlow CIFAR-10 tutorial uses it:
decay_n = min(decay, (1 + n) / (10 + n)) after n updates.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence

from zoo.models.layers.fused import in_one_pass


def create(variables: Sequence) -> list:
    """One average for each variable, starting at its value. Call it under the strategy's scope."""
    import tensorflow as tf

    return [
        tf.Variable(
            variable.read_value(),
            trainable=False,
            dtype=variable.dtype,
            name=f"average{place}",
            synchronization=tf.VariableSynchronization.ON_READ,  # every replica updates its own copy: they are equal
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        for place, variable in enumerate(variables)
    ]


def decay_at(updates, decay: float):
    """The decay after ``updates`` updates (an integer tensor): a float32 scalar."""
    import tensorflow as tf

    n = tf.cast(updates, tf.float32)
    return tf.minimum(tf.constant(decay, tf.float32), (1.0 + n) / (10.0 + n))


def update(averages: Sequence, variables: Sequence, updates, decay: float) -> None:
    """Move every average towards its variable, in place; ``updates`` counts this one too."""
    rate = 1.0 - decay_at(updates, decay)
    moved = _moved()([average.read_value() for average in averages], [v.read_value() for v in variables], rate)
    for average, value in zip(averages, moved, strict=True):
        average.assign(value)


@functools.cache
def _moved():
    def moved(averages, variables, rate):
        return [a - rate * (a - v) for a, v in zip(averages, variables, strict=True)]

    return in_one_pass(moved)


@contextlib.contextmanager
def in_place_of(averages: Sequence, variables: Sequence) -> Iterator[None]:
    """The averages stand in for the variables within this block; the variables come back to the bit after it."""
    import tensorflow as tf

    raw = [tf.identity(variable) for variable in variables]
    try:
        for variable, average in zip(variables, averages, strict=True):
            variable.assign(average.read_value())
        yield
    finally:
        for variable, value in zip(variables, raw, strict=True):
            variable.assign(value)
