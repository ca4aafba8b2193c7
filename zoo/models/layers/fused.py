"""Element-wise arithmetic in one pass over memory, where TensorFlow's own kernels take one pass per operation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def is_compiled() -> bool:
    """Whether ``in_one_pass`` compiles here: not on GPUs, nor where TensorFlow lacks XLA for the CPU."""
    return sys.platform == "linux" and not tf.config.list_physical_devices("GPU")


def in_one_pass(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f``, a function of tensors, compiled by XLA to one loop; ``f`` itself where nothing is compiled."""
    if not is_compiled():
        return f
    compiled: Callable[..., Any] = tf.function(f, jit_compile=True, autograph=False)
    return compiled
