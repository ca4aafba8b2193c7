"""The latency is that of one thread, measured in a process that says so itself."""

from __future__ import annotations

import json
import sys

import pytest
from helpers.plans import make

from zoo.execution import latency

MODEL = """
import json
from pathlib import Path
from zoo.models import register

@register("witness")
def witness(input_size: int = 24, classes: int = 10):
    import tensorflow as tf
    import tf_keras as keras

    threading = tf.config.threading
    found = [threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()]
    Path(__file__).with_name("threads.json").write_text(json.dumps(found))
    image = keras.Input((input_size, input_size, 3))
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(image)))
"""
QUESTION = """\
question: How many threads?
imports: [witness.py]
base: {model: witness, data: digits, steps: 10}
factors:
  augment.flip: [true, false]
seeds: 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a quiet machine, which cannot be told there")
def test_the_latency_is_measured_on_one_thread(tmp_path):
    (tmp_path / "witness.py").write_text(MODEL)
    plan = make(tmp_path, QUESTION)
    (tmp_path / "threads.json").unlink(missing_ok=True)
    latency.measure_latency(plan, plan.trainings, patience_s=900)
    assert json.loads((tmp_path / "threads.json").read_text()) == [1, 1]
    assert all(training.record.latency().percentiles_ms["p50"] > 0 for training in plan.trainings)
