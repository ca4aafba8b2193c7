"""A convolution that computes the gradient of its kernel as a convolution where that is faster.

oneDNN's own kernel for it, in bfloat16, reaches half the speed of its convolutions on small maps. The gradient

    dK[i, j, c, o] = sum over b, y, x of X[b, y + i, x + j, c] * dY[b, y, x, o]

is itself a convolution: over the image of height y and width (x, c) with the channels b, by the kernel of height y and
width x with the channels b and the filters o, dilated by c in x, because neighbours in x lie c apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

# Where dY is small enough to stay in the cache, and the kernel large enough to pay for the transposes. Measured with 128
# images: on maps of 6 x 6 and 12 x 12 it takes 0.5 to 0.75 of the time, on maps of 24 x 24 more than oneDNN's own.
MOST_POSITIONS = 20_000
FEWEST_CHANNELS = 32
SMALLEST_KERNEL = 3


def convolution(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """``tf.nn.conv2d`` with stride 1 and SAME padding: [B, H, W, C] and [k, l, C, O] to [B, H, W, O].

    Its gradient is the same up to the order of float32 sums.
    """
    if not is_faster(x, kernel):
        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME")

    @tf.custom_gradient
    def convolved(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        def gradient(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            sizes = {"input_sizes": tf.shape(x), "strides": [1, 1, 1, 1], "padding": "SAME"}
            dx = tf.raw_ops.Conv2DBackpropInput(filter=kernel, out_backprop=dy, **sizes)
            return dx, kernel_gradient(x, dy, *kernel.shape[:2])

        return tf.nn.conv2d(x, kernel, strides=1, padding="SAME"), gradient

    return convolved(x, kernel)


def kernel_gradient(x: tf.Tensor, dy: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """[height, width, C, O] from the convolution's input [B, H, W, C] and the gradient of its output [B, H, W, O]."""
    batch, rows, columns, channels = x.shape
    above, left = (height - 1) // 2, (width - 1) // 2  # as SAME pads
    image = tf.reshape(tf.transpose(x, [1, 2, 3, 0]), [1, rows, columns * channels, batch])
    # The convolution pads by itself, so that oneDNN leaves out the products with zeros.
    margins = [[0, 0], [above, height - 1 - above], [left * channels, (width - 1 - left) * channels], [0, 0]]
    gradient = tf.nn.conv2d(image, tf.transpose(dy, [1, 2, 0, 3]), 1, margins, dilations=[1, 1, channels, 1])
    return tf.reshape(gradient, [height, width, channels, dy.shape[-1]])


def is_faster(x: tf.Tensor, kernel: tf.Tensor) -> bool:
    """Whether the gradient of this kernel is faster as a convolution: bfloat16 on a CPU, within the measured limits."""
    if x.dtype != tf.bfloat16 or None in x.shape or tf.config.list_physical_devices("GPU"):
        return False
    batch, rows, columns, channels = x.shape
    return bool(
        batch * rows * columns <= MOST_POSITIONS
        and channels >= FEWEST_CHANNELS
        and min(kernel.shape[:2]) >= SMALLEST_KERNEL
    )


@keras.utils.register_keras_serializable("zoo")
class Conv2D(keras.layers.Conv2D):
    """Keras' convolution, which trains faster with stride 1 and SAME padding (see ``zoo.models.layers.convolution``)."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if (self.strides, self.dilation_rate, self.padding, self.groups) != ((1, 1), (1, 1), "same", 1):
            return super().convolution_op(inputs, kernel)
        return convolution(inputs, tf.convert_to_tensor(kernel))

    def in_plain_operations(self, inputs: tf.Tensor) -> tf.Tensor:
        """The same as a layer of Keras' own, with a copy of the weights."""
        layer = keras.layers.Conv2D.from_config(self.get_config())
        output = layer(inputs)
        layer.set_weights(self.get_weights())
        return output

    def macs_and_ops(self, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, int]:
        """The same as for Keras' own: two operations per MAC, one for the bias, two for the ReLU."""
        outputs = math.prod(output_shape[1:])
        macs = outputs * math.prod(self.kernel.shape[:-1])
        is_linear = self.activation is keras.activations.linear
        return macs, 2 * macs + outputs * (self.use_bias + 2 * (not is_linear))
