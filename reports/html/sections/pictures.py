"""The sections with a drawing: accuracy against size, and learning curves."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from reports.html import forest, inlined
from reports.html.cells import Cell, Table, drawn, figure, is_number, leading, number, rows_of
from reports.html.sections.given import Given
from reports.tables import tables

AXES = {
    "params": "parameters",
    "macs": "multiply-adds",
    "ops": "operations",
    "bytes": "size of the file",
    "size_bytes": "size of the file",
    "latency": "latency",
    "train_s": "training time",
}


def trade_off(given: Given) -> dict[str, Any] | None:
    names = [name for name in given.pictures if name.split("/")[0] == "accuracy_vs_size"]
    panels = []
    for place, name in enumerate(names):
        axis = AXES.get(name.partition("/")[2], name.partition("/")[2].replace("_", " ") or AXES["params"])
        label = f"Test accuracy of every variant against its {axis}; the numbers are in the table of all variants"
        panels.append((axis, _picture(given.pictures[name], f"size{place}-", label)))
    front = _front(given)
    return {"panels": panels, "front": front} if panels or front else None


def _front(given: Given) -> Table | None:
    """From the frame, against every cost; else from the details, against one that they do not name."""
    columns = [name for name in given.frame.columns if name.startswith("front_probability_")]
    rows = given.frame[["variant", *columns]].to_dict("records") if columns else []
    if not columns:
        columns = ["probability"]
        rows = rows_of(given.details.front, "variant", *columns)
    rows = [row for row in rows if any(is_number(row[name]) for name in columns)]
    if not rows:
        return None
    axes = [name.removeprefix("front_probability_") for name in columns]
    header = ("variant", *(AXES.get(axis, axis.replace("_", " ")) for axis in axes))
    table = [[Cell(row["variant"]), *(figure(row[name], _share) for name in columns)] for row in rows]
    if len(columns) == 1:
        header = (*header, "drawn")
        share = [100 * number(row[columns[0]]) for row in rows]
        table = [
            [*cells, drawn(forest.bar(each, 100, f"{each:.0f} %"))] for cells, each in zip(table, share, strict=True)
        ]
    caption = "How surely each variant is on the Pareto front"
    note = (
        "On the front: no other variant is both as cheap and more accurate. Other trainings could draw another front; "
        "the probability says how often a variant would be on it."
    )
    return Table(caption, header, table, note=note)


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def curves(given: Given) -> dict[str, Any] | None:
    names = [name for name in given.pictures if name.split("/")[0] == "learning_curves"]
    label = "Test accuracy of every variant against the training step"
    drawn = [_picture(given.pictures[name], f"curves{place}-", label) for place, name in enumerate(names)]
    rows = tables.formatted_averages(given.frame) if len(given.frame) else []
    averages = None
    if rows:
        cells = [[Cell(text, None if place == 0 else leading(text)) for place, text in enumerate(row)] for row in rows]
        note = "The same trainings, evaluated with the weights of the last step, and with their moving average."
        averages = Table("Raw and averaged weights", tables.AVERAGES_HEADER, cells, note=note)
    return {"pictures": drawn, "averages": averages} if drawn or averages else None


class Picture(NamedTuple):
    """A drawing, or why there is none."""

    html: Markup | None
    problem: str = ""


def _picture(svg: str, prefix: str, label: str) -> Picture:
    try:
        return Picture(inlined.inlined(svg, prefix, label))
    except ValueError as error:
        return Picture(None, str(error))
