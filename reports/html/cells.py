"""The cells of the page's tables: values as they are read, and as they are sorted by."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from reports.html import forest
from reports.html.forest import Interval
from reports.tables import tables


class Cell(NamedTuple):
    """Of a table: what is read, and what it is sorted by (nothing for one that is missing)."""

    text: str
    value: Any = None
    note: str = ""  # smaller, below
    html: Markup | None = None  # instead of the text
    link: str | None = None


class Table(NamedTuple):
    """The first cell of a row names it."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: frozenset[int] = frozenset({0})  # to the left; numbers stand to the right
    is_sortable: bool = False
    note: str = ""


def typeset(text: Any) -> str:
    """With minus signs before numbers; a hyphen inside a word or a name stays one."""
    return re.sub(r"(^|(?<=[\s\[(]))-(?=\d)", "\N{MINUS SIGN}", str(text))


def rows_of(frame: pd.DataFrame | None, *columns: str) -> list[dict[str, Any]]:
    """The rows with these columns, nan where the frame has none."""
    return [] if frame is None or frame.empty else frame.reindex(columns=list(columns)).to_dict("records")


def estimate(each: Interval, digits: int = 2) -> str:
    """``+0.14 [-0.73, +1.01]``"""
    if not is_number(each.middle):
        return tables.ABSENT
    middle = points(each.middle, digits)
    if not (is_number(each.low) and is_number(each.high)):
        return f"{middle} [n/a]"
    return f"{middle} [{points(each.low, digits)}, {points(each.high, digits)}]"


def difference_of(row: Mapping[str, Any]) -> Interval:
    """That of a variant's row in the frame: points, with what they lie between."""
    return Interval(*(number(row[f"difference_{end}points"]) for end in ("", "low_", "high_")))


def points(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:+.{digits}f}"  # the sum makes a zero of a negative zero


def figure(value: Any, write: Callable[[float], str]) -> Cell:
    return Cell(write(value), value) if is_number(value) else Cell(tables.ABSENT)


def drawn(html: Markup) -> Cell:
    return Cell("", html=html)


def chance(value: Any) -> str:
    return tables.ABSENT if not is_number(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def words(value: Any, digits: int = 2) -> str:
    """Any value as words; nothing for one that is missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, Iterable):
        return " x ".join(map(str, value))
    if pd.isna(value):
        return ""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def is_number(value: Any) -> bool:
    return sortable(value) is not None and math.isfinite(value)


def sortable(value: Any) -> float | None:
    """What a cell is sorted by; None for what is missing, or no number."""
    if isinstance(value, str) or value is None or pd.isna(value):
        return None
    return float(value)


def number(value: Any) -> float:
    return math.nan if sortable(value) is None else float(value)


def leading(text: str) -> float | None:
    """The number that a rounded cell begins with."""
    match = re.match(r"[+-]?[\d,]+(?:\.\d+)?", text)
    return float(match[0].replace(",", "")) if match and match[0].strip("+-,") else None


class Forest(NamedTuple):
    """Rows of a table with a forest plot in one column; the scale's axis belongs below."""

    table: Table
    axis: Markup
    margin: float | None


def plot(each: Interval, scale: forest.Scale, digits: int = 2) -> Cell:
    """An interval, drawn, with its numbers below where the page is too narrow for those beside it."""
    return Cell("", note=estimate(each, digits), html=forest.row(each, scale, estimate(each, digits)))
