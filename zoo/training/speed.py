"""How fast a configuration trains, timed on a few steps with random images."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.training.evaluation import evaluation_function
from zoo.training.network import create_network, default_strategy
from zoo.training.steps import Totals, training_function

if TYPE_CHECKING:
    from zoo.config import Config

SECONDS = 3.0  # of training that are timed
_IMAGES, _EVALUATED = 2048, 500  # random images to train and to evaluate on


def measure(
    config: Config,
    classes: int,
    image_size: int,
    *,
    threads: int,
    cores: Sequence[int] = (),
    barrier: Any = None,
    seconds: float = SECONDS,
) -> dict[str, float]:
    """Train for about ``seconds`` with ``threads`` threads, on ``cores`` if given. To be called in a process of its own.

    Returns ``images_per_s`` of training, ``startup_s`` until the first step was done, and ``evaluated_per_s``, images a
    second of one evaluation. It waits for ``barrier`` before it times anything, so that several processes are timed side
    by side.
    """
    import tensorflow as tf

    began = time.perf_counter()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()
    numbers = np.random.default_rng(0)
    pixels = numbers.integers(0, 256, (_IMAGES, image_size, image_size, 3), np.uint8)
    labels = numbers.integers(0, classes, _IMAGES, np.int32)
    network = create_network(config, 0, classes, _IMAGES, default_strategy())
    images = tf.constant(pixels)
    steps = training_function(network, images, tf.constant(labels), config, 0)
    steps(0, 1, Totals())
    startup_s = time.perf_counter() - began
    evaluate = evaluation_function(network, images[:_EVALUATED], config)
    evaluate()
    if barrier is not None:
        barrier.wait()
    done, spent = 1, _seconds_of(lambda: steps(1, 1, Totals()))
    rate = 0.0
    for fraction in (0.25, 1.0):  # the first, shorter run tells how many steps the second can take
        count = max(1, int(seconds * fraction / spent * done))
        spent, done = _seconds_of(functools.partial(steps, 2, count, Totals())), count
        rate = count * config.batch / spent
    evaluated_s = min(_seconds_of(evaluate) for _ in range(2))
    return {"images_per_s": rate, "startup_s": startup_s, "evaluated_per_s": _EVALUATED / evaluated_s}


def _seconds_of(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
