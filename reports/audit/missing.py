"""What is said of trainings that failed, of networks that guess, and of published figures, where the truth is known."""

from __future__ import annotations

import functools

import numpy as np

from reports.audit.rows import FIVE_PERCENT, Finding, Row, found
from reports.audit.welch import SD, any_difference
from zoo.stats import family
from zoo.stats.comparisons import holm
from zoo.stats.published import Agreement, compare_accuracy, judge
from zoo.stats.validity.chance import is_learned
from zoo.stats.validity.failures import p_of_failures

FAILING = 0.3  # of the trainings, of every variant alike
ALPHA = 0.05
IMAGES, CLASSES = 1_000, 10


def rows() -> list[Row]:
    return [
        *(
            Row(
                f"fails more or less often, where all fail alike (30 %): {compared} compared, {seeds} seeds",
                FIVE_PERCENT,
                functools.partial(_failures, compared, seeds),
            )
            for compared in (1, 5)
            for seeds in (5, 10)
        ),
        Row(
            "helps or hurts, where nothing does: 3 compared, 10 seeds of which 30 % are missing",
            FIVE_PERCENT,
            functools.partial(_differences, 3, 10),
        ),
        Row("learned, where networks guess: 3 seeds", FIVE_PERCENT, functools.partial(_guessing, 3)),
        Row(
            "a published figure disagrees, where none does: 6 figures, 3 seeds",
            FIVE_PERCENT,
            functools.partial(_published, 6, 3),
        ),
    ]


_p_of_failures = functools.lru_cache(maxsize=None)(p_of_failures)


def _failures(compared: int, seeds: int, trials: int, rng: np.random.Generator) -> Finding:
    failed = rng.binomial(seeds, FAILING, (trials, compared + 1))
    p = [[_p_of_failures(int(each), seeds, int(row[0]), seeds) for each in row[1:]] for row in failed]
    return found(int((holm(p) < ALPHA).any(-1).sum()), trials, seeds)


def _differences(compared: int, seeds: int, trials: int, rng: np.random.Generator) -> Finding:
    """What is left of each variant is compared, with whatever numbers there are."""
    wrong, counted = 0, 0
    for _ in range(trials):
        kept = rng.normal(80.0, SD, (compared + 1, seeds)), rng.random((compared + 1, seeds)) >= FAILING
        values = {str(number): row[left] for number, (row, left) in enumerate(zip(*kept, strict=True))}
        wrong += any_difference(list(family.verdicts(values, "0", None).values()))
        counted += sum(map(len, values.values()))
    return found(wrong, trials, counted / trials / (compared + 1))


def _guessing(seeds: int, trials: int, rng: np.random.Generator) -> Finding:
    """Every class is as large as the others."""
    means = rng.binomial(IMAGES, 1 / CLASSES, (trials, seeds)).mean(1) / IMAGES
    return found(sum(is_learned(float(mean), 1 / CLASSES, IMAGES) for mean in means), trials, seeds)


def _published(figures: int, seeds: int, trials: int, rng: np.random.Generator) -> Finding:
    """Each of one training, from the distribution of ours."""
    wrong = 0
    for ours, theirs in zip(
        rng.normal(80.0, SD, (trials, figures, seeds)), rng.normal(80.0, SD, (trials, figures)), strict=True
    ):
        judged = judge([compare_accuracy(own, one, one) for own, one in zip(ours, theirs, strict=True)], None)
        wrong += any(each.agreement is Agreement.DISAGREES for each in judged)
    return found(wrong, trials, seeds)
