"""Optimizers: how a gradient becomes a step of the weights. Another one is another registered class.

TensorFlow is imported when one is built.
"""

from __future__ import annotations

import functools
from typing import Any, Literal

from zoo.registry import Choice, Choices, number


class Optimizer(Choice):
    """The settings of one optimizer."""

    lr: float = number("a number above 0, at most 1,000", gt=0, le=1000)

    def build(self, rate: Any) -> Any:
        """The tf_keras optimizer with the learning rate ``rate``, a number or a tf_keras schedule."""
        raise NotImplementedError

    @property
    def slots(self) -> int:
        """How many values it needs for each weight."""
        raise NotImplementedError


OPTIMIZERS = Choices(Optimizer)


@OPTIMIZERS.register
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where it is not 0."""

    name: Literal["sgd"] = "sgd"
    momentum: float = number("a number from 0 to below 1", ge=0, lt=1)

    def build(self, rate: Any) -> Any:
        import tf_keras as keras

        if self.momentum:
            return keras.optimizers.SGD(rate, momentum=self.momentum, jit_compile=False)
        return _plain_descent()(rate, jit_compile=False)

    @property
    def slots(self) -> int:
        return int(self.momentum > 0)


@OPTIMIZERS.register
class Adam(Optimizer):
    """Adam (Kingma and Ba, arXiv:1412.6980) with Keras' defaults."""

    name: Literal["adam"] = "adam"

    def build(self, rate: Any) -> Any:
        import tf_keras as keras

        return keras.optimizers.Adam(rate, jit_compile=False)

    @property
    def slots(self) -> int:
        return 2


@functools.cache
def _plain_descent() -> Any:
    """Keras' SGD for no momentum, which it would keep all the same: five passes over the weights where one does."""
    import tensorflow as tf
    import tf_keras as keras

    class PlainDescent(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any) -> Any:
            if isinstance(gradient, tf.IndexedSlices):  # of an embedding in a user's own network
                return super().update_step(gradient, variable)
            rate = tf.cast(self.learning_rate, variable.dtype)
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)

    return PlainDescent
