"""Keras layers that AutoGraph does not convert."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def without_autograph(call: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a layer's ``call`` that has no Python control flow on tensors: AutoGraph would only take time."""
    unconverted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(call)
    vars(unconverted)["__signature__"] = inspect.signature(call)  # Keras checks for an argument named ``training``
    return unconverted
