"""The report as Markdown that opens well in a pull request, and as a short text for the terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from reports import tables
from reports.store import Sweep, has_result

NOTES = (
    "Accuracy: mean ± sample standard deviation over seeds (number of runs), in percent of the test images. "
    "Difference: to the baseline, in points, with Welch's 95 % confidence interval. "
    "Verdict: helps or hurts by Welch's test at 5 %, equivalent by two one-sided tests at 5 % within the margin, both "
    "corrected for the number of comparisons (Holm); what neither shows is undecided. "
    "MACs: multiply-adds of convolution and dense layers, one image. ops: the models' source's own count. "
    "Training: mean of one run. Latency: one image, the compiled function, one thread, median (p90)."
)
CAPTIONS = {
    "accuracy_vs_size": "Accuracy against size",
    "learning_curves": "Learning curves",
}


def render(sweep: Sweep, frame: pd.DataFrame, pictures: Mapping[str, str], csv: bool = True) -> str:
    """The whole report. ``frame`` is ``tables.variants(sweep)``; ``pictures`` maps the names in ``CAPTIONS`` to links
    relative to the report; ``csv`` says whether the CSV files lie beside it."""
    sections = [
        f"# {escape(sweep.name)}",
        f"> {escape(sweep.question)}" if sweep.question else "",
        _reading(sweep, frame),
        _results(frame),
        *(f"![{caption}]({pictures[name]})" for name, caption in CAPTIONS.items() if name in pictures),
        _averages(frame),
        _missing(sweep),
        _provenance(sweep),
        _reproduce(sweep, csv),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(sweep: Sweep, frame: pd.DataFrame) -> str:
    """The same answer for the terminal: question, table, reading, what is missing."""
    parts = [
        f"{sweep.name}: {sweep.question}" if sweep.question else sweep.name,
        tables.what_ran(sweep),
        tables.text_table(tables.HEADER, tables.formatted(frame)) if len(frame) else "",
        "\n".join([*_readings(sweep, frame)]),
        "\n".join(f"missing: {each.variant}, seed {each.seed}: {each.reason}" for each in sweep.missing()),
    ]
    return "\n\n".join(part for part in parts if part)


def escape(text: str) -> str:
    """Text that must not turn into Markdown or HTML, or break a table; underscores inside a word are harmless."""
    text = re.sub(r"([\\`*<|])", r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)


def _readings(sweep: Sweep, frame: pd.DataFrame) -> list[str]:
    if not len(sweep.results()):
        return ["No run has a result yet."]
    lines = tables.comparisons(frame, sweep.margin)
    if sweep.baseline is None:
        lines.append("The store names no baseline, so nothing is compared.")
    elif not len(sweep.results(sweep.baseline)):
        lines.append(f"The baseline {sweep.baseline} has no result yet, so nothing is compared.")
    return [*lines, tables.detectable(frame), *tables.shared_trainings(sweep)]


def _reading(sweep: Sweep, frame: pd.DataFrame) -> str:
    bullets = [f"- {escape(line)}" for line in _readings(sweep, frame)]
    return "\n".join([escape(tables.what_ran(sweep)), "", *bullets])


def _results(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    return f"## Results\n\n{table(tables.HEADER, tables.formatted(frame))}\n\n{NOTES}"


def _averages(frame: pd.DataFrame) -> str:
    rows = tables.formatted_averages(frame) if len(frame) else []
    if not rows:
        return ""
    return "## Raw and averaged weights\n\nThe same trainings, evaluated both ways.\n\n" + table(
        tables.AVERAGES_HEADER, rows
    )


def _missing(sweep: Sweep) -> str:
    rows = [(each.variant, str(each.seed), each.reason) for each in sweep.missing()]
    return "## Runs without a result\n\n" + table(("variant", "seed", "why"), rows, left=3) if rows else ""


def _provenance(sweep: Sweep) -> str:
    if sweep.runs.empty:
        return ""
    header = ("run key", "variant", "seed", "status", "accuracy, %", "git commit", "device", "data", "MLflow run")
    rows = [
        (
            run.run_key[:12] or tables.ABSENT,
            run.variant,
            str(run.seed),
            run.status.lower(),
            f"{run.accuracy_percent:.2f}" if finished else tables.ABSENT,
            (run.git_commit[:10] or tables.ABSENT) + (" + changes" if run.git_dirty.lower() == "true" else ""),
            run.device or tables.ABSENT,
            run.data_sha256[:12] or tables.ABSENT,
            run.run_id,
        )
        for run, finished in zip(sweep.runs.itertuples(), has_result(sweep.runs), strict=True)
    ]
    listing = table(header, rows, left=len(header))
    if len(rows) > 12:  # a long list folds away; the blank lines make it a table inside the HTML
        listing = f"<details><summary>{len(rows)} runs</summary>\n\n{listing}\n\n</details>"
    margin = "" if sweep.margin is None else f"Margin declared before the runs: {sweep.margin:g} points.\n\n"
    return f"## What ran\n\n{margin}{listing}"


def _reproduce(sweep: Sweep, csv: bool) -> str:
    command = sweep.command or f"python run_sweep.py experiments/{shlex.quote(sweep.name)}.yaml"
    lines = [
        f"## How to reproduce\n\n```sh\n{command}\npython -m reports {shlex.quote(sweep.name)}\n```\n",
        "The question as it was read is the artifact `spec.yaml` of every run in MLflow"
        + ("; every number above, unrounded, is in `variants.csv` and `runs.csv`." if csv else "."),
    ]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table of plain text: the first ``left`` columns to the left, the others to the right."""
    rule = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rule, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
