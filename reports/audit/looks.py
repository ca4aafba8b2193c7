"""Second looks: more seeds after a verdict could be seen, in the ways that people add them.

Each simulated person declares a design and reads the report. Where it decides nothing they add seeds, and read the report
that there is then. Wrong is any report on the way that says that a variant helps or hurts, where none does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from reports.audit.rows import FIVE_PERCENT, Finding, Row, found
from reports.audit.welch import MARGIN, SD, any_difference
from zoo.stats import declared
from zoo.stats.declared import Declared
from zoo.stats.distributions import Floats
from zoo.stats.family import Results
from zoo.stats.verdicts import Verdict
from zoo.storage.designs import Design, DesignHistory

MOST_SEEDS = 30  # that anybody adds
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

Seeds = tuple[int | None, int]  # the first analysis, None in a fixed number, and the seeds at most
NextSeeds = Callable[[Seeds, Sequence[Verdict]], Seeds | None]  # what is asked for after a report; None: no more


def as_advised(asked: Seeds, verdicts: Sequence[Verdict]) -> Seeds | None:
    """As many as are said to be needed, once."""
    needed = max((verdict.seeds_needed or 0 for verdict in verdicts), default=0)
    return (None, min(needed, MOST_SEEDS)) if asked == (None, 3) and needed > 3 else None


def one_more(asked: Seeds, verdicts: Sequence[Verdict]) -> Seeds | None:
    """One seed, and again, to ten."""
    return (None, asked[1] + 1) if asked[1] < 10 else None


def higher_maximum(asked: Seeds, verdicts: Sequence[Verdict]) -> Seeds | None:
    """Ten to twenty seeds at most, when ten have decided nothing."""
    return (3, 20) if asked == (3, 10) else None


def as_declared(history: DesignHistory) -> Declared:
    """What verdicts go by, without a margin: with one, differences found by chance would often be called equivalent."""
    return Declared(history.judged.seeds, history.judged.first_analysis)


def rows() -> list[Row]:
    people = (
        ("3 seeds, then once as many as are said to be needed", (None, 3), as_advised),
        ("3 seeds, then one more each time, to 10", (None, 3), one_more),
        ("until decided with 10 seeds at most, then with 20", (3, 10), higher_maximum),
    )
    return [
        Row(
            f"helps or hurts, where nothing does: {k} compared, {what}",
            FIVE_PERCENT,
            functools.partial(_simulate, first, more, k),
        )
        for what, first, more in people
        for k in (1, 3)
    ]


def _simulate(first: Seeds, more: NextSeeds, comparisons: int, trials: int, rng: np.random.Generator) -> Finding:
    wrong, seeds = 0, 0
    for _ in range(trials):
        values = rng.normal(scale=SD, size=(comparisons + 1, MOST_SEEDS))
        for asked, verdicts in reports(values, first, more):  # noqa: B007  the last one is counted
            if any_difference(verdicts):
                wrong += 1
                break
        seeds += asked[1]
    return found(wrong, trials, seeds / trials)


def reports(
    values: Floats, first: Seeds, more: NextSeeds, by: Callable[[DesignHistory], Declared] = as_declared
) -> Iterator[tuple[Seeds, list[Verdict]]]:
    """What was asked for, and the verdicts of each report that one person reads.

    ``values`` [variants, seeds] are the accuracies, the baseline's first; ``by`` says what of the design verdicts go by.
    """
    names = ["baseline", *(f"variant {number}" for number in range(1, len(values)))]
    history, asked = DesignHistory(), first
    while True:
        first_analysis, most = asked
        seeds = tuple(range(most))
        entry = Design(
            time=_BEGAN + timedelta(hours=len(history.entries)),
            seeds=seeds,
            first_analysis=first_analysis,
            margin=MARGIN,
            baseline="baseline",
            results=0 if not history else len(values) * 3,
            compared=bool(history),
        )
        history = history.with_design(entry)
        results = Results({name: own[:most] for name, own in zip(names, values, strict=True)}, "baseline")
        judged = declared.judged(results, dict.fromkeys(names, seeds), by(history))
        verdicts = list(judged.verdicts.values())
        yield asked, verdicts
        then = more(asked, verdicts)
        if then is None or all(verdict.is_decided for verdict in verdicts):
            return
        asked = then
