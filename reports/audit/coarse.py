"""Accuracies on few test images: multiples of 1 / N, so that seeds may agree by chance and say nothing of their spread."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from reports.audit.rows import FIVE_PERCENT, Finding, Row, found
from zoo.stats import family
from zoo.stats.verdicts import VerdictWord

TEST_IMAGES = 360  # as the digits have: a step is 0.28 points
ACCURACY = 95.0  # percent, on endlessly many images
MARGIN = 0.5  # points
_WRONG = (VerdictWord.HELPS, VerdictWord.HURTS)


def rows() -> list[Row]:
    what = f"helps or hurts, where nothing does: {TEST_IMAGES} test images"
    listed = [
        Row(f"{what}, {_compared(k)}, {n} seeds, spread {sd:g}", FIVE_PERCENT, functools.partial(_apart, n, k, sd))
        for n in (2, 3)
        for k in (1, 10)
        for sd in (0.2, 1.0)
    ]
    listed += [
        Row(
            f"{what}, {_compared(k)} of readouts of the same trainings, {n} seeds",
            FIVE_PERCENT,
            functools.partial(_readouts, n, k),
        )
        for n in (2, 3)
        for k in (1, 10)
    ]
    equivalent = f"equivalent, where the difference is the margin: {TEST_IMAGES} test images"
    return listed + [
        Row(f"{equivalent}, {n} seeds", FIVE_PERCENT, functools.partial(_at_the_margin, n)) for n in (2, 3)
    ]


def _compared(k: int) -> str:
    return f"{k} comparison{'s' if k > 1 else ''}"


def rounded(percent: NDArray[np.float64]) -> NDArray[np.float64]:
    """To whole numbers of test images."""
    return np.round(percent * TEST_IMAGES / 100) * 100 / TEST_IMAGES


def _apart(n: int, k: int, sd: float, trials: int, rng: np.random.Generator) -> Finding:
    """``k`` variants and the baseline, independent, with a spread of ``sd`` points."""
    wrong = 0
    for _ in range(trials):
        wrong += _says(rounded(rng.normal(ACCURACY, sd, (k + 1, n))), False, *_WRONG)
    return found(wrong, trials, n)


def _readouts(n: int, k: int, trials: int, rng: np.random.Generator) -> Finding:
    """``k`` readouts that change single answers to and fro, by 0.2 points in a training."""
    wrong = 0
    for _ in range(trials):
        trained = rng.normal(ACCURACY, 1.0, n)
        wrong += _says(rounded(np.vstack([trained, trained + rng.normal(0, 0.2, (k, n))])), True, *_WRONG)
    return found(wrong, trials, n)


def _at_the_margin(n: int, trials: int, rng: np.random.Generator) -> Finding:
    wrong = 0
    for _ in range(trials):
        values = rng.normal([[ACCURACY], [ACCURACY + MARGIN]], 0.2, (2, n))
        wrong += _says(rounded(values), False, VerdictWord.EQUIVALENT)
    return found(wrong, trials, n)


def _says(values: NDArray[np.float64], is_paired: bool, *words: VerdictWord) -> bool:
    """Whether any of these words is said of the rows of ``values`` [k + 1, n], the first of which is the baseline."""
    names = [str(number) for number in range(len(values))]
    accuracies = dict(zip(names, values, strict=True))
    paired = names[1:] if is_paired else ()
    verdicts = family.verdicts(accuracies, names[0], MARGIN, None, paired, TEST_IMAGES)
    return any(verdict.word in words for verdict in verdicts.values())
