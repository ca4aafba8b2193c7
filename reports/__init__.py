"""From MLflow to an answer: frames, tables, figures and Markdown. Never imports TensorFlow.

    reports.load("ablation_lrn")     a pandas frame, one row a run
    reports.write("ablation_lrn")    the report's files, and the text to print

Nothing heavy is imported before one of these is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

FORMATS = ("md", "png", "csv")


class ReportError(Exception):
    """No report can be made; the message is for the person who asked: what, where, and what to do."""


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
    from reports import store

    return store.read_runs(sweep, tracking_uri)


def prepare() -> None:
    """Import what a report takes, a second or two, ahead of time; what is in the way of that is left to ``write`` to say."""
    with suppress(Exception):
        from matplotlib.backends import backend_agg  # noqa: F401
        from scipy import optimize, special  # noqa: F401

        from reports import curves, markdown, store, tables, trade_off  # noqa: F401


def write(
    sweep: str,
    out: str | Path | None = None,
    formats: Sequence[str] = FORMATS,
    tracking_uri: str | None = None,
) -> Report:
    """Write the report of ``sweep`` into the folder ``out`` (default ``results/<sweep>``).

    ``md`` gives report.md, ``png`` accuracy_vs_size.png and learning_curves.png, ``csv`` runs.csv and variants.csv.
    A sweep that is half run is reported as far as it goes, with what is missing named.

    Raises:
        ReportError: no such store or sweep, an unknown format, or a folder that cannot be written.
    """
    _check_formats(formats)
    from reports import curves, markdown, store, tables, trade_off

    data = store.read(sweep, tracking_uri)
    variants = tables.variants(data)
    folder = _folder(Path(out) if out is not None else Path("results") / sweep)
    pictures: dict[str, Path] = {}
    paths: list[Path] = []
    with _writing_in(folder):
        if "png" in formats:
            drawn = {
                "accuracy_vs_size": trade_off.accuracy_vs_size(variants),
                "learning_curves": curves.learning_curves(data),
            }
            pictures = _save_figures(drawn, folder)
        if "md" in formats:
            paths.append(folder / "report.md")
            names = {name: path.name for name, path in pictures.items()}
            paths[-1].write_text(markdown.render(data, variants, names, csv="csv" in formats), encoding="utf-8")
        paths += pictures.values()
        if "csv" in formats:
            paths += _save_frames({"variants": variants, "runs": data.runs}, folder)
    return Report(tuple(paths), markdown.summary(data, variants))


def write_accuracy_vs_size(
    sweeps: Sequence[str],
    out: str | Path | None = None,
    formats: Sequence[str] = ("png", "csv"),
    tracking_uri: str | None = None,
) -> Report:
    """The trade-off picture over several sweeps: accuracy_vs_size.png and .csv in ``out`` (default ``results``).

    Raises:
        ReportError: no such store or sweep, no run with a result, or a folder that cannot be written.
    """
    _check_formats(formats)
    import pandas as pd

    from reports import store, tables, trade_off

    names = list(dict.fromkeys(sweeps))
    frame = pd.concat([tables.variants(store.read(name, tracking_uri)) for name in names], ignore_index=True)
    figure = trade_off.accuracy_vs_size(frame)
    if figure is None:
        raise ReportError(f"no run of {', '.join(names)} has both an accuracy and a number of parameters yet")
    folder = _folder(Path(out) if out is not None else Path("results"))
    paths: list[Path] = []
    with _writing_in(folder):
        if "png" in formats:
            paths += _save_figures({"accuracy_vs_size": figure}, folder).values()
        if "csv" in formats:
            paths += _save_frames({"accuracy_vs_size": frame}, folder)
    return Report(tuple(paths), tables.front_text(frame))


def _check_formats(formats: Sequence[str]) -> None:
    from zoo.nearest import did_you_mean

    for name in formats:
        if name not in FORMATS:
            raise ReportError(f"unknown format {name!r}{did_you_mean(name, FORMATS)}; there are: {', '.join(FORMATS)}")


def _folder(path: Path) -> Path:
    with _writing_in(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _writing_in(folder: Path) -> Iterator[None]:
    """Turns a failure to write below ``folder`` into a message that names the file and the way out."""
    try:
        yield
    except OSError as error:
        place, reason = error.filename or folder, error.strerror or error
        raise ReportError(f"cannot write {place}: {reason}; choose another folder with --out") from error


def _save_figures(figures: dict, folder: Path) -> dict[str, Path]:
    """Save what was drawn; remove the picture of an earlier report where this one has nothing to draw."""
    saved = {}
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        if figure is None:
            path.unlink(missing_ok=True)
        else:
            figure.savefig(path, dpi=figure.dpi, metadata={"Software": None})
            saved[name] = path
    return saved


def _save_frames(frames: dict, folder: Path) -> list[Path]:
    paths = []
    for name, frame in frames.items():
        paths.append(folder / f"{name}.csv")
        frame.to_csv(paths[-1], index=False)
    return paths
