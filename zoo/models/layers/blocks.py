"""Blocks that the families share: a layer with its initializers and, optionally, batch normalization."""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from zoo.models.layers.convolution import Conv2D
from zoo.models.layers.initialization import Role, initializers, variance_preserving
from zoo.models.layers.local import LocallyConnected2D


def conv(
    x: tf.Tensor,
    kernel: int,
    width: int,
    *,
    name: str,
    initializer: str,
    role: Role = "conv",
    stride: int = 1,
    batch_norm: bool = False,
    relu: bool = True,
) -> tf.Tensor:
    """Convolution ``kernel`` x ``kernel`` with ``width`` filters, SAME: [B, H, W, C] to [B, H / stride, W / stride, width].

    With ``batch_norm`` the normalization comes between the convolution and the ReLU, and the convolution has no bias:
    the normalization would subtract it, and has a shift of its own.
    """
    kernel_initializer, bias_initializer = initializers(initializer, role)
    layer = Conv2D(
        width,
        kernel,
        stride,
        padding="same",
        use_bias=not batch_norm,
        activation="relu" if relu and not batch_norm else None,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        name=name,
    )
    return _normalize(layer(x), name, relu) if batch_norm else layer(x)


def separable_conv(
    x: tf.Tensor,
    kernel: int,
    width: int,
    *,
    name: str,
    initializer: str,
    batch_norm: bool = False,
    relu: bool = True,
) -> tf.Tensor:
    """Depthwise separable convolution, stride 1, SAME: [B, H, W, C] to [B, H, W, width].

    One ``kernel`` x ``kernel`` filter for each map, then a 1x1 convolution, no ReLU between (arXiv:1610.02357, section 4.7).
    Batch normalization as in ``conv``.
    """
    x = keras.layers.DepthwiseConv2D(
        kernel,
        padding="same",
        use_bias=False,
        depthwise_initializer=variance_preserving(kernel**2),
        name=f"{name}_depthwise",
    )(x)
    return conv(x, 1, width, name=name, initializer=initializer, batch_norm=batch_norm, relu=relu)


def locally_connected(x: tf.Tensor, size: int, filters: int, *, name: str, initializer: str) -> tf.Tensor:
    """Locally connected layer with a ReLU, stride 1, SAME: [B, H, W, C] to [B, H, W, filters]."""
    return LocallyConnected2D(filters, size, *initializers(initializer, "hidden"), name=name)(x)


def hidden_dense(x: tf.Tensor, units: int, *, name: str, initializer: str, batch_norm: bool = False) -> tf.Tensor:
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


def logits_dense(x: tf.Tensor, classes: int, *, initializer: str, relu: bool = False) -> tf.Tensor:
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


def logits_average(x: tf.Tensor) -> tf.Tensor:
    """Class maps [B, H, W, classes] to their averages, float32 [B, classes]; the layer is named ``logits``."""
    return keras.layers.GlobalAveragePooling2D(dtype="float32", name="logits")(x)


def _normalize(x: tf.Tensor, name: str, relu: bool) -> tf.Tensor:
    # Synchronized: the moments are those of the global batch, so that two replicas train as one device does.
    x = keras.layers.BatchNormalization(synchronized=True, name=f"{name}_batch_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
