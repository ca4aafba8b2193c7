"""The Pareto front of accuracy and cost, and how sure it is that a variant is on it: a bootstrap over the trainings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.stats import descriptive
from zoo.stats.distributions import Floats

DRAWS = 2_000  # the error of a probability is at most 1.1 in 100


def pareto_front(size: ArrayLike, accuracy: ArrayLike) -> NDArray[np.bool_]:
    """Which points [n] no other point beats: smaller ``size`` [n] and higher ``accuracy`` [n] are better.

    A point is beaten by one that is at least as good in both and better in one; equal points are both kept. A point
    with a nan is never on the front and beats nobody.

    Raises:
        ValueError: arrays of different lengths.
    """
    sizes, accuracies = (np.asarray(values, np.float64).reshape(-1) for values in (size, accuracy))
    if sizes.shape != accuracies.shape:
        raise ValueError(f"size has {sizes.size} values and accuracy {accuracies.size}")
    known = ~(np.isnan(sizes) | np.isnan(accuracies))
    no_worse = (sizes[:, None] <= sizes) & (accuracies[:, None] >= accuracies)  # [i, j]: i is at least as good as j
    better = (sizes[:, None] < sizes) | (accuracies[:, None] > accuracies)
    beaten = (no_worse & better).any(axis=0)
    return np.asarray(known & ~beaten)


class FrontMembership(NamedTuple):
    """``probabilities``: the fraction of the draws in which a variant is on the front, nan where that cannot be told;
    ``notes`` say why, in sentences."""

    probabilities: dict[str, float]
    notes: tuple[str, ...]


def membership(
    accuracies: Mapping[str, ArrayLike],
    costs: Mapping[str, float],
    trainings: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> FrontMembership:
    """How probable it is that each variant is on the front, from accuracies [n] in points and a cost each.

    Each draw resamples every variant's trainings with replacement, takes the mean, and looks which variants no other beats
    (``pareto_front``; a cost is taken as exact). ``trainings`` has a key for each accuracy, in the same order;
    variants with the very same keys are readouts of the same trainings, and the same of these are drawn for all of them.

    A bootstrap of a mean has only (n - 1) / n of its variance (B. Efron and R. Tibshirani, "An Introduction to the
    Bootstrap", 1993, section 5.3), a half with two seeds: every drawn mean is put sqrt(n / (n - 1)) times as far from the
    mean that was seen. What is left out is that a spread from few seeds is itself uncertain. A variant with one seed is
    drawn from a normal distribution with the pooled spread of the others, by itself even if it is a readout; where none has
    two seeds, nothing can be told (nan). A variant without an accuracy, or with a cost of nan, beats nobody and has nan.

    The same arguments give the same probabilities.

    Raises:
        ValueError: a variant without a cost in ``costs``, or keys that do not fit the accuracies.
    """
    values = {name: np.asarray(given, float).reshape(-1) for name, given in accuracies.items()}
    groups = _groups(values, trainings or {})
    if missing := [name for name in values if name not in costs]:
        raise ValueError(f"no cost of {missing[0]}")
    probabilities = dict.fromkeys(values, float("nan"))
    known = [name for name in values if len(values[name]) and not np.isnan(costs[name])]
    single = [name for name in known if len(values[name]) == 1]
    pooled = descriptive.pooled_sd(
        [descriptive.summary(values[name]).sd for name in known], [len(values[name]) for name in known]
    )
    if single and np.isnan(pooled):
        return FrontMembership(probabilities, ("With one seed of each variant there is no spread to draw from.",))
    rng = np.random.default_rng(seed)
    means = np.full((draws, len(values)), np.nan)
    for names in groups:
        drawn = _drawn(np.array([values[name] for name in names]), pooled, draws, rng)
        for name, column in zip(names, drawn, strict=True):
            if name in known:
                means[:, list(values).index(name)] = column
    cost = [float(costs[name]) for name in values]
    on_front = np.mean([pareto_front(cost, row) for row in means], axis=0)
    probabilities |= {name: float(one) for name, one in zip(values, on_front, strict=True) if name in known}
    notes = [f"{name} has one seed: the pooled spread of the others ({pooled:.2f} points) is taken." for name in single]
    return FrontMembership(probabilities, tuple(notes))


def _groups(values: Mapping[str, Floats], trainings: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Variants with the very same trainings, together."""
    groups: dict[Hashable, list[str]] = {}
    for name, accuracies in values.items():
        keys = tuple(trainings.get(name) or ())
        if keys and len(keys) != len(accuracies):
            raise ValueError(f"{name} has {len(accuracies)} accuracies and {len(keys)} training keys")
        groups.setdefault(keys if len(keys) > 1 else (name,), []).append(name)
    return list(groups.values())


def _drawn(values: Floats, pooled: float, draws: int, rng: np.random.Generator) -> Floats:
    """Means [variants, draws] of ``values`` [variants, n]; the same trainings for all of them."""
    n = values.shape[1]
    if n == 0:
        return np.full((len(values), draws), np.nan)
    if n == 1:
        return np.asarray(values + pooled * rng.standard_normal((len(values), draws)))
    picked = rng.integers(n, size=(draws, n))
    seen = values.mean(1)[:, None]
    return np.asarray(seen + np.sqrt(n / (n - 1)) * (values[:, picked].mean(2) - seen))
