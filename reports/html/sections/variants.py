"""The tables of all variants: what came out of each, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.analysis import trade_off
from reports.analysis.prices import words
from reports.analysis.wording import names
from reports.analysis.wording.single import capital
from reports.html.cells import Cell, Table, is_number, sortable
from reports.html.page_data import PageData
from reports.html.sections.answer import RANKS
from reports.tables import tables
from reports.tables.costs import equal_words
from zoo.measure import metrics
from zoo.measure.metrics import Metric
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import level_text, listed

SORTED_BY = ("difference_points", "accuracy_percent_mean")
NOTE = "Accuracy: mean ± standard deviation (trainings). Difference: to the baseline, with its 95 % interval."
PRICE_NOTE = "Training time is that of one run, latency that of one image."
CHANGE_NOTE = (
    "Below each figure: the change against the baseline; of what is measured, how many times the baseline's it is, with its "
    "interval at 95 % or more. That the interval of any leaves out 1 by chance has a probability of 5 % at most."
)


def variants(data: PageData) -> dict[str, Any] | None:
    frame = data.frame
    if frame.empty or not frame["n"].any():
        return None
    return {"rounded": _rounded(data), "unrounded": _unrounded(frame)}


def _rounded(data: PageData) -> Table:
    """One column a factor where several vary, then what is asked about, then the costs in which the variants differ."""
    frame, levels = data.frame, data.sweep.levels
    factors = names.factors(levels)
    by_factor = len(factors) > 1 and all(set(factors) <= levels.get(name, {}).keys() for name in frame["variant"])
    naming = tuple(factors) if by_factor else ("variant",)
    texts = dict(zip(frame["variant"], tables.formatted(frame), strict=True))
    shown = [metric for metric in tables.shown_metrics() if _differs(frame, metric)]
    has_verdicts = any(each not in ("", VerdictWord.NONE, VerdictWord.DESCRIPTIVE) for each in frame["verdict"])
    asked = (*(["verdict"] if has_verdicts else []), "difference, points", "test accuracy, %")
    known = [tables.header().index(name) for name in asked]
    rows = []
    for row in frame.to_dict("records"):
        own = [level_text(levels[row["variant"]][factor]) for factor in factors] if by_factor else [_name(row)]
        first = Cell(own[0], note="baseline" if row["baseline"] else "")
        values = [sortable(RANKS.get(row["verdict"])), *(sortable(row[name]) for name in SORTED_BY)][-len(asked) :]
        cells = [Cell(texts[row["variant"]][column], value) for column, value in zip(known, values, strict=True)]
        costs = [
            Cell(metric.format(row[metric.name]), float(row[metric.name]))
            if is_number(row[metric.name])
            else Cell(tables.ABSENT)
            for metric in shown
        ]
        rows.append([first, *map(Cell, own[1:]), *cells, *costs])
    header = (*naming, *asked, *(metric.column_heading for metric in shown))
    note = f"{NOTE} {equal_words(frame)}".strip()
    text_columns = frozenset(range(len(naming) + has_verdicts))
    numbers = range(len(rows))
    caption = "Every variant, in the question's order"
    return Table(caption, header, rows, text_columns, is_sortable=True, note=note, row_variants=numbers)


def _name(row: Mapping[str, Any]) -> str:
    return str(row["variant"] if row["baseline"] else row["label"])


def _differs(frame: pd.DataFrame, metric: Metric) -> bool:
    values = frame[metric.name].dropna() if metric.name in frame else ()
    return len(values) > 0 and (len(frame) == 1 or trade_off.differs(np.asarray(values, float)))


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
    records = frame.to_dict("records")
    baselines = {row.get("part", ""): row for row in records if row["baseline"]}
    rows = [
        [
            Cell(f"{row['variant']} (baseline)" if row["baseline"] else row["variant"]),
            *(_price(row, metric, baselines.get(row.get("part", ""))) for metric in costs),
        ]
        for row in records
    ]
    header = ("variant", *(metric.noun for metric in costs))
    note = f"{PRICE_NOTE} {CHANGE_NOTE}" if baselines else PRICE_NOTE
    return {
        "fold": capital(f"{listed(metric.noun for metric in costs)}, with the change against the baseline."),
        "table": Table("The price of each variant", header, rows, is_sortable=True, note=note),
    }


def _price(row: Mapping[str, Any], metric: Metric, baseline: Mapping[str, Any] | None) -> Cell:
    """The cost, and below it the change against the baseline."""
    if not is_number(row[metric.name]):
        return Cell(tables.ABSENT)
    change = words.change_text(row, baseline, metric) if baseline and not row["baseline"] else ""
    return Cell(metric.text(row[metric.name]), float(row[metric.name]), change)
