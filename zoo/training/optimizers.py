"""Optimizers: how a gradient becomes a step of the weights. Another one is another registered class.

TensorFlow is imported when one is built.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal

from zoo.registry import Bool, Choice, Choices, number


class Optimizer(Choice):
    """The settings of one optimizer."""

    lr: float = number("a number above 0, at most 1,000", gt=0, le=1000)
    clip_norm: float = number("a number, 0 (the gradients are as they are) or more", ge=0, le=1e6, default=0.0)

    def create(self, rate: Any) -> Any:
        """What ``build`` gives; with ``clip_norm`` the gradients are scaled down to that norm of all of them together
        (Pascanu et al., arXiv:1211.5063), summed over the devices."""
        optimizer = self.build(rate)
        if self.clip_norm:
            optimizer.global_clipnorm = self.clip_norm
        return optimizer

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
    """Stochastic gradient descent, with momentum where it is not 0, by Nesterov's rule or the classical one."""

    name: Literal["sgd"] = "sgd"
    momentum: float = number("a number from 0 to below 1", ge=0, lt=1)
    nesterov: Bool = False

    def idle(self) -> Mapping[str, str]:
        return {} if self.momentum else {"nesterov": "momentum is 0"}

    def build(self, rate: Any) -> Any:
        import tf_keras as keras

        if self.momentum:
            return keras.optimizers.SGD(rate, momentum=self.momentum, nesterov=self.nesterov, jit_compile=False)
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


@OPTIMIZERS.register
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101), of kernels only.

    Each step takes rate * ``decay`` * w from every weight w of a kernel; biases and normalizations are left alone. It is not
    the ``weight_decay`` of the loss, which Adam would scale like a gradient.
    """

    name: Literal["adamw"] = "adamw"
    decay: float = number("a number, 0 or more", ge=0, le=1e3, default=0.01)

    def build(self, rate: Any) -> Any:
        import tf_keras as keras

        optimizer = keras.optimizers.AdamW(rate, weight_decay=self.decay, jit_compile=False)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        return optimizer

    @property
    def slots(self) -> int:
        return 2


@OPTIMIZERS.register
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton, Coursera lecture 6.5, 2012), with momentum where it is not 0."""

    name: Literal["rmsprop"] = "rmsprop"
    rho: float = number("a number from 0 to below 1", ge=0, lt=1, default=0.9)
    momentum: float = number("a number from 0 to below 1", ge=0, lt=1, default=0.0)

    def build(self, rate: Any) -> Any:
        import tf_keras as keras

        return keras.optimizers.RMSprop(rate, rho=self.rho, momentum=self.momentum, jit_compile=False)

    @property
    def slots(self) -> int:
        return 1 + int(self.momentum > 0)


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
