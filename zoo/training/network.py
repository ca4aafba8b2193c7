"""What training changes: a model, its moving averages and the optimizer's slots."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo import models
from zoo.models.layers.fused import in_one_pass
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
        """Within this block the model has its averaged weights; its own come back to the bit after it."""
        import tensorflow as tf

        variables = self.model.trainable_variables
        raw = [tf.identity(variable) for variable in variables]
        try:
            for variable, average in zip(variables, self.averages, strict=True):
                variable.assign(average.read_value())
            yield
        finally:
            for variable, value in zip(variables, raw, strict=True):
                variable.assign(value)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Within this block the network may train; after it, it is as before, to the bit."""
        variables = self.local_variables()
        before = [variable.numpy() for variable in variables]
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def local_variables(self) -> list[tf.Variable]:
        """All that a step changes: a checkpoint holds the same. Each replica of this process has its own copy of each."""
        variables = [*self.model.variables, *self.averages, *self.optimizer.variables]
        return [copy for variable in variables for copy in self.strategy.experimental_local_results(variable)]


def create_network(
    config: Config, seed: int, classes: int, train_images: int, strategy: tf.distribute.Strategy
) -> TrainableNetwork:
    """The model at its seeded initial weights, its averages and its optimizer, under the strategy."""
    import tf_keras as keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16" if config.precision == "bfloat16" else "float32")
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = models.build(config.model, input_size=config.input_size, classes=classes, **config.arguments)
        averages = create_averages(model.trainable_variables)
        optimizer = config.optimizer.create(schedules.learning_rate(config, train_images))
        optimizer.build(model.trainable_variables)
    return TrainableNetwork(strategy, model, averages, optimizer)


def default_strategy(devices: Sequence[str] | None = None) -> Any:
    """A MirroredStrategy over ``devices``, by default over all GPUs, or the CPU where there is none."""
    import tensorflow as tf

    devices = devices or [f"GPU:{i}" for i, _ in enumerate(tf.config.list_logical_devices("GPU"))] or ["CPU:0"]
    # The default collectives fail for a second model of another size in the same process.
    reduction = tf.distribute.ReductionToOneDevice() if devices[0].startswith("CPU") else None
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)


def create_averages(variables: Sequence[tf.Variable]) -> list[tf.Variable]:
    """One average for each variable, starting at its value. Call it under the strategy's scope."""
    import tensorflow as tf

    return [
        tf.Variable(
            variable.read_value(),
            trainable=False,
            dtype=variable.dtype,
            name=f"average{number}",
            synchronization=tf.VariableSynchronization.ON_READ,  # every replica updates its own copy: they are equal
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        for number, variable in enumerate(variables)
    ]


def decay_at(updates: Any, decay: float) -> Any:
    """The decay of the averages after ``updates`` updates (an integer tensor), a float32 scalar.

    min(decay, (1 + n) / (10 + n)) after n updates, which lets them forget the initial weights. Source:
    ``tf.train.ExponentialMovingAverage(decay, num_updates)``, as the TensorFlow CIFAR-10 tutorial uses it.
    """
    import tensorflow as tf

    n = tf.cast(updates, tf.float32)
    return tf.minimum(tf.constant(decay, tf.float32), (1.0 + n) / (10.0 + n))


def update_averages(
    averages: Sequence[tf.Variable], variables: Sequence[tf.Variable], updates: Any, decay: float
) -> None:
    """Move every average towards its variable, in place; ``updates`` counts this one too."""
    rate = 1.0 - decay_at(updates, decay)
    moved = _moved()([average.read_value() for average in averages], [v.read_value() for v in variables], rate)
    for average, value in zip(averages, moved, strict=True):
        average.assign(value)


@functools.cache
def _moved() -> Callable[..., Any]:
    def moved(averages: Sequence[Any], variables: Sequence[Any], rate: Any) -> list[Any]:
        return [a - rate * (a - v) for a, v in zip(averages, variables, strict=True)]

    return in_one_pass(moved)
