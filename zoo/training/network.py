"""What training changes: a model, its moving averages and the optimizer's slots."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo import models
from zoo.training import averages as moving_averages
from zoo.training import schedules

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras as keras

    from zoo.config import Config


@dataclass
class TrainableNetwork:
    """A model, its moving averages and the optimizer's slots, under one strategy."""

    strategy: tf.distribute.Strategy
    model: keras.Model
    averages: list[tf.Variable]
    optimizer: keras.optimizers.Optimizer

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Within this block the model has its averaged weights."""
        with moving_averages.in_place_of(self.averages, self.model.trainable_variables):
            yield


def create_network(
    config: Config, seed: int, classes: int, train_images: int, strategy: tf.distribute.Strategy
) -> TrainableNetwork:
    """The model at its seeded initial weights, its averages and its optimizer, under the strategy."""
    import tf_keras as keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16" if config.precision == "bfloat16" else "float32")
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = models.build(config.model, input_size=config.input_size, classes=classes, **config.arguments)
        averages = moving_averages.create(model.trainable_variables)
        optimizer = config.optimizer.build(schedules.learning_rate(config, train_images))
        optimizer.build(model.trainable_variables)
    return TrainableNetwork(strategy, model, averages, optimizer)


def default_strategy(devices: Sequence[str] | None = None) -> Any:
    """A MirroredStrategy over ``devices``, by default over all GPUs, or the CPU where there is none."""
    import tensorflow as tf

    devices = devices or [f"GPU:{i}" for i, _ in enumerate(tf.config.list_logical_devices("GPU"))] or ["CPU:0"]
    # The default collectives fail for a second model of another size in the same process.
    reduction = tf.distribute.ReductionToOneDevice() if devices[0].startswith("CPU") else None
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)
