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
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from zoo.host.quiet_import import quiet_import
from zoo.models.layers import fused
from zoo.models.layers.convolution import convolution

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
    layer = Conv2D(
        width,
        kernel,
        padding="same",
        use_bias=not batch_norm,
        activation="relu" if relu and not batch_norm else None,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        name=name,
    )
    return _normalize(layer(x), name, relu) if batch_norm else layer(x)


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
class Conv2D(keras.layers.Conv2D):
    """Keras' convolution, which trains faster with stride 1 and SAME padding (see ``zoo.models.layers.convolution``)."""

    def convolution_op(self, inputs, kernel):
        if (self.strides, self.dilation_rate, self.padding, self.groups) != ((1, 1), (1, 1), "same", 1):
            return super().convolution_op(inputs, kernel)
        return convolution(inputs, tf.convert_to_tensor(kernel))

    def macs_and_ops(self, input_shape, output_shape) -> tuple[int, int]:
        """As of Keras' own: two operations a MAC, one for the bias, two for the ReLU."""
        outputs = math.prod(output_shape[1:])
        macs = outputs * math.prod(self.kernel.shape[:-1])
        is_linear = self.activation is keras.activations.linear
        return macs, 2 * macs + outputs * (self.use_bias + 2 * (not is_linear))


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
    is equal. TensorFlow's own kernel takes about half of a training step on a CPU and does not exist in bfloat16.
    Gradients of the first order only.
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
    passes = _passes(x.shape[-1], radius, bias, alpha, beta, x.dtype)

    @tf.custom_gradient
    def normalize(v):
        y, sums = passes.scaled(v, passes.squared(v))
        return y, lambda g: passes.combined(v, sums, g, passes.weighed(v, sums, g))

    return normalize(x)


class _Passes(NamedTuple):
    """The normalization as functions each of which is one pass over its tensors.

    They take and give maps of ``x``'s type and compute in float32 (float64 in float64): in the 8 bits of bfloat16
    bias + alpha * sum would lose nearly all of its sum. Left to TensorFlow's own kernels, every operation would be a
    pass over memory of its own.
    """

    squared: Callable  # v -> v^2, laid out to be summed
    scaled: Callable  # v and that -> y and the sums
    weighed: Callable  # v, sums, g -> g * y / d, laid out to be summed
    combined: Callable  # v, sums, g and that -> the gradient of v


@functools.cache
def _passes(channels: int, radius: int, bias: float, alpha: float, beta: float, narrow: tf.DType) -> _Passes:
    wide = tf.float32 if narrow.size < 4 else narrow
    laid_out, window_sums = _shifts(channels, radius) if fused.is_compiled() else _band(channels, radius)

    def scale_and_inverse(sums):
        """d^-beta and 1 / d; for the usual 0.75 from roots, a power being far dearer."""
        d = bias + alpha * sums
        if beta != 0.75:
            return tf.pow(d, -beta), 1.0 / d
        root = tf.math.rsqrt(d)
        return root * tf.sqrt(root), root * root

    def squared(v):
        v = tf.cast(v, wide)
        return laid_out(v * v)

    def scaled(v, squares):
        sums = window_sums(squares)
        scale, _ = scale_and_inverse(sums)
        return tf.cast(tf.cast(v, wide) * scale, narrow), sums

    def weighed(v, sums, g):
        scale, inverse = scale_and_inverse(sums)
        return laid_out(tf.cast(g, wide) * tf.cast(v, wide) * scale * inverse)

    def combined(v, sums, g, weights):
        scale, _ = scale_and_inverse(sums)
        v, g = tf.cast(v, wide), tf.cast(g, wide)
        return tf.cast(g * scale - (2.0 * alpha * beta) * v * window_sums(weights), narrow)

    return _Passes(*map(fused.in_one_pass, (squared, scaled, weighed, combined)))


def _shifts(channels: int, radius: int) -> tuple[Callable, Callable]:
    """How a map is laid out to be summed, and the sums over the window: of the map between zeros, shifted.

    A compiler makes one loop of it. The layout is a pass of its own, or the map would be computed anew for every shift.
    """
    reach = min(radius, channels - 1)

    def laid_out(v):
        margin = tf.zeros_like(v[..., :reach])
        return tf.concat([margin, v, margin], axis=-1)

    def window_sums(laid):
        return functools.reduce(tf.add, [laid[..., shift : shift + channels] for shift in range(2 * reach + 1)])

    return laid_out, window_sums


def _band(channels: int, radius: int) -> tuple[Callable, Callable]:
    """The same as a product with a banded matrix: one operation where nothing compiles the shifts to one loop."""
    index = np.arange(channels)
    band = np.abs(index[:, None] - index[None, :]) <= radius

    def window_sums(v):
        return tf.nn.conv2d(v, tf.constant(band[None, None], v.dtype), strides=1, padding="SAME")

    return lambda v: v, window_sums


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
                "train through zoo.training, or call the model inside `with zoo.models.layers.randomness(...)`"
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
