"""A locally connected layer: a convolution whose kernel is another one at every position."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

from zoo.models.layers.autograph import without_autograph


@keras.utils.register_keras_serializable("zoo")
class LocallyConnected2D(keras.layers.Layer):
    """Maps [B, H, W, C] to [B, H, W, filters] with stride 1 and SAME padding, a bias at every position, and a ReLU.

    Kernel [H, W, size * size * C, filters], bias [H, W, filters]. One product for all positions: Keras' own layer of this
    name has none with SAME padding that keeps only the weights that there are.

    Source: cuda-convnet's layer ``local`` (Krizhevsky 2012).
    """

    def __init__(self, filters: int, size: int, kernel_initializer: Any, bias_initializer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters, self.size = filters, size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: tf.TensorShape) -> None:
        _, height, width, channels = input_shape
        one = (self.size, self.size, channels, self.filters)
        shape = (height, width, self.size**2 * channels, self.filters)
        self.kernel = self.add_weight("kernel", shape, initializer=lambda *_, **__: self._kernels(one, shape))
        self.bias = self.add_weight("bias", (height, width, self.filters), initializer=self.bias_initializer)
        super().build(input_shape)

    def _kernels(self, one: Sequence[int], shape: Sequence[int]) -> tf.Tensor:
        """A kernel for each position, drawn by itself: the spread is that of a convolution's kernel."""
        config = self.kernel_initializer.get_config()
        drawn = []
        for _ in range(shape[0] * shape[1]):
            own = {"seed": random.randint(1, 2**31 - 1)} if "seed" in config else {}  # of Keras' global seed
            drawn.append(type(self.kernel_initializer).from_config({**config, **own})(one))
        return tf.reshape(tf.stack(drawn), shape)

    @without_autograph
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(tf.einsum("bhwk,hwkf->bhwf", self._patches(inputs), self.kernel) + self.bias)

    def _patches(self, inputs: tf.Tensor) -> tf.Tensor:
        """The window around each position, [B, H, W, size * size * C], with zeros beyond the map."""
        before = (self.size - 1) // 2
        margin = [before, self.size - 1 - before]
        padded = tf.pad(inputs, [[0, 0], margin, margin, [0, 0]])
        height, width = inputs.shape[1:3]
        places = [(row, column) for row in range(self.size) for column in range(self.size)]
        return tf.concat([padded[:, r : r + height, c : c + width] for r, c in places], axis=-1)

    def in_plain_operations(self, inputs: tf.Tensor) -> tf.Tensor:
        """The same as two layers of Keras' own, with a copy of the weights: theirs has no SAME padding."""
        before = (self.size - 1) // 2
        margin = (before, self.size - 1 - before)
        padded = keras.layers.ZeroPadding2D((margin, margin), name=f"{self.name}_pad")(inputs)
        layer = keras.layers.LocallyConnected2D(self.filters, self.size, activation="relu", name=self.name)
        output = layer(padded)
        height, width, depth, filters = self.kernel.shape
        layer.set_weights([self.kernel.numpy().reshape(height * width, depth, filters), self.bias.numpy()])
        return output

    def compute_output_shape(self, input_shape: tf.TensorShape) -> tf.TensorShape:
        return tf.TensorShape([*input_shape[:-1], self.filters])

    def get_config(self) -> dict[str, Any]:
        own = {
            "filters": self.filters,
            "size": self.size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
        return {**super().get_config(), **own}

    def macs_and_ops(self, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, int]:
        """As a convolution: two operations per MAC, one for the bias, two for the ReLU."""
        outputs = math.prod(output_shape[1:])
        macs = outputs * self.size**2 * input_shape[-1]
        return macs, 2 * macs + 3 * outputs
