"""The report as Markdown that opens well in a pull request, and as a short text for the terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from reports.analysis import sentences
from reports.analysis.answer import Answer
from reports.store.sweep import Sweep, has_result
from reports.tables import tables

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


def render(answer: Answer, pictures: Mapping[str, str], csv: bool = True) -> str:
    """The whole report. ``pictures`` maps the names in ``CAPTIONS`` to links relative to the report; ``csv`` says whether
    the CSV files lie beside it."""
    sweep, frame, details = answer.sweep, answer.variants, answer.details
    sections = [
        f"# {escape(sweep.name)}",
        f"> {escape(sweep.question)}" if sweep.question else "",
        _headlines(answer),
        _reading(answer),
        _results(frame),
        *(f"![{caption}]({pictures[name]})" for name, caption in CAPTIONS.items() if name in pictures),
        _averages(frame),
        _uncertainty(details.uncertainty),
        _effects(details.interactions),
        _where(answer),
        _claims(details.claims),
        _missing(sweep),
        _provenance(sweep, details.provenance),
        _reproduce(sweep, csv),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summary(answer: Answer) -> str:
    """The same answer for the terminal: question, verdicts and what to do, table, reading, what is missing."""
    sweep, frame = answer.sweep, answer.variants
    parts = [
        f"{sweep.name}: {sweep.question}" if sweep.question else sweep.name,
        sentences.what_ran(sweep),
        tables.text_table(tables.header(), tables.formatted(frame)) if len(frame) else "",
        "\n".join([*_readings(sweep, frame)]),
        "\n".join(headline.advice for headline in answer.details.headlines),
        "\n".join(_claim_sentences(answer.details.claims)),
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
    lines = sentences.comparisons(frame, sweep.margin)
    if sweep.baseline is None:
        lines.append("The store names no baseline, so nothing is compared.")
    elif not len(sweep.results(sweep.baseline)):
        lines.append(f"The baseline {sweep.baseline} has no result yet, so nothing is compared.")
    return [*lines, sentences.detectable(frame), *sentences.shared_trainings(sweep)]


def _headlines(answer: Answer) -> str:
    """What to do, first."""
    return "\n".join(
        f"- **{escape(each.variant)}: {each.word}.** {escape(each.advice)}" for each in answer.details.headlines
    )


def _reading(answer: Answer) -> str:
    sweep = answer.sweep
    bullets = [f"- {escape(line)}" for line in (*_readings(sweep, answer.variants), *answer.details.notes)]
    return "\n".join([escape(sentences.what_ran(sweep)), "", *bullets])


def _results(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    return f"## Results\n\n{table(tables.header(), tables.formatted(frame))}\n\n{NOTES}"


def _averages(frame: pd.DataFrame) -> str:
    rows = tables.formatted_averages(frame) if len(frame) else []
    if not rows:
        return ""
    return "## Raw and averaged weights\n\nThe same trainings, evaluated both ways.\n\n" + table(
        tables.AVERAGES_HEADER, rows
    )


def _uncertainty(found: pd.DataFrame | None) -> str:
    """Both uncertainties, kept apart."""
    if found is None or found.empty:
        return ""
    header = ("variant", "between trainings, points", "of the networks themselves", "by the choice of images")
    header += ("difference: other images", "other images and trainings")
    rows = [
        (
            row.variant,
            *(_points(value) for value in (row.sd_seeds_points, row.sd_distribution_points, row.se_test_points)),
            _interval(row.difference_points, row.low_test_points, row.high_test_points),
            _interval(row.difference_points, row.low_both_points, row.high_both_points),
        )
        for row in found.itertuples()
    ]
    note = (
        "Between trainings: standard deviation over seeds on these test images; of the networks themselves: what of it "
        "would remain on endlessly many images (arXiv:2304.01910). By the choice of images: standard error of the mean "
        "accuracy. Differences to the baseline with 95 % intervals."
    )
    return f"## Two uncertainties\n\n{table(header, rows)}\n\n{note}"


def _effects(found: pd.DataFrame | None) -> str:
    if found is None:
        return ""
    lines = [f"- {escape(sentence)}" for sentence in found["sentence"]]
    return "## Effects, and whether they depend on each other\n\n" + "\n".join(lines)


def _where(answer: Answer) -> str:
    """Classes that differ for certain, churn and calibration."""
    details = answer.details
    parts = []
    if details.per_class is not None and len(details.per_class):
        sure = details.per_class[(details.per_class["low_points"] > 0) | (details.per_class["high_points"] < 0)]
        lines = [
            f"- {escape(row.variant)}, class {escape(str(row.label))}: "
            f"{_interval(row.difference_points, row.low_points, row.high_points)} points"
            for row in sure.itertuples()
        ]
        none = "No class can be told to differ from the baseline (intervals for all classes and variants at once)."
        parts.append("\n".join(lines) if lines else none)
    if details.churn is not None and len(details.churn):
        rows = [
            (
                row.variant,
                *(_percent(value) for value in (row.churn_percent, row.floor_percent)),
                _points(row.excess_points),
            )
            for row in details.churn.itertuples()
        ]
        header = ("variant", "images answered differently", "between two seeds of one variant", "excess, points")
        parts.append(table(header, rows))
    if details.calibration is not None and len(details.calibration):
        rows = [
            (row.variant, _percent(row.ece_percent_mean), _percent(row.top5_percent_mean), _points(row.nll_mean, 3))
            for row in details.calibration.itertuples()
        ]
        parts.append(
            table(("variant", "expected calibration error", "top-5 accuracy", "negative log-likelihood"), rows)
        )
    return "## Where it matters\n\n" + "\n\n".join(parts) if parts else ""


def _claims(found: pd.DataFrame | None) -> str:
    if found is None:
        return ""
    rows = [(row.claim, row.published, row.ours, row.verdict, row.source) for row in found.itertuples()]
    return "## Published figures\n\n" + table(("claim", "published", "here", "", "source"), rows, left=5)


def _claim_sentences(found: pd.DataFrame | None) -> list[str]:
    return [] if found is None else list(found["sentence"])


def _interval(middle: float, low: float, high: float) -> str:
    if np.isnan(middle):
        return tables.ABSENT
    return f"{middle:+.2f} [n/a]" if np.isnan(low) else f"{middle:+.2f} [{low:+.2f}, {high:+.2f}]"


def _points(value: float, digits: int = 2) -> str:
    return tables.ABSENT if np.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return tables.ABSENT if np.isnan(value) else f"{value:.2f} %"


def _missing(sweep: Sweep) -> str:
    rows = [(each.variant, str(each.seed), each.reason) for each in sweep.missing()]
    return "## Runs without a result\n\n" + table(("variant", "seed", "why"), rows, left=3) if rows else ""


def _provenance(sweep: Sweep, facts: Mapping[str, str]) -> str:
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
    lines = [f"{name.capitalize()}: {escape(value)}." for name, value in facts.items()]
    if sweep.margin is not None:
        lines.append(f"Margin declared before the runs: {sweep.margin:g} points.")
    if sweep.schedule is not None:
        first, last = sweep.schedule
        lines.append(f"Seeds: looked at after every seed from {first} to {last}; what was decided got no more.")
    said = "".join(f"{line}\n\n" for line in lines)
    return f"## What ran\n\n{said}{listing}"


def _reproduce(sweep: Sweep, csv: bool) -> str:
    lines = [
        f"## How to reproduce\n\n```sh\n{sentences.command(sweep)}\npython -m reports {shlex.quote(sweep.name)}\n```\n",
        "The question as it was read is the artifact `spec.yaml` of every run in MLflow"
        + ("; every number above, unrounded, is in `variants.csv` and `runs.csv`." if csv else "."),
    ]
    return "\n".join(lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table of plain text: the first ``left`` columns to the left, the others to the right."""
    rule = [":--" if column < left else "--:" for column in range(len(header))]
    lines = [header, rule, *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
