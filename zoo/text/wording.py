"""Plain text for a terminal or a file: aligned tables, durations, amounts of bytes."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable, Sequence

_NARROWEST = 8  # characters to which a column of a fitted table is narrowed by breaking words
_UNITS_S = {"h": 3600, "min": 60, "m": 60, "s": 1}


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: int = 1,
    gap: int = 1,
    notes: Sequence[str] = (),
    rule_before_last: bool = False,
) -> str:
    """Columns ``gap`` spaces apart, the first ``left`` aligned to the left, the others to the right.

    A row that ends early has its note in the place of the missing cells.
    """
    rows = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in [heads, *rows] if i < len(row)) for i in range(len(heads))]

    def line(cells: Sequence[str], note: str = "") -> str:
        aligned = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=False))
        ]
        return (" " * gap).join([*aligned, note]).rstrip()

    rule = line(["-" * width for width in widths])
    lines = [line(row, note) for row, note in zip(rows, notes or [""] * len(rows), strict=True)]
    if rule_before_last:
        lines.insert(-1, rule)
    return "\n".join([line(heads), rule, *lines])


def fitted_table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, gap: int = 2) -> str:
    """A table of at most ``width`` characters a line where that is possible: cells that are too wide are wrapped by words.

    The first column is aligned to the left, the others to the right. Within a column of ``_NARROWEST`` characters or fewer
    nothing is wrapped but between words.
    """
    widths = _fitted_widths([heads, *rows], width - gap * (len(heads) - 1))

    def lines(cells: Sequence[str]) -> list[str]:
        wrapped = [
            textwrap.wrap(cell, size, break_on_hyphens=False) or [""] for cell, size in zip(cells, widths, strict=True)
        ]
        aligned = [
            [part.ljust(size) if i == 0 else part.rjust(size) for part in parts]
            for i, (parts, size) in enumerate(zip(wrapped, widths, strict=True))
        ]
        blank = [" " * size for size in widths]
        return [
            (" " * gap).join(parts[n] if n < len(parts) else empty for parts, empty in zip(aligned, blank, strict=True))
            for n in range(max(map(len, wrapped)))
        ]

    rule = (" " * gap).join("-" * size for size in widths)
    return "\n".join(line.rstrip() for line in [*lines(heads), rule, *itertools.chain.from_iterable(map(lines, rows))])


def _fitted_widths(rows: Sequence[Sequence[str]], available: int) -> list[int]:
    """The width of each column: that of its widest cell, less, from the widest column first, what is too much together."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    longest = [max(len(word) for cell in column for word in (cell.split() or [""])) for column in columns]
    for smallest in (longest, [_NARROWEST] * len(columns)):
        while sum(widths) > available:
            reducible = [i for i, size in enumerate(widths) if size > smallest[i]]
            if not reducible:
                break
            widths[max(reducible, key=lambda i: widths[i])] -= 1
    return widths


def wrapped(text: str, width: int) -> str:
    """A paragraph in lines of at most ``width`` characters; words stay whole, an address too."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def points_text(value: float | None) -> str:
    """Of accuracy: "0.5 points", "1 point"; "0 points" for None."""
    return f"{value or 0:g} point" if value == 1 else f"{value or 0:g} points"


def duration(seconds: float) -> str:
    """Rounded to two units: "42 s", "3 min 20 s", "2 h 5 min"."""
    rounded = int(seconds + 0.5)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        minutes, rest = divmod(rounded, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(int(seconds / 60 + 0.5), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def parsed_duration(text: str) -> float:
    """The seconds of "2h", "1h30m", "90 min" or "45s". Raises ValueError, with a message for a person."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)", text)
    if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)", "", text).strip():
        raise ValueError(f"{text!r} is not a duration; write it like 2h, 90m, 1h30m or 45s")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def amount(size_bytes: float) -> str:
    """ "812 kB", "4.3 MB", "12 GB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size_bytes < 999.5 or unit == "GB":
            digits = 1 if size_bytes < 10 and unit != "bytes" else 0
            return f"{size_bytes:,.{digits}f} {unit}"
        size_bytes /= 1000
    raise AssertionError
