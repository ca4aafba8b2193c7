"""Plain text for a person, the same on a terminal and in a file: aligned tables, durations."""

from __future__ import annotations

from collections.abc import Sequence


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int,
    notes: Sequence[str] = (),
    rule_before_last: bool = False,
) -> str:
    """Aligned columns, the first ``left`` of them to the left; a row's note stands in place of its missing cells."""
    widths = [max(len(row[i]) for row in [heads, *rows] if i < len(row)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        return " ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=False))
        )

    rule = "-" * (sum(widths) + len(widths) - 1)
    lines = [f"{line(row)} {note}".rstrip() for row, note in zip(rows, notes or [""] * len(rows), strict=True)]
    if rule_before_last:
        lines.insert(-1, rule)
    return "\n".join([line(heads), rule, *lines])


def duration(seconds: float) -> str:
    """Rounded to what one wants to know: "42 s", "3 min 20 s", "2 h 5 min"."""
    rounded = int(seconds + 0.5)
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        minutes, rest = divmod(rounded, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(int(seconds / 60 + 0.5), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
