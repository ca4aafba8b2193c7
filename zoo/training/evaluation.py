"""The evaluation of a network on the test images, as it is and under every readout."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.batches import evaluation_batch
from zoo.measure.accuracy import accuracy, top_k_accuracy
from zoo.measure.readouts import evaluations
from zoo.storage.record import Record
from zoo.storage.records import Row
from zoo.training.network import TrainableNetwork
from zoo.training.steps import network_call

if TYPE_CHECKING:
    from zoo.config import Config

Logits = NDArray[np.float32]  # [N, classes]


def evaluation_function(
    network: TrainableNetwork,
    images: Any,
    config: Config,
    batch: int = 500,
    heartbeat: Callable[[], None] = lambda: None,
) -> Callable[[], Logits]:
    """A function ``() -> logits`` of the weights as they are, over all images, a uint8 tensor [N, H, W, C].

    ``heartbeat()`` is called after each batch.
    """
    import tensorflow as tf

    count = images.shape[0]
    logits_of = network_call()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def logits(index: Any) -> Any:
        return tf.cast(logits_of(network.model, evaluation_batch(images, index, config), training=False), tf.float32)

    def evaluate() -> Logits:
        batches = []
        for first in range(0, count, batch):
            batches.append(logits(np.arange(first, min(first + batch, count), dtype=np.int32)).numpy())
            heartbeat()
        return np.concatenate(batches)

    return evaluate


def all_logits(network: TrainableNetwork, evaluate: Callable[[], Logits]) -> dict[str, Logits]:
    """The logits of every evaluation, by the name that they have in the file of a result."""
    return {each.logits: each.evaluate(network, evaluate) for each in evaluations()}


def accuracies(logits: dict[str, Logits], labels: NDArray[Any]) -> Row:
    """The columns of a history that every evaluation gives."""
    accuracies = {each.accuracy: accuracy(logits[each.logits], labels) for each in evaluations()}
    return accuracies | {each.top5: top_k_accuracy(logits[each.logits], labels, 5) for each in evaluations()}


def write_result(record: Record, step: int, labels: NDArray[Any], logits: dict[str, Logits]) -> None:
    """Keep the predictions of a step."""
    arrays: dict[str, Any] = {"labels": labels, **logits}
    contents = io.BytesIO()
    np.savez(contents, **arrays)
    record.write_result(step, contents.getvalue())
