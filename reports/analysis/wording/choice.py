"""The best configuration of a sweep, and the cheapest one that is nearly as accurate."""

from __future__ import annotations

import pandas as pd

from reports.analysis import trade_off
from reports.analysis.validity.cautions import luck
from reports.analysis.wording import names
from reports.analysis.wording.names import cut
from zoo.measure.cost_axes import CostAxis, cost_axes
from zoo.measure.metrics import Kind
from zoo.text.wording import points_text


def choice(variants: pd.DataFrame, margin: float | None) -> str:
    """In a sentence or two; "" where fewer than three variants have a result."""
    known = variants[(variants["n"] > 0) & variants["accuracy_percent_mean"].notna()]
    if len(known) < 3:
        return ""
    best = known.loc[known["accuracy_percent_mean"].idxmax()]
    accuracy = f"{best['accuracy_percent_mean']:.2f} %{_is_baseline(best)}"
    text = f"Most accurate here: {cut(best['label'])}, {accuracy}{_luck(variants)}."
    axis = first_axis(known)
    if axis is None or not margin:
        return text
    costs = pd.Series(trade_off.cost_values(known, axis.name), known.index)
    near = known.index[known["accuracy_percent_mean"] >= best["accuracy_percent_mean"] - margin]
    if costs[near].isna().all():
        return text
    cheapest = known.loc[costs[near].idxmin()]
    if cheapest.name == best.name:
        return f"{text} No other is both within {points_text(margin)} of it and cheaper in {axis.noun}."
    ratio = costs[cheapest.name] / costs[best.name]
    return (
        f"{text} Cheapest in {axis.noun} within {points_text(margin)} of it, by the means: {cut(cheapest['label'])}, "
        f"{cheapest['accuracy_percent_mean']:.2f} %{_is_baseline(cheapest)}, {100 * (ratio - 1):+.1f} % {axis.noun}."
    )


def _luck(variants: pd.DataFrame) -> str:
    """What of it may be the choice itself."""
    points = luck(variants)
    if not points > 0:
        return ""
    equal = f"of {(variants['n'] > 0).sum()} equal ones the best would look {points:.2f} points better than it is"
    return f" ({equal}: confirm it on fresh seeds)"


def _is_baseline(row: pd.Series) -> str:
    return " (the baseline)" if row["baseline"] and row["label"] != names.BASELINE else ""


def first_axis(variants: pd.DataFrame) -> CostAxis | None:
    """The cost that decides between variants: the first counted one in which they differ; None where there is none."""
    differing = (cost_axes()[name] for name in trade_off.axes(variants))
    return next((axis for axis in differing if axis.metric.kind in (Kind.COUNT, Kind.SIZE)), None)
