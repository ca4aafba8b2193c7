"""Weights, predictions and random streams are those that ``NUMERICS`` of the run keys stands for.

A failure here means that the same configuration gives other weights than before: see ``golden.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
from training import golden

from zoo.host import hardware

CONFIGS = golden.configurations()
TRAININGS = golden.recorded("trainings")
STREAMS = golden.recorded("streams")

# (relative, of a logit relative to the largest one): more than other processors and kernels change in four steps.
TOLERANCES = {"float32": (1e-3, 1e-3), "bfloat16": (5e-3, 0.1)}


def test_every_configuration_is_recorded():
    assert list(TRAININGS) == list(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_few_steps_give_the_recorded_weights_and_predictions(name):
    config, recorded = CONFIGS[name], TRAININGS[name]
    if config.precision == "bfloat16" and not hardware.has_fast_bfloat16():
        pytest.skip("this processor does not compute in bfloat16")
    values = golden.trained(config)
    assert values.keys() == recorded.keys()
    rtol, of_logits = TOLERANCES[config.precision]
    for kind, expected in recorded.items():
        if kind.startswith("logits"):  # one near zero is a difference of large numbers
            rtol, atol = 0.0, of_logits * np.abs(expected).max()
        elif kind == "mean change" and config.precision == "bfloat16":
            continue  # kernels differ in where they round a sum of gradients
        else:
            atol = 1e-9
        np.testing.assert_allclose(values[kind], expected, rtol=rtol, atol=atol, err_msg=kind)


@pytest.mark.parametrize("stream", ["shuffle", "crops", "dropped"])
def test_integer_streams_are_the_recorded_ones(stream):
    assert getattr(golden, stream)() == STREAMS[stream]


def test_brightness_and_contrast_are_the_recorded_ones():
    values = golden.greys()
    assert values.keys() == STREAMS["greys"].keys()
    for name, expected in STREAMS["greys"].items():
        np.testing.assert_allclose(values[name], expected, rtol=1e-4, err_msg=name)
