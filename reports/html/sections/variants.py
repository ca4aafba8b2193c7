"""The tables of all variants: what came out of each, and what each costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from reports.html.cells import Cell, Table, leading, sortable
from reports.html.sections.answer import WORDS
from reports.html.sections.given import Given
from reports.tables import tables

PRICES: dict[str, tuple[str, Callable[[Any], str]]] = {  # column -> what it is called, and how a value is written
    "params": ("parameters", tables.count),
    "macs": ("multiply-adds", tables.count),
    "ops": ("operations", tables.count),
    "train_s": ("training, one run", tables.duration),
}
SORTED_BY = {  # column of tables.header() -> column of the frame
    "test accuracy, %": "accuracy_percent_mean",
    "difference, points": "difference_points",
    "parameters": "params",
    "MACs": "macs",
    "ops": "ops",
    "training": "train_s",
    "latency, ms": "latency_tf_p50_ms",
}


def variants(given: Given) -> dict[str, Any] | None:
    frame = given.frame
    if frame.empty or not frame["n"].any():
        return None
    place = {word: order for order, word in enumerate(WORDS)}
    columns = {name: frame[by].tolist() for name, by in SORTED_BY.items() if by in frame}
    columns["verdict"] = [place.get(word) for word in frame["verdict"]]
    cells = [
        [
            Cell(text, None if order == 0 else sortable(columns[name][row] if name in columns else leading(text)))
            for order, (name, text) in enumerate(zip(tables.header(), texts, strict=True))
        ]
        for row, texts in enumerate(tables.formatted(frame))
    ]
    left = frozenset({0, *(order for order, name in enumerate(tables.header()) if name == "verdict")})
    note = (
        "Accuracy: mean ± standard deviation over the seeds (their number). "
        "Difference: to the baseline, with its 95 % interval."
    )
    rounded = Table("Every variant, in the question's order", tables.header(), cells, left, is_sortable=True, note=note)
    return {"rounded": rounded, "whole": _whole(frame)}


def _whole(frame: pd.DataFrame) -> Table:
    names = ["variant", *(name for name in frame if name != "variant")]
    cells = [
        [Cell(_unrounded(value), None if isinstance(value, str) else sortable(value)) for value in row]
        for row in frame[names].itertuples(index=False)
    ]
    left = frozenset(place for place, name in enumerate(names) if frame[name].dtype.kind not in "iufb")
    return Table("Every column, unrounded", names, cells, left | {0}, is_sortable=True)


def _unrounded(value: Any) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return tables.ABSENT
    return repr(float(value)) if isinstance(value, float) else str(value)


def price(given: Given) -> dict[str, Any] | None:
    frame = given.frame
    if frame.empty:
        return None
    known = {column: kind for column, kind in _price_columns(frame).items() if frame[column].notna().any()}
    if not known:
        return None
    baseline = next(iter(frame[frame["baseline"].astype(bool)].to_dict("records")), None)
    rows = [
        [
            Cell(f"{row['variant']} (baseline)" if row["baseline"] else row["variant"]),
            *(_price_cell(row, column, write, baseline) for column, (_, write) in known.items()),
        ]
        for row in frame.to_dict("records")
    ]
    header = ("variant", *(title for title, _ in known.values()))
    note = "Below each figure: the change against the baseline." if baseline else ""
    return {"table": Table("The price of each variant", header, rows, is_sortable=True, note=note)}


def _price_columns(frame: pd.DataFrame) -> dict[str, tuple[str, Callable[[Any], str]]]:
    found = {column: kind for column, kind in PRICES.items() if column in frame}
    for column in frame:
        if match := re.fullmatch(r"size_(?:(.+)_)?bytes", column):
            found[column] = (f"{match[1] or ''} file".strip().replace("_", " "), _bytes)
        elif match := re.fullmatch(r"latency_(?:(.+)_)?p50_ms", column):
            of = f" ({match[1].replace('_', ' ')})" if match[1] and match[1] != "tf" else ""
            found[column] = (f"latency, one image{of}", "{:.3g} ms".format)
    return found


def _price_cell(row: Mapping, column: str, write: Callable[[Any], str], baseline: Mapping | None) -> Cell:
    value = sortable(row[column])
    if value is None:
        return Cell(tables.ABSENT)
    theirs = sortable(baseline[column]) if baseline and not row["baseline"] else None
    change = "" if not theirs else "the same" if value == theirs else f"{100 * (value / theirs - 1):+.1f} %"
    return Cell(write(row[column]), value, change)


def _bytes(value: float) -> str:
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.3g} {letters}"
    return f"{value:.0f} B"
