"""Plain text for a terminal or a file: aligned tables, durations, amounts of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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
