"""The few blocks that tf_keras lacks, or that the families share. Importing this module imports TensorFlow.

All maps are NHWC. Under the Keras policy ``mixed_bfloat16`` the blocks compute in bfloat16 and the logits are float32.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import threading
import zlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from zoo.one_pass import in_one_pass
from zoo.quiet import quiet_import

with quiet_import():
    import tensorflow as tf
    import tf_keras as keras

Role = Literal["first", "conv", "hidden", "last"]

# Keras divides the standard deviation of a truncated normal by that of the unit normal cut at 2, so that the values
# drawn have the variance asked for. The source states the variance before the cut, hence the square of that figure.
_CUT_NORMAL_STD = 0.87962566103423978
_TUTORIAL_STD = {"first": 5e-2, "conv": 5e-2, "hidden": 0.04, "last": 1 / 192.0}
_LEVELS = 2**16  # of the random numbers that dropout compares with its rate
_TUTORIAL_BIAS = {"first": 0.0, "conv": 0.1, "hidden": 0.1, "last": 0.0}


def initializers(scheme: str, role: Role) -> tuple[keras.initializers.Initializer, keras.initializers.Initializer]:
    """Fresh (kernel, bias) initializers for one layer; ask again for every layer, a shared object repeats its values.

    Schemes: ``xavier``, a truncated normal of variance 1.3 * 2 / (fan_in + fan_out) before truncation, bias 0
    (tensorsandbox, after Glorot and Bengio 2010); ``tutorial``, the constants of the TensorFlow CIFAR-10 tutorial;
    ``he``, He et al. 2015 (arXiv:1502.01852), bias 0. ``role`` is the layer's place: the first convolution, another
    convolution, a hidden dense layer, or the last layer. Raises ValueError for another scheme.
    """
    if scheme == "xavier":
        variance_scale = 1.3 * _CUT_NORMAL_STD**2
        return keras.initializers.VarianceScaling(variance_scale, "fan_avg", "truncated_normal"), _constant(0.0)
    if scheme == "tutorial":
        return keras.initializers.TruncatedNormal(stddev=_TUTORIAL_STD[role]), _constant(_TUTORIAL_BIAS[role])
    if scheme == "he":
        return keras.initializers.HeNormal(), _constant(0.0)
    raise ValueError(f"no initializer scheme is named {scheme!r}; known: xavier, tutorial, he")


def _constant(value: float) -> keras.initializers.Initializer:
    return keras.initializers.Constant(value)


def conv(x, kernel: int, width: int, *, name: str, initializer: str, role: Role = "conv", batch_norm=False, relu=True):
    """Convolution ``kernel`` x ``kernel`` with ``width`` filters, stride 1, SAME: [B, H, W, C] to [B, H, W, width].

    With ``batch_norm`` the normalization comes between the convolution and the ReLU, and the convolution has no bias:
    the normalization would subtract it, and has a shift of its own.
    """
    kernel_initializer, bias_initializer = initializers(initializer, role)
    convolution = keras.layers.Conv2D(
        width,
        kernel,
        padding="same",
        use_bias=not batch_norm,
        activation="relu" if relu and not batch_norm else None,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        name=name,
    )
    return _normalize(convolution(x), name, relu) if batch_norm else convolution(x)


def hidden_dense(x, units: int, *, name: str, initializer: str, batch_norm=False):
    """Dense layer with a ReLU: [B, N] to [B, units]. Batch normalization as in ``conv``."""
    kernel_initializer, bias_initializer = initializers(initializer, "hidden")
    dense = keras.layers.Dense(
        units,
        use_bias=not batch_norm,
        activation=None if batch_norm else "relu",
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        name=name,
    )
    return _normalize(dense(x), name, relu=True) if batch_norm else dense(x)


def logits_dense(x, classes: int, *, initializer: str, relu=False):
    """The last dense layer, named ``logits``: [B, N] to float32 [B, classes], whatever the precision before it."""
    kernel_initializer, bias_initializer = initializers(initializer, "last")
    return keras.layers.Dense(
        classes,
        activation="relu" if relu else None,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        dtype="float32",
        name="logits",
    )(x)


def logits_average(x):
    """Class maps [B, H, W, classes] to their averages, float32 [B, classes]; the layer is named ``logits``."""
    return keras.layers.GlobalAveragePooling2D(dtype="float32", name="logits")(x)


def _normalize(x, name: str, relu: bool):
    # Synchronized: the moments are those of the global batch, so that two replicas train as one device does.
    x = keras.layers.BatchNormalization(synchronized=True, name=f"{name}_batch_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _as_written(call):
    """A layer's ``call`` without Python control flow on tensors, which AutoGraph is not to spend its time on."""
    kept = tf.autograph.experimental.do_not_convert(call)
    kept.__signature__ = inspect.signature(call)  # Keras looks whether there is an argument ``training``
    return kept


@keras.utils.register_keras_serializable("zoo")
class MaxPoolingOfReLU(keras.layers.MaxPooling2D):
    """Maxima of the ReLU of a map, for maps [B, H, W, C]: taken as the ReLU of the maxima.

    Values and gradients are the same to the bit, and the ReLU and its gradient, which on a processor take as long as
    memory does, pass over the pooled map only. It stands where a convolution without a ReLU is followed by a pool.
    """

    @_as_written
    def call(self, inputs):
        return tf.nn.relu(super().call(inputs))

    def macs_and_ops(self, input_shape, output_shape) -> tuple[int, int]:
        """The ReLU's two operations per element of the map that comes in: that of the layer before, as it is published."""
        return 0, 2 * math.prod(input_shape[1:])


@keras.utils.register_keras_serializable("zoo")
class LocalResponseNormalization(keras.layers.Layer):
    """y = x * (bias + alpha * sum of x^2 over the channels within ``radius``)^-beta, for maps [B, H, W, C].

    Krizhevsky et al. 2012, section 3.3, with the argument names of ``tf.nn.local_response_normalization``, to which it
    is equal. It is written as a product with a banded matrix because TensorFlow's own kernel takes about half of a
    training step on a CPU and does not exist in bfloat16. Gradients of the first order only.
    """

    def __init__(self, radius: int = 4, bias: float = 1.0, alpha: float = 0.001 / 9, beta: float = 0.75, **kwargs: Any):
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta

    @_as_written
    def call(self, inputs):
        return local_response_normalization(inputs, self.radius, self.bias, self.alpha, self.beta)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}

    def macs_and_ops(self, input_shape, output_shape) -> tuple[int, int]:
        """No MACs; four operations per element and channel of the window (36 at radius 4, the source's figure)."""
        return 0, 4 * (2 * self.radius + 1) * int(np.prod(output_shape[1:]))


def local_response_normalization(x, radius: int, bias: float, alpha: float, beta: float):
    """The function of ``LocalResponseNormalization``: floating-point [B, H, W, C] to the same shape and type.

    With d = bias + alpha * S(x^2), S the sum over the window: y = x * d^-beta, and from the gradient g of y comes that of
    x, g * d^-beta - 2 * alpha * beta * x * S(g * y / d).
    """
    narrow = x.dtype
    # Only the products with the band are taken in bfloat16: alpha makes their rounding small. bias + alpha * sum would
    # lose nearly all of its sum in 8 bits.
    wide = tf.float32 if narrow.size < 4 else narrow
    band = tf.constant(_band(x.shape[-1], radius)[None, None], narrow)
    square, scaled, weighed, combined = _elementwise(bias, alpha, beta, narrow, wide)

    def window_sum(v):  # the band is symmetric: the same product serves the gradient
        return tf.nn.conv2d(v, band, strides=1, padding="SAME")

    @tf.custom_gradient
    def normalize(v):
        sums = window_sum(square(v))
        return scaled(v, sums), lambda g: combined(v, sums, g, window_sum(weighed(v, sums, g)))

    return normalize(x)


@functools.cache
def _elementwise(bias: float, alpha: float, beta: float, narrow: tf.DType, wide: tf.DType):
    """What the normalization does between its products with the band: four functions, each one pass over its tensors.

    They take and give ``narrow`` and compute in ``wide``. Left to TensorFlow's own kernels, every operation would be a
    pass over memory of its own, and together they would take twice as long as the products.
    """

    def scale_and_inverse(sums):
        """d^-beta and 1 / d; for the usual 0.75 from roots, a power being far dearer."""
        d = bias + alpha * tf.cast(sums, wide)
        if beta != 0.75:
            return tf.pow(d, -beta), 1.0 / d
        root = tf.math.rsqrt(d)
        return root * tf.sqrt(root), root * root

    def square(v):
        v = tf.cast(v, wide)
        return tf.cast(v * v, narrow)

    def scaled(v, sums):
        scale, _ = scale_and_inverse(sums)
        return tf.cast(tf.cast(v, wide) * scale, narrow)

    def weighed(v, sums, g):
        scale, inverse = scale_and_inverse(sums)
        return tf.cast(tf.cast(g, wide) * tf.cast(v, wide) * scale * inverse, narrow)

    def combined(v, sums, g, inner):
        scale, _ = scale_and_inverse(sums)
        v, g, inner = (tf.cast(value, wide) for value in (v, g, inner))
        return tf.cast(g * scale - (2.0 * alpha * beta) * v * inner, narrow)

    return tuple(in_one_pass(f) for f in (square, scaled, weighed, combined))


def _band(channels: int, radius: int) -> np.ndarray:
    """[C, C] matrix of 0 and 1: one where two channels are at most ``radius`` apart."""
    index = np.arange(channels)
    return (np.abs(index[:, None] - index[None, :]) <= radius).astype(np.float64)


class _Randomness(NamedTuple):
    seed: Any
    step: Any
    first_row: Any
    global_rows: int


_context = threading.local()  # every replica of a MirroredStrategy traces in its own thread


@contextlib.contextmanager
def randomness(seed: Any, step: Any, first_row: Any, global_rows: int) -> Iterator[None]:
    """Gives ``Dropout`` its randomness: ``with randomness(...): model(x, training=True)``.

    ``seed`` (integer scalar) and ``step`` (int64 scalar) key the masks, which are drawn for the whole global batch of
    ``global_rows`` images; the batch at hand is rows ``first_row`` (integer scalar) onward. So the same step drops the
    same units however often training was interrupted, and on however many replicas.
    """
    outer = getattr(_context, "randomness", None)
    _context.randomness = _Randomness(seed, step, first_row, global_rows)
    try:
        yield
    finally:
        _context.randomness = outer


@keras.utils.register_keras_serializable("zoo")
class Dropout(keras.layers.Layer):
    """Dropout (Srivastava et al. 2014) without a hidden state: [B, ...] to the same shape; identity at inference.

    The mask is a function of the seed, the layer's name and the step alone (see ``randomness``), so that training
    resumes to the bit. ``rate`` is the share of values set to zero, in [0, 1); the others are scaled by 1 / (1 - rate).
    Sixteen random bits decide on a value, which takes the share to the nearest 2^-16: drawing 32 takes twice as
    long, several percent of a step of ``nin2``.
    Raises RuntimeError when it is called with ``training=True`` outside ``randomness``.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"the dropout rate must lie in [0, 1), not {rate!r}")
        self.rate = rate

    @_as_written
    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        source = getattr(_context, "randomness", None)
        if source is None:
            raise RuntimeError(
                f"dropout layer {self.name!r} was called with training=True and no source of randomness: "
                "train through zoo.training, or call the model inside `with zoo.layers.randomness(...)`"
            )
        dropped = min(round(self.rate * _LEVELS), _LEVELS - 1)
        keep = self._drawn(inputs, source) >= dropped
        scale = tf.cast(_LEVELS / (_LEVELS - dropped), inputs.dtype)
        return tf.where(keep, inputs * scale, tf.zeros_like(inputs))

    def _drawn(self, inputs, source: _Randomness):
        """Uniform uint16 values for the rows at hand, cut from those of the global batch."""
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

    def macs_and_ops(self, input_shape, output_shape) -> tuple[int, int]:
        """Free: inference does not drop."""
        return 0, 0
