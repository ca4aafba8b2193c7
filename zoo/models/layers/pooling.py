"""Max pooling that includes the ReLU of its input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf
import tf_keras as keras

from zoo.models.layers.autograph import without_autograph


@keras.utils.register_keras_serializable("zoo")
class MaxPoolingOfReLU(keras.layers.MaxPooling2D):
    """Max pooling of the ReLU of a map [B, H, W, C], computed as the ReLU of the maxima.

    Values and gradients are the same to the bit, and the ReLU and its gradient, which are limited by memory bandwidth,
    pass over the smaller map. Use it after a convolution that has no ReLU.
    """

    @without_autograph
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(super().call(inputs))

    def in_plain_operations(self, inputs: tf.Tensor) -> tf.Tensor:
        """The same as two layers of Keras' own."""
        pooled = keras.layers.MaxPooling2D(self.pool_size, self.strides, self.padding, name=self.name)(inputs)
        return keras.layers.ReLU(name=f"{self.name}_relu")(pooled)

    def macs_and_ops(self, input_shape: Sequence[int], output_shape: Sequence[int]) -> tuple[int, int]:
        """Two operations per element of the input, for the ReLU: the published counts have it before the pool."""
        return 0, 2 * math.prod(input_shape[1:])
