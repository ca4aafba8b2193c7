"""What training minimizes: cross entropy and weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras as keras

    from zoo.config import Config


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The cross entropy of each example: float32 [B] from logits [B, classes] and labels int32 [B]."""
    import tensorflow as tf

    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=tf.cast(logits, tf.float32))


def decayed_kernels(model: keras.Model, which: str) -> list[tf.Variable]:
    """The kernels that weight decay acts on.

    ``hidden``: those of every dense or locally connected layer but the last layer (the tutorial's local3 and local4).
    ``all_but_last``: those of every layer but the last one that has any.
    """
    import tf_keras as keras

    from zoo.models.layers import LocallyConnected2D

    holders = [layer for layer in model._flatten_layers(include_self=False) if kernels(layer)]
    if which == "hidden":
        kinds = (keras.layers.Dense, LocallyConnected2D)
        return [k for layer in holders[:-1] if isinstance(layer, kinds) for k in kernels(layer)]
    return [k for layer in holders[:-1] for k in kernels(layer)]


def kernels(layer: keras.layers.Layer) -> list[tf.Variable]:
    """The kernels of one layer (a separable convolution has two), never its bias."""
    names = ("kernel", "depthwise_kernel", "pointwise_kernel")
    return [value for name in names if (value := getattr(layer, name, None)) is not None]


def weight_penalty(decayed: Sequence[tf.Variable], config: Config) -> Any:
    """The weight decay's term of the loss, a float32 scalar.

    ``constant``: scale * sum(w^2) / 2 over all decayed kernels. ``per_layer``: the scale of each kernel is divided by its
    number of weights.
    """
    import tensorflow as tf

    decay = config.weight_decay
    terms = [
        (decay.scale / (k.shape.num_elements() if decay.rule == "per_layer" else 1)) * tf.nn.l2_loss(k) for k in decayed
    ]
    return tf.add_n(terms) if terms else tf.constant(0.0)
