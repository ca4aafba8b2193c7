"""Plain tables of text, aligned, the same on a terminal and in a file."""

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
