"""Measuring the latency of a plan's networks, in a process of its own."""

from __future__ import annotations

from helpers import plans

from zoo.execution.latency import is_complete, measure_latency
from zoo.measure.latency import QUERIES

WATCHED = """
from zoo.models import register


@register("watched")
def watched(input_size: int = 24, classes: int = 10, width: int = 2):
    import tensorflow as tf
    import tf_keras as keras

    threads = tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads()
    assert threads == (1, 1), threads
    images = keras.Input((input_size, input_size, 3))
    return keras.Model(images, keras.layers.Dense(classes)(keras.layers.Flatten()(images)))
"""
QUESTION = """\
question: Is it quick?
imports: [watched.py]
base: {model: watched, data: digits, steps: 10}
factors: {width: [2, 3]}
seeds: 1
"""


def test_every_network_is_measured_on_one_thread(tmp_path, monkeypatch):
    """The networks themselves raise where TensorFlow may use more."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # sweeps elsewhere on this machine are not waited for
    (tmp_path / "watched.py").write_text(WATCHED)
    plan = plans.make(tmp_path, QUESTION)
    measure_latency(plan, plan.trainings)
    assert [len(training.record.latency().samples_ms) for training in plan.trainings] == [QUERIES, QUERIES]
    assert is_complete(plan.trainings)
