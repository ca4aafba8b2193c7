"""Local response normalization (Krizhevsky et al. 2012), fast and in bfloat16."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras as keras

from zoo.models.layers import fused
from zoo.models.layers.autograph import without_autograph

TensorFunction = Callable[..., Any]  # of tensors, to a tensor or a tuple of tensors


@keras.utils.register_keras_serializable("zoo")
class LocalResponseNormalization(keras.layers.Layer):
    """y = x * (bias + alpha * sum of x^2 over the channels within ``radius``)^-beta, for maps [B, H, W, C].

    Krizhevsky et al. 2012, section 3.3, with the argument names of ``tf.nn.local_response_normalization``, to which it
    is equal. TensorFlow's own kernel takes about half of a training step on a CPU and does not exist in bfloat16.
    Gradients of the first order only.
    """

    def __init__(self, radius: int = 4, bias: float = 1.0, alpha: float = 0.001 / 9, beta: float = 0.75, **kwargs: Any):
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta

    @without_autograph
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return local_response_normalization(inputs, self.radius, self.bias, self.alpha, self.beta)

    def compute_output_shape(self, input_shape: tf.TensorShape) -> tf.TensorShape:
        return input_shape

    def in_plain_operations(self, inputs: tf.Tensor) -> tf.Tensor:
        """The same with TensorFlow's own operation, which export formats know."""
        return tf.nn.local_response_normalization(
            inputs, depth_radius=self.radius, bias=self.bias, alpha=self.alpha, beta=self.beta, name=self.name
        )

    def get_config(self) -> dict[str, Any]:
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}

    def macs_and_ops(self, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, int]:
        """No MACs; four operations per element and channel of the window (36 at radius 4, the source's figure)."""
        return 0, 4 * (2 * self.radius + 1) * int(np.prod(output_shape[1:]))


def local_response_normalization(x: tf.Tensor, radius: int, bias: float, alpha: float, beta: float) -> tf.Tensor:
    """What ``LocalResponseNormalization`` computes: floating-point [B, H, W, C] to the same shape and type.

    With d = bias + alpha * S(x^2), S the sum over the window: y = x * d^-beta. With g the gradient of y, that of x is
    g * d^-beta - 2 * alpha * beta * x * S(g * y / d).
    """
    passes = _passes(x.shape[-1], radius, bias, alpha, beta, x.dtype, fused.is_compiled())

    @tf.custom_gradient
    def normalize(v: tf.Tensor) -> tuple[tf.Tensor, TensorFunction]:
        y, sums = passes.scaled(v, passes.squared(v))
        return y, lambda g: passes.combined(v, sums, g, passes.weighted(v, sums, g))

    return normalize(x)


class _Passes(NamedTuple):
    """The normalization as functions that are one pass over memory each; with TensorFlow's kernels each operation is one.

    They take and return maps of ``x``'s type and compute in float32 (float64 in float64): in the 8 bits of bfloat16
    bias + alpha * sum would lose nearly all of its sum.
    """

    squared: TensorFunction  # v -> squares: v^2, in the layout for summing
    scaled: TensorFunction  # v, squares -> y, sums
    weighted: TensorFunction  # v, sums, g -> weights: g * y / d, in the layout for summing
    combined: TensorFunction  # v, sums, g, weights -> the gradient of v


@functools.cache
def _passes(
    channels: int, radius: int, bias: float, alpha: float, beta: float, narrow: tf.DType, compiled: bool
) -> _Passes:
    wide = tf.float32 if narrow.size < 4 else narrow
    to_layout, window_sums = _shifts(channels, radius) if compiled else _band(channels, radius)

    def scale_and_inverse(sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """d^-beta and 1 / d; for the usual 0.75 from roots, which cost far less than a power."""
        d = bias + alpha * sums
        if beta != 0.75:
            return tf.pow(d, -beta), 1.0 / d
        root = tf.math.rsqrt(d)
        return root * tf.sqrt(root), root * root

    def squared(v: tf.Tensor) -> tf.Tensor:
        v = tf.cast(v, wide)
        return to_layout(v * v)

    def scaled(v: tf.Tensor, squares: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        sums = window_sums(squares)
        scale, _ = scale_and_inverse(sums)
        return tf.cast(tf.cast(v, wide) * scale, narrow), sums

    def weighted(v: tf.Tensor, sums: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        scale, inverse = scale_and_inverse(sums)
        return to_layout(tf.cast(g, wide) * tf.cast(v, wide) * scale * inverse)

    def combined(v: tf.Tensor, sums: tf.Tensor, g: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        scale, _ = scale_and_inverse(sums)
        v, g = tf.cast(v, wide), tf.cast(g, wide)
        return tf.cast(g * scale - (2.0 * alpha * beta) * v * window_sums(weights), narrow)

    functions: tuple[TensorFunction, ...] = (squared, scaled, weighted, combined)
    return _Passes(*map(fused.in_one_pass, functions))


def _shifts(channels: int, radius: int) -> tuple[TensorFunction, TensorFunction]:
    """(layout of a map for summing, sums over the window in that layout): shifted copies of the map, padded with zeros.

    XLA makes one loop of it. The layout is a pass of its own, or every shift would compute the map again.
    """
    reach = min(radius, channels - 1)

    def to_layout(v: tf.Tensor) -> tf.Tensor:
        margin = tf.zeros_like(v[..., :reach])
        return tf.concat([margin, v, margin], axis=-1)

    def window_sums(padded: tf.Tensor) -> tf.Tensor:
        return functools.reduce(tf.add, [padded[..., shift : shift + channels] for shift in range(2 * reach + 1)])

    return to_layout, window_sums


def _band(channels: int, radius: int) -> tuple[TensorFunction, TensorFunction]:
    """The same as a product with a banded matrix: a single operation, for where nothing is compiled."""
    index = np.arange(channels)
    band = np.abs(index[:, None] - index[None, :]) <= radius

    def window_sums(v: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(v, tf.constant(band[None, None], v.dtype), strides=1, padding="SAME")

    return lambda v: v, window_sums
