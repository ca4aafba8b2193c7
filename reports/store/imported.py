"""Published figures from a CSV file of the person's own, to be drawn beside what was measured here."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pandas as pd

from reports.errors import ReportError
from zoo.measure.cost_axes import cost_axes
from zoo.measure.metrics import Kind
from zoo.text.suggestions import did_you_mean

NEEDED = ("name", "accuracy_percent")
OPTIONAL = ("sd_points", "source")


def cost_columns() -> dict[str, Kind]:
    """The columns for costs that a file may have."""
    return {axis.published: axis.metric.kind for axis in cost_axes().values() if axis.published}


def columns() -> tuple[str, ...]:
    return (*NEEDED, *cost_columns(), *OPTIONAL)


def _allowed() -> str:
    return (
        f"the columns are {' and '.join(NEEDED)}, any of {', '.join(cost_columns())} (one at least), "
        f"and, if you like, {' and '.join(OPTIONAL)}"
    )


def read(path: str | Path) -> pd.DataFrame:
    """The figures in a CSV file, as rows that ``reports.figures.trade_off`` draws beside those of ``analysis.variants``.

    Columns: sweep (the file's name), variant, imported (true), accuracy_percent_mean, accuracy_percent_sd, params, macs, ops
    (Int64), bytes, latency_ms, source (where a row names none, the file).

    Raises:
        ReportError: no such file, or one mistake in it, with line and column.
    """
    path = Path(path)
    rows = _rows(path)
    header = _header(path, rows)
    if len(rows) < 2:
        raise ReportError(f"{path} has no figures: a header and nothing below it; {_allowed()}")
    figures = [_row(path, line, dict(zip(header, cells, strict=True))) for line, cells in rows[1:]]
    frame = pd.DataFrame(figures)
    if (frame["accuracy_percent_mean"] <= 1).all():
        line = rows[1][0]
        raise _mistake(
            path, line, "accuracy_percent", "accuracies up to 1 look like fractions; percent are wanted (91.25)"
        )
    counts = [name for name, kind in cost_columns().items() if kind is Kind.COUNT]
    return frame.astype(dict.fromkeys(counts, "Int64"))


def _mistake(path: Path, line: int, column: str, what: str) -> ReportError:
    return ReportError(f"{path}, line {line}, column {column!r}: {what}" if column else f"{path}, line {line}: {what}")


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Line numbers and stripped cells of the lines that are not empty, the header first; all as long as the header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path} is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _mistake(path, begins, "", f"not CSV: {error}") from error
        if cells is None:
            break
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if rows and len(cells) != len(rows[0][1]):
            comma = "; a field with a comma in it needs quotes around it" if len(cells) > len(rows[0][1]) else ""
            raise _mistake(path, begins, "", f"{len(cells)} fields under a header of {len(rows[0][1])}{comma}")
        rows.append((begins, cells))
    if not rows:
        raise ReportError(f"{path} is empty; {_allowed()}")
    return rows


def _header(path: Path, rows: list[tuple[int, list[str]]]) -> list[str]:
    line, header = rows[0]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise _mistake(path, line, "", f"fields are separated by commas here, not by semicolons or tabs; {_allowed()}")
    for name in header:
        if name not in columns():
            raise _mistake(path, line, name, f"no such column{did_you_mean(name, columns())}; {_allowed()}")
        if header.count(name) > 1:
            raise _mistake(path, line, name, "there twice")
    for name in NEEDED:
        if name not in header:
            raise _mistake(path, line, "", f"there is no column {name!r}; {_allowed()}")
    if not set(cost_columns()) & set(header):
        raise _mistake(path, line, "", f"there is no column of a cost; {_allowed()}")
    return header


def _row(path: Path, line: int, cells: dict[str, str]) -> dict[str, object]:
    if not cells["name"]:
        raise _mistake(path, line, "name", "every figure has a name")
    costs = cost_columns()
    values = {
        name: _number(path, line, name, cells.get(name, "")) for name in ("accuracy_percent", *costs, "sd_points")
    }
    accuracy, sd = values["accuracy_percent"], values["sd_points"]
    if math.isnan(accuracy):
        raise _mistake(path, line, "accuracy_percent", "every figure has an accuracy, in percent")
    if not 0 <= accuracy <= 100:
        raise _mistake(path, line, "accuracy_percent", f"{cells['accuracy_percent']} is not between 0 and 100 percent")
    if sd < 0:
        raise _mistake(path, line, "sd_points", f"a standard deviation is not negative: {cells['sd_points']}")
    for name, kind in costs.items():
        if values[name] <= 0:
            raise _mistake(path, line, name, f"{cells[name]} is not above 0; leave it empty where it is not known")
        if kind in (Kind.COUNT, Kind.SIZE) and not math.isnan(values[name]) and values[name] % 1:
            raise _mistake(path, line, name, f"{cells[name]} is not a whole number")
    if all(math.isnan(values[name]) for name in costs):
        raise _mistake(path, line, "", f"{cells['name']!r} has no cost: it takes one of {', '.join(costs)}")
    return {
        "sweep": path.name,
        "variant": cells["name"],
        "imported": True,
        "accuracy_percent_mean": accuracy,
        "accuracy_percent_sd": sd,
        **{name: values[name] for name in costs},
        "source": cells.get("source") or path.name,
    }


def _number(path: Path, line: int, column: str, text: str) -> float:
    """nan for an empty field."""
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        hint = "; write thousands without commas" if "," in text else ""
        raise _mistake(path, line, column, f"{text!r} is not a number{hint}")
    return value
