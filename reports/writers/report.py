"""The report of one sweep: every format that is asked for, made from one analysis."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from reports.analysis import answer as analysis
from reports.analysis import trade_off
from reports.analysis.answer import Answer
from reports.analysis.wording import answer_text
from reports.figures import rendering
from reports.figures.learning_curves import learning_curves
from reports.figures.trade_off.figure import accuracy_vs_size
from reports.store import connection
from reports.writers import files, frames, latex, markdown, progress, reading, summary
from reports.writers.formats import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE_FILES = ("accuracy_vs_size", "learning_curves")  # beside the report; the other axes are in the page only
PICTURE_KINDS = ("png", "svg")


def write(
    sweep: str,
    folder: Path,
    formats: Collection[str],
    tracking_uri: str | None,
    *,
    allow_empty: bool,
    running: str = "",
) -> Report:
    """As ``reports.write``, with formats that are known."""
    files.check_folder(folder)
    data = reading.read(sweep, tracking_uri)
    if not allow_empty:
        reading.require_results(data, "to report")
    with connection.reading(tracking_uri):
        answer = analysis.of(data, with_images="html" in formats)
    stale = [f"{file}.{kind}" for file in PICTURE_FILES for kind in PICTURE_KINDS if kind in formats]
    contents = _contents(answer, formats)
    if running and progress.PAGE in contents:
        contents[progress.PAGE] = progress.marked(contents[progress.PAGE].decode(), running, is_running=True).encode()
    paths = files.save(contents, folder, stale)
    return Report(paths, summary.summary(answer))


def _contents(answer: Answer, formats: Collection[str]) -> dict[str, bytes]:
    """File name -> content, in the order to read them."""
    figures = _figures(answer, formats)
    svgs = {name: rendering.svg(figure, name) for name, figure in figures.items() if {"html", "svg"} & set(formats)}
    picture_files = {next(name for name in figures if name.startswith(file)): file for file in PICTURE_FILES
                     if any(name.startswith(file) for name in figures)}  # fmt: skip
    contents: dict[str, bytes] = {}
    if "html" in formats:
        from reports.html import page

        html = page.render(answer.sweep, answer.variants, pictures=svgs, details=answer.details)
        contents[progress.PAGE] = html.encode()
    if "md" in formats:
        kind = next((kind for kind in PICTURE_KINDS if kind in formats), None)
        links = {file: f"{file}.{kind}" for file in picture_files.values()} if kind else {}
        contents["report.md"] = markdown.render(answer, links, csv="csv" in formats).encode()
    if "tex" in formats:
        said = [each.text for each in answer_text.paragraphs(answer.sweep, answer.variants, answer.details)]
        contents["report.tex"] = latex.render(answer.sweep, answer.variants, said).encode()
    for name, file in picture_files.items():
        if "png" in formats:
            contents[f"{file}.png"] = rendering.png(figures[name])
        if "svg" in formats:
            contents[f"{file}.svg"] = svgs[name].encode()
    return contents | _frames(answer, formats)


def _frames(answer: Answer, formats: Collection[str]) -> dict[str, bytes]:
    runs = answer.sweep.runs
    contents = frames.encode({"variants": answer.variants, "runs": runs}, formats)
    if "parquet" in formats:
        points = answer.sweep.histories.merge(runs[["run_id", "variant", "seed"]], on="run_id", how="left")
        contents |= frames.encode({"points": points}, ("parquet",))
    return contents


def _figures(answer: Answer, formats: Collection[str]) -> dict[str, Figure]:
    """What can be drawn: ``accuracy_vs_size/<axis>`` and ``learning_curves``; each once, whatever it is saved as."""
    if not {"html", *PICTURE_KINDS} & set(formats):
        return {}
    axes = trade_off.axes(answer.variants)[: None if "html" in formats else 1]
    figures = {f"accuracy_vs_size/{axis}": accuracy_vs_size(answer.variants, axis) for axis in axes}
    figures["learning_curves"] = learning_curves(answer.sweep)
    return {name: figure for name, figure in figures.items() if figure is not None}
