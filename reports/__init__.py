"""From MLflow to an answer: frames, tables, figures and pages. Never imports TensorFlow.

    reports.load("ablation_lrn")     a pandas frame, one row a run
    reports.write("ablation_lrn")    the report's files, and the text to print

Nothing heavy is imported before one of these is called.
"""

from __future__ import annotations

import sys

if sys.argv[:1] == ["-m"]:  # python -m reports: Python looks for modules in the working directory first
    import zoo  # noqa: F401  which has it look there later

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reports.errors import ReportError
from reports.writers.formats import (
    ALL_FORMATS,
    ALL_PICTURE_FORMATS,
    FORMATS,
    PICTURE_FORMATS,
    Report,
    checked,
    costs,
)

if TYPE_CHECKING:
    import pandas

    from reports.analysis.diff import Difference

__all__ = [
    "ALL_FORMATS",
    "ALL_PICTURE_FORMATS",
    "FORMATS",
    "PICTURE_FORMATS",
    "Report",
    "ReportError",
    "compare",
    "costs",
    "index",
    "load",
    "prepare",
    "show_progress",
    "write",
    "write_accuracy_vs_size",
]


def load(sweep: str, tracking_uri: str | None = None) -> pandas.DataFrame:
    """The current runs of ``sweep``, one row each, ordered by variant (as in the question) and seed.

    Columns: sweep, variant, seed, status, status_detail, failure (the kind of it: ``diverged``, ``crash``, ...), run_key,
    run_id; final accuracies in percent
    (``accuracy_percent``, ``accuracy_raw_percent``, ``accuracy_ema_percent``, ``top5_percent``; of a run whose status
    is not FINISHED, the last before it ended); ``params``, ``macs``, ``ops``; ``train_s``;
    ``latency_<format>_p50_ms``, ``size_<format>_bytes``; provenance; and the resolved configuration as strings under
    ``config.<field>``. A value that was not measured is missing (nan or NA), in the same column. Of several runs for
    one variant and seed, a finished one counts before a failed one, then the newest.

    Raises:
        ReportError: no such store or sweep.
    """
    from reports.store import connection, reader

    with connection.reading(tracking_uri):
        return reader.read_runs(sweep, tracking_uri)


def prepare() -> None:
    """Import what a report takes, a second or two, ahead of time; ``write`` reports what cannot be imported."""
    with suppress(Exception):
        from matplotlib.backends import backend_agg, backend_svg  # noqa: F401
        from scipy import optimize, special  # noqa: F401

        from reports.writers import report  # noqa: F401


def write(
    sweep: str,
    out: str | Path | None = None,
    formats: Sequence[str] = FORMATS,
    tracking_uri: str | None = None,
    *,
    allow_empty: bool = True,
    running: str = "",
) -> Report:
    """Write the report of ``sweep`` into the folder ``out`` (default ``results/<sweep>``).

    ``html`` gives report.html (one file with everything in it), ``md`` report.md, ``png`` and ``svg`` accuracy_vs_size and
    learning_curves, ``csv`` variants and runs, ``parquet`` those and points (the histories), ``tex`` report.tex, a table for
    a paper. Each file is replaced whole or not at all. A sweep that is half run is reported as far as it goes, with what is
    missing named. A text on how far a ``running`` sweep is stands at the top of a page that loads itself again.

    Raises:
        ReportError: no such store or sweep, an unknown format, a folder that cannot be written, or without
            ``allow_empty`` a sweep without any result.
    """
    formats = checked(formats, ALL_FORMATS, "format")
    from reports.writers import report

    folder = Path(out) if out is not None else _folder_of(sweep)
    return report.write(sweep, folder, formats, tracking_uri, allow_empty=allow_empty, running=running)


def show_progress(
    sweep: str,
    title: str,
    text: str,
    accuracies: Mapping[str, Sequence[float]],
    out: str | Path | None = None,
    *,
    is_running: bool = True,
) -> Path:
    """Put ``text`` on how far a sweep is into its report.html, which loads itself again while it ``is_running``.

    Where there is no report yet, the page has a ``title`` and the ``accuracies`` so far, in percent by variant. Takes
    milliseconds and imports nothing heavy. Returns the path of the page.

    Raises:
        ReportError: the page cannot be written.
    """
    from reports.writers import progress

    folder = Path(out) if out is not None else _folder_of(sweep)
    return progress.show(folder, title, text, accuracies, is_running=is_running)


def _folder_of(sweep: str) -> Path:
    """Below ``results``, whatever the experiment is called. Raises ReportError where that cannot be."""
    folder = Path("results") / sweep
    if (
        not sweep
        or "\0" in sweep
        or Path(sweep).is_absolute()
        or ".." in Path(sweep).parts
        or folder == Path("results")
    ):
        raise ReportError(f"the name {sweep!r} would put the report outside of results/; choose a folder with --out")
    return folder


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

    One picture for each of ``axes`` (of ``costs()``): accuracy_vs_size for parameters, accuracy_vs_<axis> for another cost,
    and accuracy_vs_size.csv with what was drawn, all in ``out`` (default ``results``). With ``skip_unmeasured`` a cost
    that nothing has is left out.

    Raises:
        ReportError: no such store or sweep, a mistake in a file of figures, nothing to draw on one of the axes, or a
            folder that cannot be written.
    """
    formats = checked(formats, ALL_PICTURE_FORMATS, "format")
    axes = checked(axes, costs(), "axis")
    if not sweeps and not points:
        raise ReportError("neither a sweep nor a file of published figures was named")
    from reports.writers import trade_off

    folder = Path(out) if out is not None else Path("results")
    return trade_off.write(
        sweeps, folder, formats, tracking_uri, axes=axes, points=points, skip_unmeasured=skip_unmeasured
    )


def index(out: str | Path | None = None, tracking_uri: str | None = None) -> Report:
    """Write index.html, the list of all sweeps in the store, into the folder of the reports (default ``results``).

    Raises:
        ReportError: no such store, no sweep in it, or a folder that cannot be written.
    """
    from reports.writers import index as writer

    return writer.write(Path(out) if out is not None else Path("results"), tracking_uri)


def compare(first: str, second: str, tracking_uri: str | None = None) -> Difference:
    """Two runs side by side: configuration, provenance, metrics and predictions (in words: ``reports.tables.difference``).

    A run is an MLflow run id or run key, or their first six characters or more, or SWEEP:VARIANT:SEED.

    Raises:
        ReportError: no such store, no such run, or more than one.
    """
    from reports.analysis import diff
    from reports.store import connection
    from reports.tables import difference

    with connection.reading(tracking_uri):
        return difference.shown(diff.compare(first, second, tracking_uri))
