"""Dropout whose masks are a function of seed, layer and step."""

from __future__ import annotations

import contextlib
import math
import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tf_keras as keras

from zoo.models.layers.autograph import without_autograph

_LEVELS = 2**16  # of the random numbers that are compared with the rate


class _Randomness(NamedTuple):
    seed: Any
    step: Any
    first_row: Any
    global_rows: int


_context = threading.local()  # every replica of a MirroredStrategy traces in its own thread


@contextlib.contextmanager
def randomness(seed: Any, step: Any, first_row: Any, global_rows: int) -> Iterator[None]:
    """The randomness of ``Dropout`` layers: ``with randomness(...): model(x, training=True)``.

    ``seed`` (integer scalar) and ``step`` (int64 scalar) key the masks, which are drawn for the whole global batch of
    ``global_rows`` images; the input is its rows from ``first_row`` (integer scalar) on. So a step drops the same units
    however often the training was interrupted, and on any number of replicas.
    """
    outer = getattr(_context, "randomness", None)
    _context.randomness = _Randomness(seed, step, first_row, global_rows)
    try:
        yield
    finally:
        _context.randomness = outer


@keras.utils.register_keras_serializable("zoo")
class Dropout(keras.layers.Layer):
    """Dropout (Srivastava et al. 2014) without state: [B, ...] to the same shape; identity at inference.

    The mask is a function of the seed, the layer's name and the step alone (see ``randomness``), so that training
    resumes to the bit. ``rate`` is the fraction of values set to zero, in [0, 1); the others are scaled by 1 / (1 - rate).
    A value takes sixteen random bits, so the fraction is rounded to 2^-16; 32 bits take twice as long, several percent
    of a step of ``nin2``. Raises RuntimeError when it is called with ``training=True`` outside ``randomness``.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"the dropout rate must lie in [0, 1), not {rate!r}")
        self.rate = rate

    @without_autograph
    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not training or not self.rate:
            return inputs
        source = getattr(_context, "randomness", None)
        if source is None:
            raise RuntimeError(
                f"dropout layer {self.name!r} was called with training=True and no source of randomness: "
                "train through zoo.training, or call the model inside `with zoo.models.layers.randomness(...)`"
            )
        dropped = min(round(self.rate * _LEVELS), _LEVELS - 1)
        keep = self._random_values(inputs, source) >= dropped
        scale = tf.cast(_LEVELS / (_LEVELS - dropped), inputs.dtype)
        return tf.where(keep, inputs * scale, tf.zeros_like(inputs))

    def _random_values(self, inputs: tf.Tensor, source: _Randomness) -> tf.Tensor:
        """Uniform uint16 values for the rows of the input, out of those for the global batch."""
        layer_key = tf.stack([tf.cast(source.seed, tf.int64), tf.constant(zlib.crc32(self.name.encode()), tf.int64)])
        key = tf.random.experimental.stateless_fold_in(layer_key, tf.cast(source.step, tf.int64), alg="philox")
        values = math.prod(inputs.shape[1:])
        pairs = [source.global_rows, -(-values // 2)]
        drawn = tf.random.stateless_uniform(pairs, key, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
        if inputs.shape[0] != source.global_rows:
            first_row = tf.cast(source.first_row, tf.int32)
            drawn = drawn[first_row : first_row + tf.shape(inputs)[0]]
        halves = tf.reshape(tf.bitcast(drawn, tf.uint16), [-1, 2 * pairs[1]])
        return tf.reshape(halves[:, :values], [-1, *inputs.shape[1:]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}

    def in_plain_operations(self, inputs: tf.Tensor) -> tf.Tensor:
        """Nothing: an export holds nothing that only training does."""
        return inputs

    def macs_and_ops(self, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, int]:
        """Free: nothing is dropped at inference."""
        return 0, 0
