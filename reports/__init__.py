"""From MLflow to an answer: frames, tables, figures and pages. Never imports TensorFlow.

    reports.load("ablation_lrn")     a pandas frame, one row a run
    reports.write("ablation_lrn")    the report's files, and the text to print

Nothing heavy is imported before one of these is called.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.errors import ReportError
from zoo.measure.metrics import cost_axes

if TYPE_CHECKING:
    import pandas

    from reports.analysis.answer import Answer
    from reports.analysis.diff import Difference

FORMATS = ("html", "md", "png", "csv")  # unless others are asked for
ALL_FORMATS = (*FORMATS, "svg", "parquet", "tex")
PICTURE_FORMATS = ("png", "csv")
ALL_PICTURE_FORMATS = (*PICTURE_FORMATS, "svg", "parquet")
COSTS = tuple(cost_axes())  # that accuracy can be drawn against


@dataclass(frozen=True)
class Report:
    """What a report left behind: the files, in the order to read them, and a text for the terminal."""

    paths: tuple[Path, ...]
    summary: str


def load(sweep: str, tracking_uri: str | None = None) -> pandas.DataFrame:
    """The current runs of ``sweep``, one row each, ordered by variant (as in the question) and seed.

    Columns: sweep, variant, seed, status, status_detail, run_key, run_id; final accuracies in percent
    (``accuracy_percent``, ``accuracy_raw_percent``, ``accuracy_ema_percent``, ``top5_percent``; of a run whose status
    is not FINISHED, the last before it ended); ``params``, ``macs``, ``ops``; ``train_s``;
    ``latency_<format>_p50_ms``, ``size_<format>_bytes``; provenance; and the resolved configuration as strings under
    ``config.<field>``. A value that was not measured is missing (nan or NA), in the same column. Of several runs for
    one variant and seed, a finished one counts before a failed one, then the newest.

    Raises:
        ReportError: no such store or sweep.
    """
    from reports.store import connection

    with connection.reading(tracking_uri):
        from reports.store import reader

        return reader.read_runs(sweep, tracking_uri)


def prepare() -> None:
    """Import what a report takes, a second or two, ahead of time; what is in the way of that is left to ``write`` to say."""
    with suppress(Exception):
        from matplotlib.backends import backend_agg, backend_svg  # noqa: F401
        from scipy import optimize, special  # noqa: F401

        from reports.analysis import answer  # noqa: F401
        from reports.figures import curves, trade_off  # noqa: F401
        from reports.html import page  # noqa: F401
        from reports.store import reader  # noqa: F401
        from reports.writers import markdown  # noqa: F401


def write(
    sweep: str,
    out: str | Path | None = None,
    formats: Sequence[str] = FORMATS,
    tracking_uri: str | None = None,
    *,
    allow_empty: bool = True,
) -> Report:
    """Write the report of ``sweep`` into the folder ``out`` (default ``results/<sweep>``).

    ``html`` gives report.html (one file with everything in it), ``md`` report.md, ``png`` and ``svg`` accuracy_vs_size and
    learning_curves, ``csv`` variants and runs, ``parquet`` those and points (the histories), ``tex`` report.tex, a table for
    a paper. Each file is replaced whole or not at all. A sweep that is half run is reported as far as it goes, with what is
    missing named.

    Raises:
        ReportError: no such store or sweep, an unknown format, a folder that cannot be written, or without
            ``allow_empty`` a sweep without any result.
    """
    from reports.store import connection
    from reports.writers import files

    formats = _checked(formats, ALL_FORMATS, "format")
    folder = files.place(Path(out) if out is not None else Path("results") / sweep)
    with connection.reading(tracking_uri):
        from reports.store import reader

        data = reader.read(sweep, tracking_uri)
    if not allow_empty and not len(data.results()):
        raise ReportError(f"nothing to report: {_emptiness(data)}")
    from reports.analysis import answer
    from reports.writers import markdown

    with connection.reading(tracking_uri):
        found = answer.of(data, with_images="html" in formats)
    contents = _contents(found, formats)
    stale = [f"{name}.{kind}" for name in ("accuracy_vs_size", "learning_curves") for kind in ("png", "svg")]
    paths = files.save(contents, folder, [name for name in stale if name.rpartition(".")[2] in formats])
    return Report(paths, markdown.summary(found))


def write_accuracy_vs_size(
    sweeps: Sequence[str],
    out: str | Path | None = None,
    formats: Sequence[str] = PICTURE_FORMATS,
    tracking_uri: str | None = None,
    *,
    axes: Sequence[str] = ("params",),
    points: Sequence[str | Path] = (),
    skip_unmeasured: bool = False,
) -> Report:
    """Trade-off pictures over several sweeps and files of published figures (see ``reports.store.imported``).

    One picture for each of ``axes`` (of ``COSTS``): accuracy_vs_size for parameters, accuracy_vs_<axis> for another cost,
    and accuracy_vs_size.csv with what was drawn, all in ``out`` (default ``results``). With ``skip_unmeasured`` a cost
    that nothing has is left out.

    Raises:
        ReportError: no such store or sweep, a mistake in a file of figures, nothing to draw on one of the axes, or a
            folder that cannot be written.
    """
    from reports.writers import files

    formats = _checked(formats, ALL_PICTURE_FORMATS, "format")
    axes = _checked(axes, COSTS, "axis")
    if not sweeps and not points:
        raise ReportError("neither a sweep nor a file of published figures was named")
    folder = files.place(Path(out) if out is not None else Path("results"))
    from reports.figures import canvas, trade_off
    from reports.store import imported
    from reports.tables import costs

    published = [imported.read(path) for path in dict.fromkeys(points)]
    frame = _stacked([*_read_all(sweeps, tracking_uri), *published])
    figures = {}
    for axis in axes:
        figure = trade_off.accuracy_vs_size(frame, axis)
        if figure is not None:
            figures[axis] = figure
        elif not skip_unmeasured or (axis == axes[-1] and not figures):
            names = [*dict.fromkeys(sweeps), *map(str, points)]
            what = "a cost" if skip_unmeasured else f"a value for {axis} ({cost_axes()[axis].label})"
            raise ReportError(f"nothing of {', '.join(names)} has both an accuracy and {what} yet")
    contents: dict[str, bytes] = {}
    for axis, figure in figures.items():
        name = "accuracy_vs_size" if axis == "params" else f"accuracy_vs_{axis}"
        if "png" in formats:
            contents[f"{name}.png"] = canvas.png(figure)
        if "svg" in formats:
            contents[f"{name}.svg"] = canvas.svg(figure, name).encode()
    contents |= files.of_frames({"accuracy_vs_size": frame}, formats)
    summary = "\n\n".join(costs.front_text(frame, axis) for axis in figures)
    return Report(files.save(contents, folder), summary)


def compare(first: str, second: str, tracking_uri: str | None = None) -> Difference:
    """Two runs side by side: configuration, provenance, metrics and predictions (in words: ``reports.analysis.diff``).

    A run is an MLflow run id or run key, or their first six characters or more, or SWEEP:VARIANT:SEED.

    Raises:
        ReportError: no such store, no such run, or more than one.
    """
    from reports.store import connection

    with connection.reading(tracking_uri):
        from reports.analysis import diff

        return diff.compare(first, second, tracking_uri)


# --- what is asked ------------------------------------------------------------------------------------------------


def _checked(names: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    from zoo.text.suggestions import did_you_mean

    for name in names:
        if name not in known:
            raise ReportError(f"unknown {what} {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}")
    if not names:
        raise ReportError(f"no {what} was named; there are: {', '.join(known)}")
    return tuple(dict.fromkeys(names))


def _emptiness(data: Any) -> str:
    """That a sweep has no result, and what of it is missing."""
    missing = data.missing()
    if not missing:
        return f"the sweep {data.name!r} has no run and names no variant; was it made by run_sweep.py?"
    shown = "; ".join(f"{each.variant}, seed {each.seed}: {each.reason}" for each in missing[:5])
    more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
    again = f"; run it with: {data.command}" if data.command else ""
    return f"the sweep {data.name!r} has no result: 0 of {len(missing)} runs ({shown}{more}){again}"


def _read_all(sweeps: Sequence[str], tracking_uri: str | None) -> list[pandas.DataFrame]:
    """The variants of each sweep, once."""
    from reports.analysis import answer
    from reports.store import connection

    frames = []
    for name in dict.fromkeys(sweeps):
        with connection.reading(tracking_uri):
            from reports.store import reader

            data = reader.read(name, tracking_uri)
        if not len(data.results()):
            raise ReportError(f"nothing to draw: {_emptiness(data)}")
        with connection.reading(tracking_uri):
            frames.append(answer.variants_of(data))
    return frames


def _stacked(frames: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """Rows under each other; a column that one of them lacks is missing there."""
    import pandas as pd

    columns = list(dict.fromkeys(name for frame in frames for name in frame))
    kinds = {name: next(frame[name].dtype for frame in frames if name in frame) for name in columns}
    whole = pd.concat([frame.reindex(columns=columns).astype(object) for frame in frames], ignore_index=True)
    for name, kind in kinds.items():
        if kind == bool:  # noqa: E721  (a dtype, not a type)
            whole[name] = whole[name].eq(True)
        elif str(kind) in ("Int64", "float64"):
            whole[name] = whole[name].astype(kind)
        elif kind.kind == "i":
            whole[name] = whole[name].astype("Int64")
    return whole


# --- what is written ----------------------------------------------------------------------------------------------


def _contents(found: Answer, formats: Collection[str]) -> dict[str, bytes]:
    """File name -> content, in the order to read them."""
    from reports.figures import canvas
    from reports.writers import files

    data, variants = found.sweep, found.variants
    figures = _figures(data, variants, ("params", *(COSTS if "html" in formats else ())), formats)
    named = {name: _file_name(name) for name in figures if _file_name(name)}
    svgs = {name: canvas.svg(figure, name) for name, figure in figures.items() if {"html", "svg"} & set(formats)}
    contents: dict[str, bytes] = {}
    if "html" in formats:
        from reports.html import page

        contents["report.html"] = page.render(data, variants, pictures=svgs, details=found.details).encode()
    if "md" in formats:
        from reports.writers import markdown

        kind = next((kind for kind in ("png", "svg") if kind in formats), None)
        links = {file: f"{file}.{kind}" for file in named.values()} if kind else {}
        contents["report.md"] = markdown.render(found, links, csv="csv" in formats).encode()
    if "tex" in formats:
        from reports.writers import latex

        contents["report.tex"] = latex.render(data, variants).encode()
    for name, file in named.items():
        if "png" in formats:
            contents[f"{file}.png"] = canvas.png(figures[name])
        if "svg" in formats:
            contents[f"{file}.svg"] = svgs[name].encode()
    contents |= files.of_frames({"variants": variants, "runs": data.runs}, formats)
    if "parquet" in formats:
        keys = data.runs[["run_id", "variant", "seed"]]
        contents |= files.of_frames({"points": data.histories.merge(keys, on="run_id", how="left")}, ("parquet",))
    return contents


def _figures(data: Any, variants: pandas.DataFrame, axes: Collection[str], formats: Collection[str]) -> dict[str, Any]:
    """What can be drawn: ``accuracy_vs_size/<axis>`` and ``learning_curves``; each once, whatever it is saved as."""
    if not {"html", "png", "svg"} & set(formats):
        return {}
    from reports.figures import curves, trade_off

    drawn = {f"accuracy_vs_size/{axis}": trade_off.accuracy_vs_size(variants, axis) for axis in dict.fromkeys(axes)}
    drawn["learning_curves"] = curves.learning_curves(data)
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _file_name(picture: str) -> str | None:
    """Of a picture that is a file beside the report; the others are in the page only."""
    return {"accuracy_vs_size/params": "accuracy_vs_size", "learning_curves": "learning_curves"}.get(picture)
