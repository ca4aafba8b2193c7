"""The report as Markdown that opens well in a pull request."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import numpy as np
import pandas as pd

from reports.analysis.answer import Answer
from reports.analysis.validity import design
from reports.analysis.wording import answer_text, sentences
from reports.analysis.wording.answer_text import Part
from reports.store.sweep import Sweep, has_result
from reports.tables import tables
from reports.writers.markdown_syntax import bullets, table
from reports.writers.summary import design_words
from zoo.stats.verdicts import VerdictWord
from zoo.text.markdown import code_block, escape, escape_line

NOTES = (
    "Accuracy: mean ± sample standard deviation over seeds (number of runs), in percent of the test images. "
    "Difference: to the baseline, in points, with Welch's 95 % confidence interval. "
    "Verdict: helps or hurts by Welch's test at 5 %, equivalent by two one-sided tests at 5 % within the margin, both "
    "corrected for the number of comparisons (Holm); what neither shows is undecided."
)
UNCERTAINTY_NOTE = (
    "Between trainings: standard deviation over seeds on these test images; of the networks themselves: what of it "
    "would remain on endlessly many images (arXiv:2304.01910). By the choice of images: standard error of the mean "
    "accuracy. Differences to the baseline with 95 % intervals."
)
CAPTIONS = {
    "accuracy_vs_size": "Accuracy against size",
    "learning_curves": "Learning curves",
}
FOLDED_FROM = 12  # runs; a longer list folds away


def render(answer: Answer, pictures: Mapping[str, str], csv: bool = True) -> str:
    """The whole report. ``pictures`` maps the names in ``CAPTIONS`` to links relative to the report; ``csv`` says whether
    the CSV files lie beside it."""
    sweep, frame, details = answer.sweep, answer.variants, answer.details
    sections = [
        f"# {escape(sweep.name)}",
        f"> {escape_line(sweep.question)}" if sweep.question else "",
        _answer(answer),
        _comparisons(answer),
        _results(frame),
        _design(answer),
        *(f"![{caption}]({pictures[name]})" for name, caption in CAPTIONS.items() if name in pictures),
        _evaluations(frame),
        _uncertainty(details.uncertainty),
        _effects(details.interactions),
        _images(answer),
        _claims(details.claims),
        _missing(sweep),
        _provenance(sweep, details.provenance),
        _reproduce(sweep, csv),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _answer(answer: Answer) -> str:
    """The paragraphs of the answer: what failed and the answer itself stand out."""
    parts = answer_text.paragraphs(answer.sweep, answer.variants, answer.details)
    shown = []
    for index, each in enumerate(parts):
        is_first = each.part is Part.ANSWER and (index == 0 or parts[index - 1].part is not Part.ANSWER)
        text = escape_line(each.text)
        shown.append(f"**{text}**" if is_first or each.part is Part.ALERT else text)
    return "\n\n".join(shown)


def _comparisons(answer: Answer) -> str:
    """What to do about each variant; nothing where the answer has said so already."""
    headlines = [each for each in answer.details.headlines if each.word is not VerdictWord.DESCRIPTIVE]
    if len(headlines) < 2:
        return ""
    return "\n".join(f"- **{escape(each.variant)}: {each.word}.** {escape(each.advice)}".rstrip() for each in headlines)


def _design(answer: Answer) -> str:
    sweep = answer.sweep
    said = answer_text.paragraphs(sweep, answer.variants, answer.details)
    told = answer_text.cautions(said, answer.details)
    statements = [*told, *answer.details.notes, *design_words(answer)]
    return f"{escape_line(sentences.what_ran(sweep))}\n\n{bullets(statements)}".rstrip()


def _results(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    return f"## Results\n\n{table(tables.header(), tables.formatted(frame))}\n\n{NOTES} {tables.meanings()}"


def _evaluations(frame: pd.DataFrame) -> str:
    rows = tables.formatted_evaluations(frame) if len(frame) else []
    if not rows:
        return ""
    listing = table(tables.evaluations_header(), rows)
    return f"## {tables.evaluations_title()}\n\nEvaluations of the same trainings.\n\n{listing}"


# --- what is behind a difference ---------------------------------------------------------------------------------


def _uncertainty(uncertainty: pd.DataFrame | None) -> str:
    """Both uncertainties, kept apart."""
    if uncertainty is None or uncertainty.empty:
        return ""
    header = (
        *("variant", "between trainings, points", "of the networks themselves", "by the choice of images"),
        *("difference: other images", "other images and trainings"),
    )
    rows = [
        (
            row.variant,
            _decimal(row.sd_seeds_points),
            tables.of_the_networks(
                row.sd_distribution_points, row.low_distribution_points, row.high_distribution_points
            ),
            _decimal(row.se_test_points),
            _interval(row.difference_points, row.low_test_points, row.high_test_points),
            _interval(row.difference_points, row.low_both_points, row.high_both_points),
        )
        for row in uncertainty.itertuples()
    ]
    return f"## Two uncertainties\n\n{table(header, rows)}\n\n{UNCERTAINTY_NOTE}"


def _effects(effects: pd.DataFrame | None) -> str:
    if effects is None:
        return ""
    return "## Effects, and whether they depend on each other\n\n" + bullets(effects["sentence"])


def _images(answer: Answer) -> str:
    """Classes that differ for certain, churn and calibration."""
    details = answer.details
    parts = [_classes(details.per_class), _churn(details.churn), _calibration(details.calibration)]
    return "\n\n".join(["## Where it matters", *filter(None, parts)]) if any(parts) else ""


def _classes(per_class: pd.DataFrame | None) -> str:
    if per_class is None or per_class.empty:
        return ""
    certain = per_class[(per_class["low_points"] > 0) | (per_class["high_points"] < 0)]
    if certain.empty:
        return "No class can be told to differ from the baseline (intervals for all classes and variants at once)."
    return "\n".join(
        f"- {escape(row.variant)}, class {escape(str(row.label))}: "
        f"{_interval(row.difference_points, row.low_points, row.high_points)} points"
        for row in certain.itertuples()
    )


def _churn(churn: pd.DataFrame | None) -> str:
    if churn is None or churn.empty:
        return ""
    header = ("variant", "images answered differently", "between two seeds of one variant", "excess, points")
    rows = [
        (row.variant, _percent(row.churn_percent), _percent(row.floor_percent), _decimal(row.excess_points))
        for row in churn.itertuples()
    ]
    return table(header, rows)


def _calibration(calibration: pd.DataFrame | None) -> str:
    if calibration is None or calibration.empty:
        return ""
    header = ("variant", "expected calibration error", "top-5 accuracy", "negative log-likelihood")
    rows = [
        (row.variant, _percent(row.ece_percent_mean), _percent(row.top5_percent_mean), _decimal(row.nll_mean, 3))
        for row in calibration.itertuples()
    ]
    return table(header, rows)


def _claims(claims: pd.DataFrame | None) -> str:
    if claims is None:
        return ""
    rows = [(row.claim, row.published, row.ours, row.verdict, row.source) for row in claims.itertuples()]
    return "## Published figures\n\n" + table(("claim", "published", "here", "", "source"), rows, left=5)


def _interval(middle: float, low: float, high: float) -> str:
    if np.isnan(middle):
        return tables.ABSENT
    return f"{middle:+.2f} [n/a]" if np.isnan(low) else f"{middle:+.2f} [{low:+.2f}, {high:+.2f}]"


def _decimal(value: float, digits: int = 2) -> str:
    return tables.ABSENT if np.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return tables.ABSENT if np.isnan(value) else f"{value:.2f} %"


# --- where the numbers come from ---------------------------------------------------------------------------------


def _missing(sweep: Sweep) -> str:
    rows = [(each.variant, str(each.seed), each.reason) for each in sweep.missing()]
    return "## Runs without a result\n\n" + table(("variant", "seed", "why"), rows, left=3) if rows else ""


def _provenance(sweep: Sweep, facts: Mapping[str, str]) -> str:
    if sweep.runs.empty:
        return ""
    listing = _runs(sweep)
    if len(sweep.runs) > FOLDED_FROM:  # the blank lines make it a table inside the HTML
        listing = f"<details><summary>{len(sweep.runs)} runs</summary>\n\n{listing}\n\n</details>"
    statements = [f"{name.capitalize()}: {escape(value)}." for name, value in facts.items()]
    statements += [f"{name.capitalize()}: {escape(text)}." for name, text in design.facts(sweep).items()]
    if sweep.schedule is not None:
        first, last = sweep.schedule
        statements.append(f"Seeds: analysed after every seed from {first} to {last}; what was decided got no more.")
    return "\n\n".join(["## What ran", *statements, listing])


def _runs(sweep: Sweep) -> str:
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
    return table(header, rows, left=len(header))


def _reproduce(sweep: Sweep, csv: bool) -> str:
    commands = f"{sentences.command(sweep)}\npython -m reports {shlex.quote(sweep.name)}"
    numbers = "; every number above, unrounded, is in `variants.csv` and `runs.csv`." if csv else "."
    question = f"The question as it was read is the artifact `spec.yaml` of every run in MLflow{numbers}"
    return f"## How to reproduce\n\n{code_block(commands, 'sh')}\n\n{question}"
