"""Local response normalization, forward and gradient: TensorFlow's own, this project's, and the memory that it must move.

The map is that of tuto: 128 x 12 x 12 x 64. ``memory``: a sum of as many maps of float32 as the normalization has to read
and write, two in and one out each way, with nothing to compute to speak of.
"""

from __future__ import annotations

import contextlib
import statistics
from typing import Any

from benchmarks import rounds as arithmetic
from benchmarks.contender import Contender, ContenderServer, Request
from zoo.text.wording import table

SHAPE = (128, 12, 12, 64)
_TENSORFLOW = "TensorFlow's, float32"
_SECONDS = 2.0


def measure(rounds: int = 5) -> dict[str, Any]:
    """Each kernel in turn, ``rounds`` times; seconds of one forward pass with its gradient."""
    with contextlib.closing(Contender("benchmarks.normalization", {})) as contender:
        timings: dict[str, list[float]] = {name: [] for name in contender.facts["kernels"]}
        for _ in range(rounds):
            for name, seconds in timings.items():
                seconds.append(1 / contender.ask(Request(name, _SECONDS / 4, _SECONDS)).rate)
    return {"shape": SHAPE, "rounds": rounds, "seconds": timings}


def compete(server: ContenderServer) -> None:
    """Every kernel by its name, 20 passes a call."""
    from zoo.host.quiet_import import quiet_import

    with quiet_import():
        import tensorflow as tf
    from zoo.host import hardware
    from zoo.models import layers

    tf.config.threading.set_intra_op_parallelism_threads(hardware.cores())
    passes = 20

    def own(x):
        return layers.local_response_normalization(x, 4, 1.0, 0.001 / 9, 0.75)

    def tensorflows(x):
        return tf.nn.local_response_normalization(x, 4, 1.0, 0.001 / 9, 0.75)

    def both_ways(function, dtype):
        x, upstream = (tf.cast(tf.random.stateless_normal(SHAPE, [seed, 0]), dtype) for seed in (1, 2))

        def one(_, x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return y, tape.gradient(y, x, output_gradients=upstream)

        return looped(one, x)

    def looped(one, x):
        @tf.function(autograph=False)
        def loop():
            # y and the gradient go into the next pass, so that none can be left out
            return tf.while_loop(
                lambda number, *_: number < passes,
                lambda number, y, gradient: (number + 1, *one(y, gradient)),
                (0, x, x),
            )

        return lambda: len(loop()) and passes

    def memory():
        x = tf.random.stateless_normal(SHAPE, [1, 0])
        return looped(lambda y, gradient: (y + gradient, gradient + x), x)

    kernels = {
        _TENSORFLOW: both_ways(tensorflows, tf.float32),
        "this project's, float32": both_ways(own, tf.float32),
        "this project's, bfloat16": both_ways(own, tf.bfloat16),
        "memory": memory(),
    }
    for kernel in kernels.values():
        kernel()
    server.ready(kernels=list(kernels))
    server.serve(kernels)


def text(results: dict[str, Any]) -> str:
    """The result for a person."""
    theirs = results["seconds"][_TENSORFLOW]
    rows = [
        (name, f"{1e3 * statistics.median(seconds):.2f}", f"{arithmetic.median_ratio(theirs, seconds):.1f}")
        for name, seconds in results["seconds"].items()
    ]
    shape = " x ".join(map(str, results["shape"]))
    return table((f"LRN of {shape}, forward and gradient", "ms", "times as fast"), rows, left=1)
