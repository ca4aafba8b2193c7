"""Accuracy against what a variant costs: the points of the picture, and which of them are on the Pareto front."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zoo.measure import metrics
from zoo.measure.cost_axes import CostAxis, cost_axes
from zoo.measure.metrics import Kind, Metric
from zoo.stats.costs.pareto import pareto_front

NEARLY = 1.001  # ratio of two costs up to which they are the same for whoever chooses


def cost_values(frame: pd.DataFrame, axis: str) -> np.ndarray:
    """What each row of ``frame`` costs [n], nan where that was not measured. Sizes of files are of one format for all."""
    values = np.full(len(frame), np.nan)
    for column in _columns(frame, axis):
        values = np.where(np.isnan(values), _numbers(frame, column), values)
    return np.asarray(np.where(values > 0, values, np.nan))


def differs(costs: np.ndarray) -> bool:
    """Whether there is a choice: costs [n] of which two are more than a thousandth apart."""
    known = costs[~np.isnan(costs)]
    return bool(len(known) > 1 and known.max() > NEARLY * known.min())


def axes(frame: pd.DataFrame) -> list[str]:
    """The costs in which the rows differ, those that are counted before those that are measured."""
    kinds = (Kind.COUNT, Kind.SIZE, Kind.TIME, Kind.OTHER)
    known = sorted(cost_axes().items(), key=lambda item: kinds.index(item[1].metric.kind))
    return [name for name, _ in known if differs(cost_values(frame, name))]


def equal(frame: pd.DataFrame) -> list[tuple[CostAxis, float]]:
    """The costs that all rows with a result have in common, with their value."""
    ran = frame[frame["n"] > 0] if len(frame) else frame
    costs = {name: cost_values(ran, name) for name in cost_axes()} if len(ran) else {}
    return [
        (cost_axes()[name], float(values[0]))
        for name, values in costs.items()
        if not np.isnan(values).any() and not differs(values)
    ]


def _columns(frame: pd.DataFrame, axis: str) -> list[str]:
    """Of which the first that is known counts; of a family only that of the format that most variants have."""
    cost = cost_axes()[axis]
    measured = cost.columns(frame.columns)
    if cost.family:
        measured = sorted(measured, key=lambda name: (-frame[name].notna().sum(), name))[:1]
    return [*measured, *([cost.published] if cost.published else [])]


def axis_metric(frame: pd.DataFrame, axis: str) -> Metric | None:
    """The metric that is drawn; None where the axis has published figures only."""
    return next(filter(None, (metrics.of_name(name) for name in _columns(frame, axis))), None)


def axis_label(frame: pd.DataFrame, axis: str) -> str:
    """What the axis is called."""
    cost = cost_axes()[axis]
    measured = metrics.of_name(_columns(frame, axis)[0]) if cost.family else None
    return f"size of the {measured.label}" if measured else cost.label


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as float64 [n], nan where it has no value, or is not there."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[column]).to_numpy(np.float64, na_value=np.nan))


def points(frame: pd.DataFrame, axis: str) -> pd.DataFrame:
    """What there is to draw of the rows of ``variants.frame`` and of published figures (``imported`` is true).

    Columns: row (its number in ``frame``), name, sweep, imported, baseline, cost, accuracy and sd and se (points; sd over
    seeds, se of the test set), n, front (bool), probability of being on the front (nan where unknown).
    """
    drawn = pd.DataFrame({
        "row": range(len(frame)),
        "name": frame[_naming(frame)].astype(str) if len(frame) else [],
        "sweep": frame["sweep"].astype(str) if len(frame) else [],
        "imported": _flags(frame, "imported"),
        "baseline": _flags(frame, "baseline"),
        "cost": cost_values(frame, axis),
        "accuracy": _numbers(frame, "accuracy_percent_mean"),
        "sd": _numbers(frame, "accuracy_percent_sd"),
        "se": _numbers(frame, "se_test_points"),
        "n": _numbers(frame, "n"),
        "probability": _probabilities(frame, axis),
    })  # fmt: skip
    known = drawn["cost"].notna() & drawn["accuracy"].notna() & ((drawn["n"] > 0) | drawn["imported"])
    drawn = drawn[known].reset_index(drop=True)
    return drawn.assign(front=pareto_front(drawn["cost"], drawn["accuracy"]))


def _flags(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].eq(True).to_numpy(bool) if column in frame else np.zeros(len(frame), bool)


def _probabilities(frame: pd.DataFrame, axis: str) -> np.ndarray:
    """Of being on the front [n]. Where other points are drawn than the probabilities are of, there are none."""
    own = _numbers(frame, f"front_probability_{axis}")
    if axis == "params":
        own = np.where(np.isnan(own), _numbers(frame, "front_probability"), own)
    return own if _is_one_sweep(frame) else np.full(len(frame), np.nan)


def _naming(frame: pd.DataFrame) -> str:
    """The column that names the points: what sets a variant apart, where all are of one sweep with one baseline."""
    return "label" if "label" in frame and _is_one_sweep(frame) else "variant"


def _is_one_sweep(frame: pd.DataFrame) -> bool:
    return len(frame) > 0 and frame["sweep"].nunique() == 1 and not _flags(frame, "imported").any()
