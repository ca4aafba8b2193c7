"""Element-wise arithmetic in one pass over memory, where TensorFlow's kernels take one for each operation."""

from __future__ import annotations

import sys
from collections.abc import Callable


def is_compiled() -> bool:
    """Whether ``in_one_pass`` makes one loop of a function here: not on GPUs, nor where TensorFlow lacks XLA for the CPU."""
    import tensorflow as tf

    return sys.platform == "linux" and not tf.config.list_physical_devices("GPU")


def in_one_pass(f: Callable) -> Callable:
    """``f``, a function of tensors, as one loop over them that XLA compiles for the processor at hand.

    The same function comes back where nothing is compiled (``is_compiled``).
    """
    import tensorflow as tf

    if not is_compiled():
        return f
    return tf.function(f, jit_compile=True, autograph=False)
