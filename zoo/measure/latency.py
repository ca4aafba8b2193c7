"""Latency of one image: the compiled function, one thread, the models in turn so that noise affects them all alike.

Protocol, after MLPerf inference's single stream: 1,024 queries per model, one at a time, each timed until the logits are
there. The weights do not matter to the time, so the models are built for it, in float32 whatever the training's precision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tf_keras as keras

QUERIES = 1024
QUERIES_PER_ROUND = 16  # of one model before it is the next one's turn
_WARM_UP = 50


def measure(models: Sequence[keras.Model], sizes: Sequence[int]) -> list[list[float]]:
    """Milliseconds of each query, [models, QUERIES], for ``tf_keras`` models and the sizes of their images in pixels."""
    queries = [_query(model, size) for model, size in zip(models, sizes, strict=True)]
    return interleaved(queries, QUERIES, QUERIES_PER_ROUND, _WARM_UP)


def use_one_thread() -> None:
    """Limit TensorFlow to one thread of the CPU in this process. Call it before the first TensorFlow operation."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def interleaved(queries: Sequence[Callable[[], object]], count: int, block: int, warm_up: int) -> list[list[float]]:
    """Call every query ``count`` times, ``block`` at a time in turn; milliseconds of each call, [queries, count]."""
    for query in queries:
        for _ in range(warm_up):
            query()
    samples: list[list[float]] = [[] for _ in queries]
    while len(samples[-1]) < count:
        for query, times in zip(queries, samples, strict=True):
            for _ in range(min(block, count - len(times))):
                started = time.perf_counter_ns()
                query()
                times.append((time.perf_counter_ns() - started) / 1e6)
    return samples


def percentiles(latency_ms: Sequence[float]) -> dict[str, float]:
    """The median, 90th and 99th percentile of samples [n], in their unit."""
    return dict(zip(("p50", "p90", "p99"), (float(p) for p in np.percentile(latency_ms, [50, 90, 99])), strict=True))


def _query(model: keras.Model, size: int) -> Callable[[], object]:
    import tensorflow as tf

    compiled = tf.function(lambda image: model(image, training=False)).get_concrete_function(
        tf.TensorSpec([1, size, size, 3], tf.float32)
    )
    image = tf.constant(np.random.default_rng(0).standard_normal((1, size, size, 3), dtype=np.float32))
    return lambda: compiled(image).numpy()
