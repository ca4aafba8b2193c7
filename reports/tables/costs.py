"""Costs as they are written on an axis, in a sentence and in a table of the Pareto front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from reports.analysis.trade_off import axis_label, equal, points
from reports.tables import tables
from zoo.measure.cost_axes import CostAxis, cost_axes
from zoo.measure.metrics import Kind
from zoo.text.listing import listed
from zoo.text.wording import table


def short_count(value: float) -> str:
    """``1M``, ``200k``, ``50`` for a round number (of three digits at most); all digits of another one."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit and len(f"{value:.0f}".rstrip("0")) <= max(3, len(f"{value / unit:.0f}")):
            return f"{value / unit:g}{letter}"
    return f"{value:,.0f}"


def short_bytes(value: float) -> str:
    """``500 B``, ``20 kB``, ``1.5 MB``, in powers of 1000."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.4g} {letters}"
    return f"{value:.0f} B"


def short_time(seconds: float) -> str:
    """``0.5 s``, ``10 min``, ``2 h``."""
    for unit, letters in ((3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {letters}"
    return f"{seconds:.3g} s"


def tick(axis: CostAxis) -> Callable[[float], str]:
    """How a value is written on the axis."""
    metric = axis.metric
    if metric.kind is Kind.COUNT:
        return short_count
    if metric.kind is Kind.SIZE:
        return short_bytes
    return short_time if is_duration(axis) else "{:.4g}".format


def is_duration(axis: CostAxis) -> bool:
    """Of seconds, minutes and hours."""
    return axis.metric.kind is Kind.TIME and axis.metric.unit == "s"


def is_counted(axis: CostAxis) -> bool:
    """Exact, so that its values themselves may stand on the axis."""
    return axis.metric.kind is Kind.COUNT


def phrase(axis: CostAxis, value: float) -> str:
    """A value as a sentence has it: ``1,068,298 parameters``, ``a latency of 0.8 ms``."""
    metric = axis.metric
    if metric.kind is Kind.COUNT:
        return f"{value:,.0f} {metric.full_title}"
    if metric.kind is Kind.SIZE:
        return f"a file of {value:,.0f} bytes"
    return f"{'an' if metric.label[0] in 'aeiou' else 'a'} {metric.label} of {metric.text(value)}"


def equal_words(frame: pd.DataFrame) -> str:
    """What all variants have in common: ``All variants have 1,068,298 parameters and 18,470,784 multiply-adds.``"""
    common = [phrase(axis, value) for axis, value in equal(frame) if is_counted(axis)]
    return f"All variants have {listed(common)}." if common else ""


def front_text(frame: pd.DataFrame, axis: str = "params") -> str:
    """The points of a picture in order of cost, those on the Pareto front marked."""
    drawn = points(frame, axis).sort_values(["cost", "accuracy"])
    cost = cost_axes()[axis]
    show = tables.count if is_counted(cost) else tick(cost)
    rows = [
        [row.sweep, row.name, _accuracy_words(row), show(row.cost), "*" * row.front]
        for row in drawn.itertuples(index=False, name="Point")
    ]
    return table(["sweep", "variant", "test accuracy, %", axis_label(frame, axis), "front"], rows, left=2, gap=2)


def _accuracy_words(row: Any) -> str:
    spread = "" if np.isnan(row.sd) else f" ± {row.sd:.2f}"
    return f"{row.accuracy:.2f}{spread}" + ("" if row.imported else f" ({row.n:.0f})")
