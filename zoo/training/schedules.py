"""Schedules: the learning rate as a function of the step. Another one is another registered class.

TensorFlow is imported when one is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from zoo.registry import Choice, Choices, number

if TYPE_CHECKING:
    from zoo.config import Config


class Schedule(Choice):
    """The settings of one schedule."""

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
        return dict.fromkeys(("name", "decay_factor", "decay_every_epochs"), reason)

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        import tf_keras as keras

        if not self.decay_every_epochs:
            return lr
        steps = max(1, int(self.decay_every_epochs * train_images / batch))
        return keras.optimizers.schedules.ExponentialDecay(lr, steps, self.decay_factor, staircase=True)


@SCHEDULES.register
class Constant(Schedule):
    """The learning rate of the optimizer from the first step to the last."""

    name: Literal["constant"] = "constant"

    def idle(self) -> Mapping[str, str]:
        return {"name": "the learning rate is constant"}

    def build(self, lr: float, train_images: int, batch: int) -> Any:
        return lr


def learning_rate(config: Config, train_images: int) -> Any:
    """The learning rate of a configuration: a number or a tf_keras schedule."""
    return config.schedule.build(config.optimizer.lr, train_images, config.batch)


def learning_rate_at(config: Config, train_images: int, step: int) -> float:
    """The learning rate of the update that is made at ``step``, counted from 0."""
    rate = learning_rate(config, train_images)
    return float(rate(step)) if callable(rate) else rate
