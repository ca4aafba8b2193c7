"""The benchmarks compare like with like, and their arithmetic is right; how fast anything is, is not tested."""

from __future__ import annotations

import importlib
import json
import sys
import time
from types import CodeType, FunctionType

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import contender, memory, report, rounds, start_up, step_profile, training_speed
from benchmarks.contenders import images
from reports.store import files, histories, reader
from zoo import models
from zoo.measure import cost
from zoo.models import layers

MODELS = ["tuto", "alex2", "nin2", "squeeze1"]


@pytest.fixture(scope="module")
def plain_keras():
    from benchmarks.contenders import plain_keras

    return plain_keras


@pytest.fixture(scope="module")
def torch_networks():
    pytest.importorskip("torch", reason="PyTorch is optional: pip install '.[bench]'")
    from benchmarks.contenders import torch_networks

    return torch_networks


# --- the same networks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_the_plain_keras_networks_are_those_of_the_zoo(plain_keras, model):
    ours, plain = models.build(model), plain_keras.NETWORKS[model]()
    plain.set_weights(ours.get_weights())
    pixels = np.random.default_rng(0).normal(size=(2, 24, 24, 3)).astype(np.float32)
    assert plain.count_params() == cost(ours).params
    np.testing.assert_allclose(plain(pixels), ours(pixels), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_pytorch_networks_are_those_of_the_zoo(torch_networks, model):
    torch = torch_networks.torch
    ours, other = models.build(model), torch_networks.NETWORKS[model]().eval()
    weights = iter(ours.get_weights())
    with torch.no_grad():
        for parameter in other.parameters():
            value = next(weights)
            order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[value.ndim]  # HWIO to OIHW, [in, out] to [out, in]
            parameter.copy_(torch.from_numpy(value.transpose(order).copy()))
    assert next(weights, None) is None
    assert torch_networks.parameter_count(other) == cost(ours).params
    pixels = np.random.default_rng(0).normal(size=(2, 24, 24, 3)).astype(np.float32)
    with torch.no_grad():
        found = other(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(found, ours(pixels), rtol=1e-3, atol=1e-5)


def test_the_weight_decay_of_all_is_that_of_the_recipe(plain_keras):
    from benchmarks.contenders.own_trainer import config
    from zoo.training import objective

    ours, plain = models.build("tuto"), plain_keras.NETWORKS["tuto"]()
    plain.set_weights(ours.get_weights())
    chosen = config("tuto", augment=True, precision="float32")
    penalty = objective.weight_penalty(objective.decayed_kernels(ours, "hidden"), chosen)
    np.testing.assert_allclose(sum(plain.losses), penalty, rtol=1e-5)


def test_the_plain_normalization_is_that_of_the_zoo(plain_keras):
    x = tf.constant(np.random.default_rng(0).normal(scale=3, size=(2, 4, 4, 20)).astype(np.float32))
    ours = layers.local_response_normalization(x, 4, 1.0, 0.001 / 9, 0.75)
    np.testing.assert_allclose(plain_keras.normalize(x), ours, rtol=2e-5, atol=2e-6)
    assert plain_keras.normalize(tf.cast(x, tf.bfloat16)).dtype == tf.bfloat16


# --- the same data ------------------------------------------------------------------------------------------------


def test_augmented_images_are_standardized_one_by_one(plain_keras):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    for image in pixels:
        found, label = plain_keras.augmented(tf.constant(image), 3)
        assert found.shape == (24, 24, 3) and found.dtype == tf.float32 and label == 3
        assert np.mean(found) == pytest.approx(0, abs=1e-4)
        assert np.std(found) == pytest.approx(1, abs=1e-4)


def test_half_of_the_augmented_images_are_mirrored_and_each_is_cut_from_its_own(plain_keras):
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, :, None] * 4, (32, 32, 3))
    tf.random.set_seed(0)
    rising = [
        float(f[0, -1, 0] > f[0, 0, 0]) for f, _ in (plain_keras.augmented(tf.constant(ramp), 0) for _ in range(200))
    ]
    assert 0.36 < np.mean(rising) < 0.64  # four standard errors


def test_ready_made_images_are_those_that_the_script_evaluates(plain_keras):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    ready = images.central(pixels, 24)
    for one, image in zip(ready, pixels, strict=True):
        np.testing.assert_allclose(one, plain_keras.central(tf.constant(image), 0)[0], atol=1e-5)


def test_the_trainer_is_measured_as_a_sweep_configures_it():
    from benchmarks.contenders.own_trainer import config

    usual, bare = (config("tuto", augment, "float32") for augment in (True, False))
    assert (usual.batch, usual.input_size, usual.precision, usual.ema_decay) == (128, 24, "float32", 0.9999)
    assert (usual.augment.crop, usual.augment.flip, usual.augment.brightness) == (True, True, 63.0)
    assert (bare.augment.crop, bare.augment.flip, bare.augment.brightness) == (False, False, 0)
    assert usual.augment.contrast == (0.2, 1.8) and bare.augment.contrast is None
    assert bare.standardize


# --- arithmetic ---------------------------------------------------------------------------------------------------


def test_the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_medians():
    # per round 2, 4, 1.5; the ratio of the medians would be 300 / 100 = 3
    assert rounds.median_ratio([200, 400, 300], [100, 100, 200]) == 2
    with pytest.raises(ValueError):
        rounds.median_ratio([1, 2], [1])


def test_percent_of_peak_by_hand():
    # 1,000 images/s of 10 million MACs are 6e10 operations a second: 60 % of 1e11 and 30 % of 2e11; the median is 45 %
    assert rounds.percent_of_peak(10_000_000, [1000, 1000], [1e11, 2e11]) == pytest.approx(45)


def test_spread_by_hand():
    assert rounds.spread([90, 100, 120]) == pytest.approx(0.3)


def timings(*rates: float) -> list[dict[str, float]]:
    return [{"units": 2 * rate, "seconds": 2.0, "cpu_s": 4.0} for rate in rates]


def found(torch: bool = False) -> dict:
    """What a run of two rounds would have found."""

    def row(against, train, evaluate, idle_cpu_s=0.0):
        facts = {"precision": "float32", "params": 1234, "data": "CIFAR-10"}
        return {
            "against": against,
            "facts": facts,
            "idle_cpu_s": idle_cpu_s,
            "idle_s": 100.0,
            "train": timings(*train),
            "evaluate": timings(*evaluate),
        }

    of_model = {
        "params": 1234,
        "macs": 10_000_000,
        "peak": {"float32": timings(1e11, 1e11)},
        "contenders": {
            "this trainer": row("", (1000, 1200), (3000, 3000)),
            "another": row("this trainer", (500, 400), (2000, 1000), idle_cpu_s=5.0),
        },
    }
    return {"rounds": 2, "seconds": 2.0, "cores": 2, "torch": torch, "models": {"tuto": of_model}}


def test_the_summary_of_a_model_by_hand():
    rows = training_speed.summary(found()["models"]["tuto"])
    assert rows["this trainer"] == {
        "train": 1100,
        "spread": pytest.approx(200 / 1100),
        "evaluate": 3000,
        "peak": pytest.approx(66),
    }
    assert rows["another"]["times"] == pytest.approx((2 + 3) / 2)
    assert rows["another"]["evaluate_times"] == pytest.approx((1.5 + 3) / 2)


def test_the_text_has_a_row_a_contender_and_says_what_is_missing():
    lines = training_speed.text(found()).splitlines()
    assert lines[0] == "tuto: 1,234 parameters, 10,000,000 MACs; CIFAR-10; matmul peak float32 100 GFLOP/s"
    assert lines[1].split() == ["images/s", "training", "spread", "peak", "times", "evaluation", "times"]
    assert lines[3].split() == ["this", "trainer", "1,100", "18%", "66", "%", "3,000"]
    assert lines[4].split() == ["another", "450", "22%", "27", "%", "2.50", "1,500", "2.25"]
    assert lines[5] == "warning: another used 5.0 s of processor time while it was to wait"
    assert lines[-1] == "PyTorch is not installed, so it is not compared: pip install '.[bench]'"
    assert "not installed" not in training_speed.text(found(torch=True))


def test_a_profile_is_summed_up_by_kind_of_work():
    kernels = {
        "_MklNativeConv2DBackpropFilterWithBias": (2, 0.020),
        "ReluGrad": (4, 0.002),
        "Mul": (9, 0.001),
        "Cast": (3, 0.004),
    }
    (first, of_first), *others = step_profile.by_kind(kernels).items()
    assert first == "convolutions: gradient of the kernels" and of_first == (2, 0.020)
    assert [found for _, found in others] == [(12, pytest.approx(0.005)), (4, 0.002)]
    text = step_profile.text({"models": {"tuto": {"precision": "bfloat16", "step_s": 0.021, "kernels": kernels}}})
    assert text.splitlines()[0] == "tuto, bfloat16: 21.0 ms a step, not profiled"
    assert text.splitlines()[3].split()[-3:] == ["2", "20.00", "74.1%"]  # 20 of 27


def test_each_contender_is_held_against_the_trainer_in_its_own_precision():
    rows = {row.label: row for row in training_speed.entrants(["float32", "bfloat16"], with_torch=True)}
    assert rows["plain Keras script, float32"].against == "this trainer, bfloat16"  # as both come
    for label, row in rows.items():
        if row.against and "script" not in label:
            other = rows[row.against]
            assert (other.settings["precision"], other.settings["augment"]) == (row.settings["precision"], False)
    assert not any("PyTorch" in row.label for row in training_speed.entrants(["float32"], with_torch=False))


# --- contenders ---------------------------------------------------------------------------------------------------


BUSY = """
import threading
from benchmarks.contender import ContenderServer

def compete(server, units):
    def spin():
        while True:
            pass
    threading.Thread(target=spin, daemon=True).start()
    server.ready(params=7)
    print("what a library prints is not an answer", flush=True)
    server.serve({"count": lambda: units})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are stopped by a signal")
def test_a_contender_counts_its_units_and_is_quiet_while_it_waits_even_with_a_thread_that_spins(tmp_path, monkeypatch):
    (tmp_path / "spinner.py").write_text(BUSY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = contender.Contender("spinner", {"units": 3})
    try:
        assert found.facts == {"params": 7}
        time.sleep(0.5)
        timing = found.ask(contender.Request("count", 0.0, 0.0))
        assert timing.units == 3  # one piece of work, because no time was asked for
        timing = found.ask(contender.Request("count", 0.01, 0.05))
        assert timing.units % 3 == 0 and timing.seconds >= 0.05
        assert found.idle_s > 0.5 and found.idle_cpu_s <= 0.02
    finally:
        found.close()


def test_a_contender_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"no_such_contender"):
        contender.Contender("no_such_contender", {})


# --- memory and start-up ------------------------------------------------------------------------------------------


def test_bytes_of_this_process():
    found = memory.status_bytes("self", "status", {"VmHWM": "resident", "NoSuchField": "nothing"})
    assert set(found) == {"resident"} and found["resident"] > 10_000_000
    assert memory.status_bytes(2**30, "status", {"VmHWM": "resident"}) == {}


def test_the_text_of_memory_holds_peaks_against_their_targets():
    peaks = {"driver": {"resident": 251_000_000}, "training worker": {"resident": 700_000_000, "own": 400_000_000}}
    lines = memory.text({"peaks_bytes": peaks}).splitlines()
    assert lines[2].split() == ["driver", "251", "250", "ABOVE"]
    assert lines[3].split() == ["training", "worker", "700", "400", "1,200", "within"]


def test_samples_and_what_they_are_at():
    tracing = ["tensorflow.python.framework.func_graph", "func_graph_from_py_func"]
    text = (
        f'[5.0, [{json.dumps(tracing)}, ["zoo.training.steps", "call"], ["zoo.training.trainer", "train"]]]\n'
        '[5.5, [["zoo.data.other", "load"], ["zoo.training.trainer", "train"], ["zoo.execution.worker", "run"]]]\n'
    )
    samples = start_up.samples_of(text)
    assert [start_up.activity(sample.stack) for sample in samples] == [
        "step traced",
        "images to tensors and the rest of the trainer",
    ]
    assert samples[1].time == 5.5 and samples[1].stack[0] == ("zoo.data.other", "load")
    assert start_up.activity([("other", "f")]) == "everything else"


def test_seconds_of_imports_are_summed_by_package():
    report = """\
import time: self [us] | cumulative | imported package
import time:       250 |        250 |   numpy.core
import time:       750 |       1000 | numpy
import time:       500 |       1500 | zoo.config
"""
    assert start_up.imports_s(report) == {"numpy": pytest.approx(0.001), "zoo": pytest.approx(0.0005)}


@pytest.mark.parametrize(("module", "function"), start_up.ACTIVITIES)
def test_what_the_worker_is_found_at_exists(module, function):
    members = vars(importlib.import_module(module)).values()
    classes = [vars(member).values() for member in members if isinstance(member, type)]
    functions = [member for group in (members, *classes) for member in group if isinstance(member, FunctionType)]
    assert function in {name for each in functions if each.__module__ == module for name in names(each.__code__)}


def names(code: CodeType) -> set[str]:
    """Of a function and of those that are defined in it."""
    inner = [names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return {code.co_name}.union(*inner)


# --- the report ---------------------------------------------------------------------------------------------------


def test_the_large_sweep_is_one_that_the_reports_take_for_whole(tmp_path, monkeypatch):
    for name, size in (("VARIANTS", 3), ("SEEDS", 2), ("EVALUATIONS", 4), ("IMAGES", 60)):
        monkeypatch.setattr(report, name, size)
    report.fill(tmp_path)
    sweep = reader.read("large", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert len(sweep.results()) == 6 and sweep.missing() == () and len(sweep.verdicts()) == 2
    assert len(sweep.histories) == 6 * 4 * len(histories.recorded())
    predictions = files.read_predictions(sweep)
    for run in sweep.results().itertuples():
        its = predictions[run.run_id]
        assert its.logits.shape == (60, 10)
        assert 100 * (its.logits.argmax(1) == its.labels).mean() == pytest.approx(run.accuracy_percent)
