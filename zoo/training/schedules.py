"""Schedules: the learning rate as a function of the step. Another one is another registered class.

TensorFlow is imported when one is built.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from zoo.registry import Choice, Choices, number

if TYPE_CHECKING:
    from zoo.config import Config


class Schedule(Choice):
    """The settings of one schedule."""

    warmup_epochs: float = number("a number of epochs, 0 or more", ge=0, le=1e6, default=0.0)

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        """The learning rate: ``lr`` itself, or where it changes a tf_keras schedule, a function of the step.

        An epoch is ``train_images`` / ``batch`` steps.
        """
        raise NotImplementedError


SCHEDULES = Choices(Schedule, default="staircase")


@SCHEDULES.register
class Staircase(Schedule):
    """The learning rate is multiplied by ``decay_factor`` every ``decay_every_epochs`` (0: it is constant)."""

    name: Literal["staircase"] = "staircase"
    decay_factor: float = number("a number above 0, at most 1", gt=0, le=1)
    decay_every_epochs: float = number("a number of epochs, 0 (a constant learning rate) or more", ge=0, le=1e9)

    def idle(self) -> Mapping[str, str]:
        if self.decay_every_epochs == 0:
            reason = "decay_every_epochs is 0"
        elif self.decay_factor == 1:
            reason = "decay_factor is 1"
        else:
            return {}
        fields = ("decay_factor", "decay_every_epochs")
        return dict.fromkeys(fields if self.warmup_epochs else ("name", "warmup_epochs", *fields), reason)

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        import tf_keras as keras

        if not self.decay_every_epochs:
            return lr
        steps = _steps(self.decay_every_epochs, train_images, batch)
        return keras.optimizers.schedules.ExponentialDecay(lr, steps, self.decay_factor, staircase=True)


@SCHEDULES.register
class Cosine(Schedule):
    """From the optimizer's learning rate along half a cosine to ``final_fraction`` of it, where it stays
    (Loshchilov and Hutter, arXiv:1608.03983, without restarts)."""

    name: Literal["cosine"] = "cosine"
    epochs: float = number("a number of epochs above 0", gt=0, le=1e6, default=25.6)  # 10,000 steps of CIFAR-10
    final_fraction: float = number("a number from 0 to 1", ge=0, le=1, default=0.0)

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        import tf_keras as keras

        steps = _steps(self.epochs, train_images, batch)
        return keras.optimizers.schedules.CosineDecay(lr, steps, alpha=self.final_fraction)


@SCHEDULES.register
class OneCycle(Schedule):
    """A triangle: from 0 to the optimizer's learning rate at ``peak`` of the ``epochs``, then down to 0, where it stays.

    Smith and Topin, arXiv:1708.07120; the form that airbench trains with (arXiv:2404.00498, section 3.1).
    """

    name: Literal["one_cycle"] = "one_cycle"
    epochs: float = number("a number of epochs above 0", gt=0, le=1e6, default=25.6)
    peak: float = number("a fraction of the epochs, above 0 and below 1", gt=0, lt=1, default=0.25)

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        last = _steps(self.epochs, train_images, batch)
        return _piecewise_linear()((0.0, self.peak * last, float(last)), (0.0, lr, 0.0))


@SCHEDULES.register
class Constant(Schedule):
    """The learning rate of the optimizer from the first step to the last."""

    name: Literal["constant"] = "constant"

    def idle(self) -> Mapping[str, str]:
        return {} if self.warmup_epochs else dict.fromkeys(("name", "warmup_epochs"), "the learning rate is constant")

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        return lr


def learning_rate(config: Config, train_images: int) -> Any:
    """The learning rate of a configuration: a number or a tf_keras schedule.

    With ``warmup_epochs`` it is multiplied by a factor that rises in equal steps to 1 (Goyal et al., arXiv:1706.02677).
    """
    rate = config.schedule.build(config.optimizer.lr, train_images, config.batch)
    if not config.schedule.warmup_epochs:
        return rate
    return _warmed_up()(rate, _steps(config.schedule.warmup_epochs, train_images, config.batch))


def learning_rate_at(config: Config, train_images: int, step: int) -> float:
    """The learning rate of the update that is made at ``step``, counted from 0."""
    rate = learning_rate(config, train_images)
    return float(rate(step)) if callable(rate) else rate


def _steps(epochs: float, train_images: int, batch: int) -> int:
    """Whole steps, at least one."""
    return max(1, int(epochs * train_images / batch))


@functools.cache
def _warmed_up() -> Any:
    import tensorflow as tf
    import tf_keras as keras

    class WarmedUp(keras.optimizers.schedules.LearningRateSchedule):
        """``rate`` times min(1, (step + 1) / steps)."""

        def __init__(self, rate: Any, steps: int):
            self.rate, self.steps = rate, steps

        def __call__(self, step: Any) -> Any:
            rate = self.rate(step) if callable(self.rate) else self.rate
            return rate * tf.minimum(1.0, (tf.cast(step, tf.float32) + 1.0) / self.steps)

        def get_config(self) -> dict[str, Any]:
            return {"rate": self.rate, "steps": self.steps}

    return WarmedUp


@functools.cache
def _piecewise_linear() -> Any:
    import tensorflow as tf
    import tf_keras as keras

    class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
        """Straight lines between ``values`` at ``steps``; the last value from the last step on."""

        def __init__(self, steps: tuple[float, ...], values: tuple[float, ...]):
            self.steps, self.values = steps, values

        def __call__(self, step: Any) -> Any:
            at = tf.cast(step, tf.float32)
            rate = tf.constant(self.values[-1], tf.float32)
            pieces = zip(self.steps, self.steps[1:], self.values, self.values[1:], strict=False)
            for begin, end, first, last in reversed([*pieces]):
                rate = tf.where(at < end, first + (last - first) * (at - begin) / (end - begin), rate)
            return rate

        def get_config(self) -> dict[str, Any]:
            return {"steps": self.steps, "values": self.values}

    return PiecewiseLinear
