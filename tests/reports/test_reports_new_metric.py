"""A metric that is registered is in every table and picture, and nothing else has to name it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from helpers import pages
from helpers.html_reader import Read

import reports
from reports.figures.trade_off.figure import accuracy_vs_size
from reports.html import page
from reports.store.sweep import Sweep
from reports.tables import tables
from reports.writers import latex
from zoo.measure.metrics import METRICS, Better, Metric, register_metric

ENERGY = Metric(
    name="energy_j",
    key="cost/energy_j",
    label="energy",
    unit="J",
    better=Better.LOWER,
    format="{:.1f}".format,
    meaning="To classify one image, measured at the wall socket.",
    in_table=True,
    in_paper=True,
    is_cost=True,
)


@pytest.fixture
def measured() -> Iterator[tuple[Sweep, pd.DataFrame]]:
    """A sweep, and its variants with their energy."""
    sweep, frame = pages.pair()
    register_metric(ENERGY)
    ratio = {
        "energy_j_ratio": [np.nan, 2.5],
        "energy_j_ratio_low": [np.nan, 2.41],
        "energy_j_ratio_high": [np.nan, 2.59],
    }
    words = {"energy_j_ratio_word": ["", "slower"], "energy_j_ratio_note": ["", ""]}
    yield sweep, frame.assign(energy_j=[2.0, 5.0], **ratio, **words)
    del METRICS[ENERGY.name]


def test_it_is_a_column_of_the_tables_and_of_the_paper(measured):
    sweep, frame = measured
    assert tables.header()[-1] == "energy, J"
    assert [row[-1] for row in tables.formatted(frame)] == ["2.0", "5.0"]
    rows = [line for line in latex.render(sweep, frame).splitlines() if line.endswith(r"\\")]
    assert [re.split(" & ", row.removesuffix(r" \\"))[-1] for row in rows] == ["energy, J", "2.0", "5.0"]


def test_it_is_a_cost_with_an_axis(measured):
    _, frame = measured
    assert "energy_j" in reports.costs()
    (axes,) = accuracy_vs_size(frame, "energy_j").axes
    assert axes.get_xlabel() == "energy, J"
    assert [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"] == [2.0, 5.0]


def test_the_page_shows_its_price_and_explains_it(measured):
    sweep, frame = measured
    words = Read(page.render(sweep, frame)).words
    assert "energy To classify one image, measured at the wall socket." in words
    price = words[words.index("The price of each variant") :]
    assert "energy" in price[: price.index("off (baseline)")]
    assert "5.0 J 2.5 times (2.4 to 2.6)" in price
