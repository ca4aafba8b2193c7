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

UNIT = re.compile(
    r"(?<=\d) (?=(?:%|points?|ms|s|min|h|[kMG]?B|bytes|seeds?|trainings?|variants?|times)(?![\w]))"
    r"|(?<=[\d%]) (?=±)|(?<=±) (?=\d)"
)
DRAWING = "drawn"  # header of a column of drawings


class Cell(NamedTuple):
    """What is read, and what the table is sorted by (nothing for a missing value)."""

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
    row_variants: Sequence[int] = ()  # the number of each row's variant, where its first cell does not name it


class ForestTable(NamedTuple):
    """A table with a forest plot in one column; the scale's axis belongs below."""

    table: Table
    axis: Markup
    margin: float | None


def rows_of(frame: pd.DataFrame | None, *columns: str) -> list[dict[str, Any]]:
    """The rows with these columns, nan where the frame has none."""
    return [] if frame is None or frame.empty else frame.reindex(columns=list(columns)).to_dict("records")


# --- values ------------------------------------------------------------------------------------------------------


def is_number(value: Any) -> bool:
    return sortable(value) is not None and math.isfinite(value)


def sortable(value: Any) -> float | None:
    """The value to sort a cell by; None for what is missing, or no number."""
    if isinstance(value, str) or value is None or pd.isna(value):
        return None
    return float(value)


def number(value: Any) -> float:
    """nan for what is missing, or no number."""
    return math.nan if sortable(value) is None else float(value)


def leading_number(text: str) -> float | None:
    """The number that a rounded cell begins with."""
    match = re.match(r"[+-]?[\d,]+(?:\.\d+)?", text)
    return float(match[0].replace(",", "")) if match and match[0].strip("+-,") else None


def difference_of(row: Mapping[str, Any]) -> Interval:
    """The difference of a variant's row in the frame, in points, with its interval."""
    return Interval(*(number(row[f"difference_{end}points"]) for end in ("", "low_", "high_")))


def verdict_interval(row: Mapping[str, Any]) -> Interval:
    """The one that the verdict rests on; the 95 % one where there is none."""
    of_verdict = Interval(
        *(number(row.get(name)) for name in ("difference_points", "verdict_low_points", "verdict_high_points"))
    )
    return of_verdict if math.isfinite(of_verdict.low) else difference_of(row)


# --- as text -----------------------------------------------------------------------------------------------------


def typeset(text: Any) -> str:
    """With minus signs before numbers, and no line end between a number and its unit; a hyphen inside a name stays one."""
    with_signs = re.sub(r"(^|(?<=[\s\[(]))-(?=\d)", "\N{MINUS SIGN}", str(text))
    return UNIT.sub("\N{NO-BREAK SPACE}", with_signs)


def signed(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:+.{digits}f}"  # the sum makes a zero of a negative zero


def estimate(interval: Interval, digits: int = 2) -> str:
    """``+0.14 [-0.73, +1.01]``"""
    if not is_number(interval.middle):
        return tables.ABSENT
    middle = signed(interval.middle, digits)
    if not (is_number(interval.low) and is_number(interval.high)):
        return f"{middle} [n/a]"
    return f"{middle} [{signed(interval.low, digits)}, {signed(interval.high, digits)}]"


def p_value(value: Any) -> str:
    return tables.ABSENT if not is_number(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def as_text(value: Any, digits: int = 2) -> str:
    """Any value; nothing for one that is missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, Iterable):
        return " x ".join(map(str, value))
    if pd.isna(value):
        return ""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


# --- cells -------------------------------------------------------------------------------------------------------


def number_cell(value: Any, write: Callable[[float], str]) -> Cell:
    return Cell(write(value), value) if is_number(value) else Cell(tables.ABSENT)


def drawing_cell(html: Markup) -> Cell:
    return Cell("", html=html)


def forest_cell(interval: Interval, scale: forest.Scale, digits: int = 2) -> Cell:
    """An interval, drawn, with its numbers below where the page is too narrow for those beside it."""
    text = estimate(interval, digits)
    return Cell("", note=text, html=forest.row(interval, scale, text))
