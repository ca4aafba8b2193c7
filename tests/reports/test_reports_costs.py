"""What accuracy is weighed against: which column a cost comes from, and how it is written."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from helpers.variants import variants

from reports.analysis import trade_off
from reports.tables import costs


def test_a_probability_among_other_points_or_of_another_cost_is_not_shown():
    frame = variants({"a": (100, 70), "b": (200, 72)}).assign(front_probability=0.5, macs=[10, 20])
    other = variants({"c": (100, 73)}, sweep="second")
    assert trade_off.points(frame, "params")["probability"].tolist() == [0.5, 0.5]
    assert trade_off.points(frame, "macs")["probability"].isna().all()
    assert trade_off.points(frame.assign(front_probability_macs=0.25), "macs")["probability"].tolist() == [0.25] * 2
    assert trade_off.points(pd.concat([frame, other]), "params")["probability"].isna().all()


def test_published_figures_fill_the_columns_that_are_theirs():
    frame = pd.DataFrame({
        "latency_tf_p50_ms": [1.5, math.nan], "latency_ms": [math.nan, 2.5],
        "size_onnx_bytes": [10.0, math.nan], "bytes": [math.nan, 20.0], "params": [0, 5],
    })  # fmt: skip
    assert trade_off.cost_values(frame, "latency").tolist() == [1.5, 2.5]
    assert trade_off.cost_values(frame, "bytes").tolist() == [10, 20]
    assert np.isnan(trade_off.cost_values(frame, "params")[0])  # a log axis has no zero
    assert np.isnan(trade_off.cost_values(frame, "macs")).all()


@pytest.mark.parametrize(
    ("value", "text"),
    [(2e6, "2M"), (500e3, "500k"), (50, "50"), (1068298, "1,068,298"), (1.05e6, "1.05M"), (272474, "272,474")],
)
def test_short_counts(value, text):
    assert costs.short_count(value) == text


def test_front_text_marks_the_front():
    marked = costs.front_text(variants({"a": (100, 70), "b": (200, 65), "c": (400, 80)})).splitlines()[2:]
    assert [line.endswith("*") for line in marked] == [True, False, True]
