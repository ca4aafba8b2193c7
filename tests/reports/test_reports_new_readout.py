"""A readout that is registered: its evaluations are read, drawn and listed, and nothing else has to name them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pandas as pd
import pytest
from helpers import pages

from reports.figures.learning_curves import learning_curves
from reports.store import histories
from reports.tables import tables
from zoo.measure import metrics
from zoo.measure.readouts import READOUTS, Level, Readout, register


@pytest.fixture
def pruned() -> Iterator[Readout]:
    readout = Readout(
        "pruned", {False: Level("", "", ""), True: Level("pruned", "pruned weights", "pruned")}, default=False
    )
    yield register(readout)
    del READOUTS["pruned"]


def test_its_accuracies_are_metrics_that_are_read(pruned):
    metric = metrics.of_key("test/accuracy_raw_pruned")
    assert (metric.name, metric.label, metric.unit) == (
        "accuracy_raw_pruned_percent",
        "raw weights, pruned weights",
        "%",
    )
    assert {"test/accuracy_raw_pruned", "test/accuracy_ema_pruned"} < set(histories.recorded())


def test_it_is_a_column_with_its_gain(pruned):
    header = tables.evaluations_header()
    assert header[1:5] == (
        *("raw weights, %", "raw weights, pruned weights, %"),
        *("averaged weights, %", "averaged weights, pruned weights, %"),
    )
    assert header[5:] == (
        *("raw, pruned - raw, points", "averaged - raw, points"),
        "averaged, pruned - raw, points",
    )
    _, frame = pages.many(1, 3)
    frame = frame.assign(
        accuracy_raw_percent_mean=80.0, accuracy_raw_pruned_percent_mean=78.5, accuracy_ema_percent_mean=float("nan")
    )
    (row,) = tables.formatted_evaluations(frame)
    assert row[5:] == ["-1.50", "-", "-"]


def test_it_is_a_line_of_the_learning_curves(pruned):
    sweep, _ = pages.many(1, 2)
    points = sweep.histories[sweep.histories["metric"] == "test/accuracy_raw"]
    both = pd.concat([sweep.histories, points.assign(metric="test/accuracy_raw_pruned")])
    sweep = dataclasses.replace(sweep, histories=both)
    legend = [text.get_text() for text in learning_curves(sweep).legends[0].get_texts()]
    assert "raw weights, pruned weights" in legend
