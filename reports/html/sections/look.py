"""The section to look closer in: every training as a dot, and, with a script, filters, pins and another baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from reports.html import forest
from reports.html.cells import Cell, Table, drawing_cell, is_number
from reports.html.page_data import PageData

FOLD = (
    "Every training as a dot. Filter and pin variants, compare with another one; what is chosen is kept in the address."
)


def look(data: PageData) -> dict[str, Any] | None:
    sweep, frame = data.sweep, data.frame
    if frame.empty or not frame["n"].any():
        return None
    seeds = {name: [*map(int, sweep.results(name)["seed"])] for name in sweep.variants}
    values = {name: sweep.results(name)["accuracy_percent"].to_numpy(float) for name in sweep.variants}
    every = np.concatenate([*values.values()])
    scale = forest.dot_scale(every)
    labels = frame["label"] if "label" in frame else frame["variant"]
    rows = []
    for name, label in zip(sweep.variants, labels, strict=True):
        mean = values[name].mean() if len(values[name]) else np.nan
        listed = ", ".join(f"{value:.2f}" for value in values[name]) or "no result"
        drawn = drawing_cell(forest.dots(values[name], seeds[name], scale, f"{label}: {listed}"))
        rows.append(
            [
                Cell(label, note="baseline" if name == sweep.baseline else ""),
                drawn,
                _percent(mean),
                Cell(str(len(values[name]))),
            ]
        )
    table = Table(
        "Test accuracy of every training, %",
        ("variant", "drawn", "mean", "trainings"),
        rows,
        note="Each dot is a training; the stroke is their mean.",
        row_variants=range(len(rows)),
    )
    return {"table": table, "axis": forest.dot_axis(scale), "fold": FOLD}


def _percent(value: float) -> Cell:
    return Cell(f"{value:.2f}", value) if is_number(value) else Cell("-")
