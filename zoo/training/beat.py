"""What a running training says of itself. Imports nothing heavy: whoever listens needs no TensorFlow."""

from __future__ import annotations

from typing import NamedTuple

from zoo.record import Row


class Beat(NamedTuple):
    """Sent about twice a second."""

    step: int
    loss: float  # mean since the last evaluation
    images_per_s: float  # of the last call into the compiled loop
    evaluated: Row | None = None  # the evaluation that has just been made
