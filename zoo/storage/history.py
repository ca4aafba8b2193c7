"""The table of evaluations in history.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from zoo.storage.records import Row


def as_table(rows: Sequence[Row]) -> bytes:
    """The contents of the file."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def parsed(contents: bytes) -> list[Row]:
    """The rows of the file. Raises ValueError, csv.Error."""
    if not contents:
        raise ValueError("it is empty")
    table = csv.DictReader(io.StringIO(contents.decode("utf-8"), newline=""), strict=True)
    if table.fieldnames and "step" not in table.fieldnames:
        raise ValueError("it has no column step")
    return [_row(cells) for cells in table]


def _row(cells: Mapping[str, str]) -> Row:
    """Raises ValueError for a row of too many or too few cells, or without a step."""
    if None in cells or None in cells.values():
        raise ValueError("a row with too many or too few values")
    row = {name: float(value) for name, value in cells.items() if value != ""}
    if "step" not in row:
        raise ValueError("a row without a step")
    return row
