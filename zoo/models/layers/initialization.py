"""The weights and biases that layers start with."""

from __future__ import annotations

from typing import Literal

import tf_keras as keras
from tf_keras.initializers import Initializer

Role = Literal["first", "conv", "hidden", "last"]

# Keras divides the standard deviation of a truncated normal by that of the unit normal cut at 2, so that the values
# drawn have the variance asked for. The source states the variance before the cut, hence the square of that figure.
_CUT_NORMAL_STD = 0.87962566103423978
_TUTORIAL_STD = {"first": 5e-2, "conv": 5e-2, "hidden": 0.04, "last": 1 / 192.0}
_TUTORIAL_BIAS = {"first": 0.0, "conv": 0.1, "hidden": 0.1, "last": 0.0}


def initializers(scheme: str, role: Role) -> tuple[Initializer, Initializer]:
    """Fresh (kernel, bias) initializers for one layer. Call it for every layer: a shared object repeats its values.

    Schemes: ``xavier``, a truncated normal of variance 1.3 * 2 / (fan_in + fan_out) before truncation, bias 0
    (tensorsandbox, after Glorot and Bengio 2010); ``tutorial``, the constants of the TensorFlow CIFAR-10 tutorial;
    ``he``, He et al. 2015 (arXiv:1502.01852), bias 0. ``role`` is the position of the layer: the first convolution, another
    convolution, a hidden dense layer, or the last layer. Raises ValueError for another scheme.
    """
    if scheme == "xavier":
        variance_scale = 1.3 * _CUT_NORMAL_STD**2
        return keras.initializers.VarianceScaling(variance_scale, "fan_avg", "truncated_normal"), _constant(0.0)
    if scheme == "tutorial":
        return keras.initializers.TruncatedNormal(stddev=_TUTORIAL_STD[role]), _constant(_TUTORIAL_BIAS[role])
    if scheme == "he":
        return keras.initializers.HeNormal(), _constant(0.0)
    raise ValueError(f"no initializer scheme is named {scheme!r}; known: xavier, tutorial, he")


def variance_preserving(inputs: int) -> Initializer:
    """A truncated normal of variance 1 / ``inputs``, for linear filters of so many inputs each.

    For depthwise convolutions, of which Keras takes the inputs of all filters together for those of one.
    """
    return keras.initializers.TruncatedNormal(stddev=inputs**-0.5 / _CUT_NORMAL_STD)


def _constant(value: float) -> Initializer:
    return keras.initializers.Constant(value)
