"""The compiled part of training: many steps in one call, with no Python between them.

It is written as the graph that it becomes. AutoGraph, which would translate Python loops and conditions into one, takes
a second for that at the start of every training; only the network itself goes through it, for a user's own layers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.data.batches import training_batch
from zoo.models import layers
from zoo.training import objective
from zoo.training.network import TrainableNetwork, update_averages

if TYPE_CHECKING:
    from zoo.config import Config


class Totals(NamedTuple):
    """Sums since the last evaluation, carried from call to call so that any split into calls adds up to the same bits."""

    loss: float = 0.0  # sum over steps of the batch's loss, weight decay included
    correct: int = 0  # training images classified right, before each step's update
    first_bad_step: int = -1  # the first step whose loss was not finite, -1 for none


Steps = Callable[[int, int, Totals], Totals]  # (first step, how many, totals so far) -> totals


def training_function(network: TrainableNetwork, images: Any, labels: Any, config: Config, seed: int) -> Steps:
    """A function ``(first_step, count, totals) -> totals`` that trains for ``count`` steps.

    images: uint8 tensor [N, H, W, C]; labels: int32 tensor [N]. The global batch is split evenly over the replicas of the
    strategy; gradients are summed over them.
    """
    import tensorflow as tf

    replica_step = _replica_step(network, images, labels, config, seed)

    def one_step(step: Any, loss_sum: Any, correct: Any, bad: Any) -> tuple[Any, ...]:
        per_replica = network.strategy.run(replica_step, args=(step,))
        loss, hits = (network.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None) for value in per_replica)
        is_first_bad = (bad < 0) & ~tf.math.is_finite(loss)
        return step + 1, loss_sum + tf.cast(loss, tf.float64), correct + hits, tf.where(is_first_bad, step, bad)

    types = (tf.float64, tf.int64, tf.int64)  # of the totals
    train = _compiled(one_step, types)

    def call(first_step: int, count: int, totals: Totals) -> Totals:
        values = (tf.constant(value, dtype) for value, dtype in zip(totals, types, strict=True))
        loss, correct, bad = train(first_step, count, *values)
        return Totals(float(loss), int(correct), int(bad))

    return call


def _replica_step(
    network: TrainableNetwork, images: Any, labels: Any, config: Config, seed: int
) -> Callable[[Any], Any]:
    """What each replica does in a step: a function ``step -> (its part of the loss, images classified right)``."""
    import tensorflow as tf

    replicas = network.strategy.num_replicas_in_sync
    rows = config.batch // replicas
    model, variables = network.model, network.model.trainable_variables
    decayed = objective.decayed_kernels(model, config.weight_decay.layers) if config.weight_decay.rule != "none" else []
    logits_of = network_call()

    def replica_step(step: Any) -> tuple[Any, Any]:
        first_row = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
        pixels, targets = training_batch(images, labels, config, seed, step, first_row, rows)
        with layers.randomness(seed, step, first_row, config.batch), tf.GradientTape() as tape:
            logits = logits_of(model, pixels, training=True)
            loss = tf.reduce_sum(objective.cross_entropy(logits, targets)) / config.batch
            loss += (objective.weight_penalty(decayed, config) + _layer_losses(model)) / replicas
        gradients = tape.gradient(loss, variables)
        network.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        update_averages(network.averages, variables, step + 1, config.ema_decay)
        hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), targets)
        return loss, tf.reduce_sum(tf.cast(hits, tf.int64))

    return replica_step


def _compiled(one_step: Callable[..., Any], types: tuple[Any, ...]) -> Callable[..., Any]:
    """A function ``(first_step, count, *totals) -> totals`` that makes ``count`` steps inside one graph.

    The step is a function that TensorFlow calls from the loop and does not inline into it. Inlined, all of the network
    would lie on a cycle of the graph, and a cycle has no first node: TensorFlow's pass that puts in oneDNN's kernels visits
    its nodes in an order that depends on addresses in memory. It gives the gradient of a pool oneDNN's kernel only if
    it has come by that pool before; in one process in some hundreds it has not, and the gradient has other last bits.
    """
    import tensorflow as tf

    step_spec, totals_specs = tf.TensorSpec([], tf.int64), [tf.TensorSpec([], t) for t in types]

    @tf.function(
        input_signature=[step_spec, *totals_specs], autograph=False, experimental_attributes={"_noinline": True}
    )
    def single(step: Any, *totals: Any) -> Any:
        return one_step(step, *totals)

    @tf.function(input_signature=[step_spec, step_spec, *totals_specs], autograph=False)
    def loop(first_step: Any, count: Any, *totals: Any) -> Any:
        until = first_step + count
        _, *totals = tf.while_loop(lambda step, *_: step < until, single, (first_step, *totals))
        return totals

    return lambda first_step, count, *totals: loop(
        tf.constant(first_step, tf.int64), tf.constant(count, tf.int64), *totals
    )


@functools.cache
def network_call() -> Callable[..., Any]:
    """A function ``(model, images, training) -> logits`` in which the ``call`` of a user's own layer may branch and loop
    on tensors, as it may in any tf.function."""
    import tensorflow as tf

    def logits(model: Any, images: Any, training: bool) -> Any:
        return model(images, training=training)

    converted: Callable[..., Any] = tf.autograph.to_graph(logits)
    return converted


def _layer_losses(model: Any) -> Any:
    """The regularizers that a user's own layers bring with them."""
    import tensorflow as tf

    return tf.add_n(model.losses) if model.losses else 0.0
