"""The tables of all variants: what came out of each, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.analysis.prices import words
from reports.html.cells import Cell, Table, is_number, sortable
from reports.html.page_data import PageData
from reports.html.sections.answer import RANKS
from reports.tables import tables
from zoo.measure import metrics
from zoo.measure.metrics import Metric

NOTE = (
    "Accuracy: mean ± standard deviation over the seeds (their number). "
    "Difference: to the baseline, with its 95 % interval."
)
PRICE_NOTE = "Training time is that of one run, latency that of one image."
CHANGE_NOTE = (
    "Below each figure: the change against the baseline; of what is measured, how many times the baseline's it is, with an "
    "interval that holds for all variants together with 95 % confidence."
)


def variants(data: PageData) -> dict[str, Any] | None:
    frame = data.frame
    if frame.empty or not frame["n"].any():
        return None
    return {"rounded": _rounded(frame), "unrounded": _unrounded(frame)}


def _rounded(frame: pd.DataFrame) -> Table:
    header = tables.header()
    rows = [
        [Cell(text, value) for text, value in zip(texts, _sorted_by(row), strict=True)]
        for texts, row in zip(tables.formatted(frame), frame.to_dict("records"), strict=True)
    ]
    text_columns = frozenset({0, header.index("verdict")})
    return Table("Every variant, in the question's order", header, rows, text_columns, is_sortable=True, note=NOTE)


def _sorted_by(row: Mapping[str, Any]) -> list[Any]:
    """What each column of ``tables.header()`` is sorted by: its unrounded value."""
    return [
        None,
        sortable(row["accuracy_percent_mean"]),
        sortable(row["difference_points"]),
        sortable(RANKS.get(row["verdict"])),
        *(sortable(row.get(metric.name)) for metric in tables.shown_metrics()),
    ]


def _unrounded(frame: pd.DataFrame) -> Table:
    names = ["variant", *(name for name in frame if name != "variant")]
    rows = [
        [Cell(_exact(value), None if isinstance(value, str) else sortable(value)) for value in row]
        for row in frame[names].itertuples(index=False)
    ]
    text_columns = frozenset(index for index, name in enumerate(names) if frame[name].dtype.kind not in "iufb")
    return Table("Every column, unrounded", names, rows, text_columns | {0}, is_sortable=True)


def _exact(value: Any) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return tables.ABSENT
    return repr(float(value)) if isinstance(value, float) else str(value)


def price(data: PageData) -> dict[str, Any] | None:
    frame = data.frame
    if frame.empty:
        return None
    costs = [metric for metric in metrics.among(frame) if metric.is_cost and frame[metric.name].notna().any()]
    if not costs:
        return None
    baseline = next(iter(frame[frame["baseline"].astype(bool)].to_dict("records")), None)
    rows = [
        [
            Cell(f"{row['variant']} (baseline)" if row["baseline"] else row["variant"]),
            *(_price(row, metric, baseline) for metric in costs),
        ]
        for row in frame.to_dict("records")
    ]
    header = ("variant", *(metric.noun for metric in costs))
    note = f"{PRICE_NOTE} {CHANGE_NOTE}" if baseline else PRICE_NOTE
    return {"table": Table("The price of each variant", header, rows, is_sortable=True, note=note)}


def _price(row: Mapping[str, Any], metric: Metric, baseline: Mapping[str, Any] | None) -> Cell:
    """The cost, and below it the change against the baseline."""
    if not is_number(row[metric.name]):
        return Cell(tables.ABSENT)
    change = words.change_text(row, baseline, metric) if baseline and not row["baseline"] else ""
    return Cell(metric.text(row[metric.name]), float(row[metric.name]), change)
