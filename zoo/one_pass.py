"""Element-wise arithmetic in one pass over memory, where TensorFlow's kernels take one for each operation."""

from __future__ import annotations

import sys
from collections.abc import Callable


def in_one_pass(f: Callable) -> Callable:
    """``f``, a function of tensors, as one loop over them that XLA compiles for the processor at hand.

    The same function comes back on a GPU, and on systems where TensorFlow does not bring XLA for the processor.
    """
    import tensorflow as tf

    if sys.platform != "linux" or tf.config.list_physical_devices("GPU"):
        return f
    return tf.function(f, jit_compile=True, autograph=False)
