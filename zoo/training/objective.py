"""What training minimizes and how: the loss, the weight decay, the optimizer and its learning rate."""

from __future__ import annotations

import functools


def optimizer(config, train_images: int):
    """The tf_keras optimizer of a configuration; ``train_images`` turns epochs of the schedule into steps."""
    import tf_keras as keras

    rate = learning_rate(config, train_images)
    if config.optimizer.name == "adam":
        return keras.optimizers.Adam(rate, jit_compile=False)
    if config.optimizer.momentum:
        return keras.optimizers.SGD(rate, momentum=config.optimizer.momentum, jit_compile=False)
    return _plain_descent()(rate, jit_compile=False)


@functools.cache
def _plain_descent():
    """Keras' SGD for no momentum, which it would keep all the same: five passes over the weights where one does."""
    import tensorflow as tf
    import tf_keras as keras

    class PlainDescent(keras.optimizers.SGD):
        def update_step(self, gradient, variable):
            if isinstance(gradient, tf.IndexedSlices):  # of an embedding in a user's own network
                return super().update_step(gradient, variable)
            rate = tf.cast(self.learning_rate, variable.dtype)
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)

    return PlainDescent


def learning_rate(config, train_images: int):
    """The learning rate: a number, or where it changes a tf_keras schedule, a function of the step."""
    import tf_keras as keras

    rate, schedule = config.optimizer.lr, config.schedule
    if not schedule.decay_every_epochs:
        return rate
    steps = max(1, int(schedule.decay_every_epochs * train_images / config.batch))
    return keras.optimizers.schedules.ExponentialDecay(rate, steps, schedule.decay_factor, staircase=True)


def learning_rate_at(config, train_images: int, step: int) -> float:
    """The learning rate of the update that is made at ``step``, counted from 0."""
    rate = learning_rate(config, train_images)
    return float(rate(step)) if callable(rate) else rate


def cross_entropy(logits, labels):
    """The cross entropy of each example: float32 [B] from logits [B, classes] and labels int32 [B]."""
    import tensorflow as tf

    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=tf.cast(logits, tf.float32))


def decayed_kernels(model, which: str) -> list:
    """The kernels that weight decay acts on.

    ``hidden``: those of every dense layer but the last layer (the tutorial's local3 and local4). ``all_but_last``: those of
    every layer but the last one that has any.
    """
    import tf_keras as keras

    holders = [layer for layer in model._flatten_layers(include_self=False) if kernels(layer)]
    if which == "hidden":
        return [k for layer in holders[:-1] if isinstance(layer, keras.layers.Dense) for k in kernels(layer)]
    return [k for layer in holders[:-1] for k in kernels(layer)]


def kernels(layer) -> list:
    """The kernels of one layer (a separable convolution has two), never its bias."""
    names = ("kernel", "depthwise_kernel", "pointwise_kernel")
    return [value for name in names if (value := getattr(layer, name, None)) is not None]


def weight_penalty(kernels_: list, config):
    """The weight decay's term of the loss, a float32 scalar.

    ``constant``: scale * sum(w^2) / 2 over all decayed kernels. ``per_layer``: the scale of each kernel is divided by its
    number of weights.
    """
    import tensorflow as tf

    decay = config.weight_decay
    terms = [
        (decay.scale / (k.shape.num_elements() if decay.rule == "per_layer" else 1)) * tf.nn.l2_loss(k)
        for k in kernels_
    ]
    return tf.add_n(terms) if terms else tf.constant(0.0)
