"""What accuracy is weighed against: the costs of a variant, as axes of a picture and as its points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from reports.tables import tables
from zoo.measure import metrics
from zoo.measure.metrics import CostAxis, Kind, cost_axes
from zoo.stats import descriptive


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


def of(frame: pd.DataFrame, axis: str) -> np.ndarray:
    """What each row of ``frame`` costs [n], nan where that was not measured. Sizes of files are of one format for all."""
    found = np.full(len(frame), np.nan)
    for column in _columns(frame, axis):
        found = np.where(np.isnan(found), _numbers(frame, column), found)
    return np.where(found > 0, found, np.nan)


def _columns(frame: pd.DataFrame, axis: str) -> list[str]:
    """Of which the first that is known counts; of a family only that of the format that most variants have."""
    its = cost_axes()[axis]
    measured = its.columns(frame.columns)
    if its.family:
        measured = sorted(measured, key=lambda name: (-frame[name].notna().sum(), name))[:1]
    return [*measured, *([its.published] if its.published else [])]


def label(frame: pd.DataFrame, axis: str) -> str:
    """What the axis is called."""
    its = cost_axes()[axis]
    measured = metrics.of_name(_columns(frame, axis)[0]) if its.family else None
    return f"size of the {measured.label}" if measured else its.label


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as float64 [n], nan where it has no value, or is not there."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[column]).to_numpy(np.float64, na_value=np.nan)


def points(frame: pd.DataFrame, axis: str) -> pd.DataFrame:
    """What there is to draw of the rows of ``tables.variants`` and of published figures (``imported`` is true).

    Columns: name, sweep, imported, baseline, cost, accuracy and sd and se (points; sd over seeds, se of the test set), n,
    front (bool), probability of being on the front (nan where unknown).
    """
    found = pd.DataFrame({
        "name": frame["variant"].astype(str) if len(frame) else [],
        "sweep": frame["sweep"].astype(str) if len(frame) else [],
        "imported": _flags(frame, "imported"),
        "baseline": _flags(frame, "baseline"),
        "cost": of(frame, axis),
        "accuracy": _numbers(frame, "accuracy_percent_mean"),
        "sd": _numbers(frame, "accuracy_percent_sd"),
        "se": _numbers(frame, "se_test_points"),
        "n": _numbers(frame, "n"),
        "probability": _probabilities(frame, axis),
    })  # fmt: skip
    known = found["cost"].notna() & found["accuracy"].notna() & ((found["n"] > 0) | found["imported"])
    found = found[known].reset_index(drop=True)
    return found.assign(front=descriptive.pareto_front(found["cost"], found["accuracy"]))


def _flags(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].eq(True).to_numpy(bool) if column in frame else np.zeros(len(frame), bool)


def _probabilities(frame: pd.DataFrame, axis: str) -> np.ndarray:
    """Of being on the front [n]. Where other points are drawn than the probabilities are of, there are none."""
    own = _numbers(frame, f"front_probability_{axis}")
    if axis == "params":
        own = np.where(np.isnan(own), _numbers(frame, "front_probability"), own)
    alone = len(frame) and frame["sweep"].nunique() == 1 and not _flags(frame, "imported").any()
    return own if alone else np.full(len(frame), np.nan)


def front_text(frame: pd.DataFrame, axis: str = "params") -> str:
    """The points of a picture in order of cost, those on the Pareto front marked."""
    found = points(frame, axis).sort_values(["cost", "accuracy"])
    its = cost_axes()[axis]
    show = tables.count if is_counted(its) else tick(its)
    rows = [
        [row.sweep, row.name, _accuracy_words(row), show(row.cost), "*" * row.front]
        for row in found.itertuples(index=False, name="Point")
    ]
    return tables.text_table(["sweep", "variant", "test accuracy, %", label(frame, axis), "front"], rows, left=2)


def _accuracy_words(row) -> str:
    spread = "" if np.isnan(row.sd) else f" ± {row.sd:.2f}"
    return f"{row.accuracy:.2f}{spread}" + ("" if row.imported else f" ({row.n:.0f})")
