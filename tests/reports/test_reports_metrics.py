"""A metric is registered in one place, and is then in everything that reports show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers.stores import Writer, curve

import reports
from reports.tables.difference import text
from zoo.measure import metrics
from zoo.measure.metrics import METRICS, Better, Kind, Metric, register_metric
from zoo.tracking.names import SingleMetrics, StepMetrics

ENERGY = Metric(
    "energy_j",
    "cost/energy_j",
    "energy",
    "J",
    Better.LOWER,
    "{:.1f}".format,
    in_table=True,
    in_paper=True,
    is_cost=True,
)
ROBUSTNESS = Metric(
    "corrupted_percent", "test/corrupted", "corrupted images", "%", Better.HIGHER, "{:.2f}".format, Kind.ACCURACY
)


@pytest.fixture
def registered():
    """Two metrics of somebody's own: a cost, and an accuracy."""
    for metric in (ENERGY, ROBUSTNESS):
        register_metric(metric)
    yield
    for metric in (ENERGY, ROBUSTNESS):
        del METRICS[metric.name]


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    experiment = writer.sweep("own", ["a", "b"], [0, 1])
    for number, variant in enumerate(("a", "b")):
        for seed in (0, 1):
            once = {"cost/params": 1000, "cost/energy_j": 20.0 + 10 * number + seed, "test/corrupted": 0.5 + seed / 10}
            writer.run(experiment, variant, seed, curve(0.8 + number / 20 + seed / 100), once=once)
    return address


def test_runs_and_variants_have_it(uri, tmp_path, registered):
    runs = reports.load("own", uri)
    assert runs["energy_j"].tolist() == [20.0, 21.0, 30.0, 31.0]
    assert runs["corrupted_percent"].tolist() == pytest.approx([50.0, 60.0, 50.0, 60.0])
    reports.write("own", tmp_path, ("csv",), uri)
    frame = pd.read_csv(tmp_path / "variants.csv")
    assert frame["energy_j"].tolist() == [20.5, 30.5]
    assert frame["corrupted_percent_mean"].tolist() == pytest.approx([55.0, 55.0])
    assert frame["corrupted_percent_sd"].tolist() == pytest.approx([np.sqrt(50)] * 2)
    assert (
        set(frame["front_probability_energy_j"]) <= {0.0, 0.5, 1.0} or frame["front_probability_energy_j"].notna().all()
    )


def test_the_tables_and_sentences_have_it(uri, tmp_path, registered):
    summary = reports.write("own", tmp_path, ("md", "tex", "html"), uri).summary
    # Logarithms of 30 / 20 and 31 / 21: mean 0.3975, 12.706 errors of 0.0080.
    assert "energy, J" in summary and "energy 1.49 times as much (1.34 to 1.65)" in summary
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    (header,) = [line for line in markdown.splitlines() if line.startswith("| variant | test accuracy, %")]
    assert "| energy, J |" in header
    (row,) = [line for line in markdown.splitlines() if line.startswith("| b |") and "30.5" in line]
    assert row.rstrip().endswith("| 30.5 |")
    assert "energy, J" in (tmp_path / "report.tex").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    prices = page[page.index('id="price"') :]
    prices = prices[: prices.index("</table>")].replace("\xa0", " ")
    assert "energy" in prices and "30.5" in prices and "1.49 times (1.34 to 1.65)" in prices


def test_two_runs_differ_in_it(uri, registered):
    found = reports.compare("own:a:0", "own:b:0", uri)
    assert found.metrics["energy, J"] == (20.0, 30.0)
    assert found.metrics["corrupted images, %"] == pytest.approx((50.0, 50.0))
    lines = [line.split() for line in text(found).splitlines()]
    assert ["energy,", "J", "20", "30", "+10"] in lines
    assert ["corrupted", "images,", "%", "50.00", "50.00", "+0.00", "points"] in lines


def test_accuracy_is_drawn_against_a_cost(uri, tmp_path, registered):
    report = reports.write_accuracy_vs_size(["own"], tmp_path, ("svg",), uri, axes=("energy_j",))
    assert [path.name for path in report.paths] == ["accuracy_vs_energy_j.svg"]
    assert "energy, J" in report.summary and "30.5" in report.summary


def test_without_it_nothing_is_shown(uri, tmp_path):
    assert "energy_j" not in reports.load("own", uri)
    reports.write("own", tmp_path, ("md", "html", "csv"), uri)
    for path in tmp_path.iterdir():
        assert "energy" not in path.read_text(encoding="utf-8")
    with pytest.raises(reports.ReportError, match="energy_j"):
        reports.write_accuracy_vs_size(["own"], tmp_path, ("svg",), uri, axes=("energy_j",))


# --- the registry ------------------------------------------------------------------------------------------------


def test_a_name_and_a_key_belong_to_one_metric():
    for name, key in (("params", "cost/other"), ("other", "cost/params")):
        with pytest.raises(ValueError, match="there is a metric params already, from cost/params"):
            register_metric(Metric(name, key, "other", "", Better.LOWER, str))


def test_a_cost_is_better_when_lower():
    with pytest.raises(ValueError, match="speed is a cost, so lower is better"):
        Metric("speed", "speed", "speed", "images/s", Better.HIGHER, str, is_cost=True)


def test_formats_are_families_of_metrics():
    latency = metrics.of_key("latency_ms/onnx_int8_p50")
    assert latency is not None and metrics.of_name("latency_onnx_int8_p50_ms") == latency
    assert (latency.name, latency.label, latency.is_cost) == ("latency_onnx_int8_p50_ms", "latency (onnx int8)", True)
    ninetieth = metrics.of_key("latency_ms/onnx_int8_p90")
    assert ninetieth is not None and not ninetieth.is_cost
    size = metrics.of_key("size/tflite_bytes")
    assert size is not None and size.text(1_234_000) == "1.23 MB" and size.full_heading == "tflite size, bytes"
    assert metrics.of_key("train/loss") is None and metrics.of_name("variant") is None


def test_values_come_from_mlflow_in_the_unit_of_the_reports():
    accuracy, seconds = METRICS["accuracy_percent"], METRICS["train_s"]
    assert accuracy.from_store(0.8125) == 81.25 and seconds.from_store(90) == 90
    assert np.isnan([accuracy.from_store(None), seconds.from_store(1.8e308), seconds.from_store(float("nan"))]).all()


def test_keys_are_those_that_tracking_writes():
    keys = {metric.name: metric.key for metric in METRICS.values()}
    assert keys["accuracy_percent"] == StepMetrics.TEST_ACCURACY and keys["top5_percent"] == StepMetrics.TEST_TOP5
    assert keys["params"] == SingleMetrics.cost_of("params") and keys["train_s"] == SingleMetrics.TRAIN_S
    assert keys["latency_tf_p90_ms"] == SingleMetrics.latency_ms_of("tf", "p90")
    assert metrics.of_key("size/onnx_bytes").name == "size_onnx_bytes"
    assert metrics.of_key(SingleMetrics.latency_ms_of("onnx", "p50")).name == "latency_onnx_p50_ms"
