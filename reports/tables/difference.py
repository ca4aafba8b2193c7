"""The difference of two runs as text for the terminal and a notebook, and as JSON for programs."""

from __future__ import annotations

import json
import math
from html import escape

from reports.analysis.diff import Difference
from reports.tables import tables
from zoo.measure import metrics
from zoo.measure.metrics import Kind
from zoo.stats.images.predictions import PairedAnswers
from zoo.text.characters import visible
from zoo.text.wording import table

CAVEAT = (
    "This compares these two trained networks on these test images. It says nothing about what another training of the "
    "same configurations would give: that is what a sweep's seeds and its report are for."
)


class ShownDifference(Difference):
    """A difference that shows itself in a notebook."""

    def _repr_html_(self) -> str:
        return f'<pre style="overflow-x: auto">{escape(visible(text(self)))}</pre>'


def shown(difference: Difference) -> ShownDifference:
    return ShownDifference(**vars(difference))


def text(difference: Difference) -> str:
    """For the terminal."""
    heads = [
        f"{letter}  {name}  ({run_id[:12]}, {status.lower()})"
        for letter, name, run_id, status in zip(
            "AB", difference.names, difference.run_ids, difference.statuses, strict=True
        )
    ]
    parts = ["\n".join(heads)]
    if difference.configuration:
        parts.append("Configuration\n" + _table(difference.configuration))
    else:
        parts.append("Configuration: the same.")
    if difference.provenance:
        parts.append("Provenance\n" + _table(difference.provenance))
    else:
        parts.append("Provenance: the same commit, data, device and versions, as far as they were recorded.")
    rows = [
        [name, _number(name, a), _number(name, b), _change(name, a, b, name in difference.measured)]
        for name, (a, b) in difference.metrics.items()
    ]
    parts.append(table(["metric", "A", "B", "B - A"], rows, gap=2) if rows else "Nothing was measured.")
    return "\n\n".join([*parts, _agreement_words(difference.agreement)])


def _table(pairs: dict[str, tuple[str | None, str | None]]) -> str:
    rows = [[name, *(tables.ABSENT if value is None else value for value in pair)] for name, pair in pairs.items()]
    return table(["", "A", "B"], rows, left=3, gap=2)


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return tables.ABSENT
    if _is_accuracy(name):
        return f"{value:.2f}"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.4g}"


def _is_accuracy(heading: str) -> bool:
    return heading in {metric.full_heading for metric in metrics.of_kind(Kind.ACCURACY)}


def _change(name: str, a: float, b: float, is_measured: bool) -> str:
    """Of accuracies in points, of counts and sizes in percent of the first. Two measured values may differ by chance, so no
    ratio is made of them."""
    if math.isnan(a) or math.isnan(b):
        return tables.ABSENT
    if _is_accuracy(name):
        return f"{b - a:+.2f} points"
    if a == b:
        return "the same"
    if not a or is_measured:
        return f"{b - a:+.3g}"
    return f"{100 * (b / a - 1):+.1f} %" if b < 2 * a else f"{b / a:.3g} times"


def _agreement_words(answers: PairedAnswers | str) -> str:
    if isinstance(answers, str):
        return f"Predictions cannot be compared: {answers}."
    rows = [
        ["A right", f"{answers.both_right:,}", f"{answers.only_first:,}"],
        ["A wrong", f"{answers.only_second:,}", f"{answers.both_wrong:,}"],
    ]
    fraction = 100 * answers.same / answers.images if answers.images else math.nan
    p = f"p = {answers.p:.2g}" if answers.p >= 1e-4 else "p < 0.0001"
    return "\n".join([
        f"Predictions: the same for {fraction:.2f} % of {answers.images:,} test images.",
        table(["images", "B right", "B wrong"], rows, gap=2),
        f"McNemar's exact test: {p} that A and B are right equally often. {CAVEAT}",
    ])  # fmt: skip


def as_json(difference: Difference) -> str:
    """The same for programs: every number unrounded, null where there is none."""

    def number(value: float) -> float | None:
        return None if math.isnan(value) else value

    answers = difference.agreement
    document = {
        "runs": [
            {"name": name, "run_id": run_id, "status": status}
            for name, run_id, status in zip(difference.names, difference.run_ids, difference.statuses, strict=True)
        ],
        "configuration": difference.configuration,
        "provenance": difference.provenance,
        "metrics": {
            name: {"a": number(a), "b": number(b), "difference": number(b - a)}
            for name, (a, b) in difference.metrics.items()
        },
        "predictions": None
        if isinstance(answers, str)
        else {**answers._asdict(), "agreement": answers.same / answers.images if answers.images else None},
        "why_no_predictions": answers if isinstance(answers, str) else None,
        "note": CAVEAT,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
