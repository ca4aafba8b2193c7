"""The errors of a training. Imports no TensorFlow."""

from __future__ import annotations


class Diverged(Exception):
    """The loss stopped being a number; the message says at which step."""
