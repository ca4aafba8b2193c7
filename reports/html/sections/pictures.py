"""The sections with a drawing: accuracy against size, and learning curves."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from reports.html import forest, inline_svg
from reports.html.cells import (
    DRAWING,
    Cell,
    Table,
    drawing_cell,
    is_number,
    leading_number,
    number,
    number_cell,
    rows_of,
    signed,
)
from reports.html.page_data import PageData
from reports.tables import costs, tables
from zoo.measure.cost_axes import cost_axes

FRONT_COLUMN = "front_probability_"  # and the axis


class Picture(NamedTuple):
    """A drawing, or why there is none."""

    html: Markup | None
    problem: str = ""


def trade_off(data: PageData) -> dict[str, Any] | None:
    panels = []
    for index, name in enumerate(_named(data, "accuracy_vs_size")):
        axis = _axis_title(name.partition("/")[2] or "params")
        label = f"Test accuracy of every variant against its {axis}; the numbers are in the table of all variants"
        panels.append((axis, _picture(data.pictures[name], f"size{index}-", label)))
    front = _front(data)
    return {"panels": panels, "front": front, "equal": costs.equal_words(data.frame)} if panels or front else None


def _named(data: PageData, kind: str) -> list[str]:
    return [name for name in data.pictures if name.split("/")[0] == kind]


def _axis_title(axis: str) -> str:
    known = cost_axes().get(axis)
    return known.noun if known else axis.replace("_", " ")


def _front(data: PageData) -> Table | None:
    """From the frame, against every cost; else from the details, against one that they do not name."""
    columns = [name for name in data.frame.columns if name.startswith(FRONT_COLUMN)]
    rows = data.frame[["variant", *columns]].to_dict("records") if columns else []
    if not columns:
        columns = ["probability"]
        rows = rows_of(data.details.front, "variant", *columns)
    rows = [row for row in rows if any(is_number(row[name]) for name in columns)]
    if not rows:
        return None
    header = ["variant", *(_axis_title(name.removeprefix(FRONT_COLUMN)) for name in columns)]
    cells = [[Cell(row["variant"]), *(number_cell(row[name], _percent) for name in columns)] for row in rows]
    if len(columns) == 1:
        header.append(DRAWING)
        for row, row_cells in zip(rows, cells, strict=True):
            probability = number(row[columns[0]])
            row_cells.append(drawing_cell(forest.bar(100 * probability, 100, _percent(probability))))
    caption = "How probable it is that a variant is on the Pareto front"
    note = (
        "On the front: no other variant is both as cheap and more accurate. Other trainings could draw another front; "
        "the probability says how often a variant would be on it."
    )
    return Table(caption, header, cells, note=note)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"


def curves(data: PageData) -> dict[str, Any] | None:
    label = "Test accuracy of every variant against the training step"
    pictures = [
        _picture(data.pictures[name], f"curves{index}-", label)
        for index, name in enumerate(_named(data, "learning_curves"))
    ]
    evaluations = _evaluations(data)
    if not pictures and not evaluations:
        return None
    return {"pictures": pictures, "evaluations": evaluations, "gains": _gains(evaluations)}


def _gains(evaluations: Table | None) -> str:
    """By how much the last evaluation is above the first."""
    gains = [row[-1].value for row in evaluations.rows if is_number(row[-1].value)] if evaluations else []
    if not gains:
        return ""
    low, high = signed(min(gains)), signed(max(gains))
    return f"{low} points" if low == high else f"{low} to {high} points"


def _evaluations(data: PageData) -> Table | None:
    rows = tables.formatted_evaluations(data.frame) if len(data.frame) else []
    if not rows:
        return None
    cells = [
        [Cell(text, None if column == 0 else leading_number(text)) for column, text in enumerate(row)] for row in rows
    ]
    note = (
        "Evaluations of the same trainings: raw weights are those of the last step, averaged ones their moving average."
    )
    return Table(tables.evaluations_title(), tables.evaluations_header(), cells, note=note)


def _picture(svg: str, prefix: str, label: str) -> Picture:
    try:
        return Picture(inline_svg.inline(svg, prefix, label))
    except ValueError as error:
        return Picture(None, str(error))
