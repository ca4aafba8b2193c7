"""Trade-off pictures over several sweeps and published figures, with the points that were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from reports.analysis import answer
from reports.errors import ReportError
from reports.figures import rendering
from reports.figures.trade_off.figure import accuracy_vs_size
from reports.store import connection, imported
from reports.tables import costs
from reports.writers import files, frames, reading
from reports.writers.formats import Report
from zoo.measure.cost_axes import cost_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write(
    sweeps: Sequence[str],
    folder: Path,
    formats: Sequence[str],
    tracking_uri: str | None,
    *,
    axes: Sequence[str],
    points: Sequence[str | Path],
    skip_unmeasured: bool,
) -> Report:
    """As ``reports.write_accuracy_vs_size``, with formats and axes that are known."""
    files.check_folder(folder)
    published = [imported.read(path) for path in dict.fromkeys(points)]
    frame = _stacked([*_variants(sweeps, tracking_uri), *published])
    figures = {axis: figure for axis in axes if (figure := accuracy_vs_size(frame, axis)) is not None}
    missing = [axis for axis in axes if axis not in figures]
    if (missing and not skip_unmeasured) or not figures:
        names = ", ".join([*dict.fromkeys(sweeps), *map(str, points)])
        cost = "a cost" if skip_unmeasured else f"a value for {missing[0]} ({cost_axes()[missing[0]].label})"
        raise ReportError(f"nothing of {names} has both an accuracy and {cost} yet")
    contents = _pictures(figures, formats) | frames.encode({"accuracy_vs_size": frame}, formats)
    summary = "\n\n".join(costs.front_text(frame, axis) for axis in figures)
    return Report(files.save(contents, folder), summary)


def _pictures(figures: dict[str, Figure], formats: Sequence[str]) -> dict[str, bytes]:
    """File name -> content."""
    contents: dict[str, bytes] = {}
    for axis, figure in figures.items():
        name = "accuracy_vs_size" if axis == "params" else f"accuracy_vs_{axis}"
        if "png" in formats:
            contents[f"{name}.png"] = rendering.png(figure)
        if "svg" in formats:
            contents[f"{name}.svg"] = rendering.svg(figure, name).encode()
    return contents


def _variants(sweeps: Sequence[str], tracking_uri: str | None) -> list[pd.DataFrame]:
    """The variants of each sweep, once."""
    frames = []
    for name in dict.fromkeys(sweeps):
        sweep = reading.read(name, tracking_uri)
        reading.require_results(sweep, "to draw")
        with connection.reading(tracking_uri):
            frames.append(answer.variants_of(sweep))
    return frames


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows under each other; a column that one of them lacks is missing there."""
    columns = list(dict.fromkeys(name for frame in frames for name in frame))
    dtypes = {name: next(frame[name].dtype for frame in frames if name in frame) for name in columns}
    stacked = pd.concat([frame.reindex(columns=columns).astype(object) for frame in frames], ignore_index=True)
    for name, dtype in dtypes.items():
        if dtype == bool:  # noqa: E721  (a dtype, not a type)
            stacked[name] = stacked[name].eq(True)
        elif str(dtype) in ("Int64", "float64"):
            stacked[name] = stacked[name].astype(dtype)
        elif dtype.kind == "i":
            stacked[name] = stacked[name].astype("Int64")
    return stacked
