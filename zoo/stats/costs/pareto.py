"""The Pareto front of accuracy and cost, and how probable it is that a variant is on it."""

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
    *,
    times: Mapping[str, Mapping[int, float]] | None = None,
    rounds: Mapping[str, ArrayLike] | None = None,
    least: Mapping[str, float] | None = None,
) -> FrontMembership:
    """How probable it is that each variant is on the front, from accuracies [n] in points and a cost each.

    Each draw takes a mean accuracy of every variant, and looks which variants no other beats (``pareto_front``). A drawn
    mean is the one that was seen plus its error times a draw of Student's t with n - 1 degrees of freedom, which is what is
    known of a mean whose spread is estimated as well (A. Gelman et al., "Bayesian Data Analysis", section 3.2): with two
    seeds hardly anything. ``least`` is the least variance of a variant's accuracies, that of their rounding.

    ``trainings`` has a key for each accuracy, in the same order; variants with the very same keys are readouts of the same
    trainings, and the same draw is made for all of them. A cost is exact unless it was measured. ``times`` by seed, one for
    each accuracy, in the same order, are drawn together with the accuracies, each training's accuracy and time as a pair.
    ``rounds`` [r] of all known variants, in the same rounds, are drawn together. Both on logarithms, and without what a seed
    that all variants have, or a round, adds to all of them.

    A variant with one seed is drawn from a normal distribution with the pooled spread of the others, by itself even if it
    is a readout; where none has two seeds, or the time of a variant was taken once, nothing can be told (nan). A variant
    without an accuracy, or with a cost of nan, beats nobody and has nan.

    The same arguments give the same probabilities.

    Raises:
        ValueError: a variant without a cost in ``costs``, or keys or times that do not fit the accuracies.
    """
    values = {name: np.asarray(given, float).reshape(-1) for name, given in accuracies.items()}
    groups = _groups(values, trainings or {})
    if missing := [name for name in values if name not in costs]:
        raise ValueError(f"no cost of {missing[0]}")
    probabilities = dict.fromkeys(values, float("nan"))
    known = [name for name in values if len(values[name]) and not np.isnan(costs[name])]
    spread = _Spread(values, known, least or {})
    if spread.single and times is not None:
        return FrontMembership(probabilities, ("A time that was taken once has no spread to draw from.",))
    if spread.single and np.isnan(spread.pooled):
        return FrontMembership(probabilities, ("With one seed of each variant there is no spread to draw from.",))
    rng = np.random.default_rng(seed)
    logs = {} if times is None else _logarithms({name: times[name] for name in known}, values)
    means = np.full((draws, len(values)), np.nan)
    sizes = np.tile([float(costs[name]) for name in values], (draws, 1))
    place = {name: number for number, name in enumerate(values)}
    for names in groups:
        drawn, logarithms = spread.drawn(names, logs, draws, rng)
        means[:, [place[name] for name in names]] = drawn
        sizes[:, [place[name] for name in names]] *= np.exp(logarithms)
    if rounds is not None and known:
        sizes[:, [place[name] for name in known]] *= np.exp(_drawn_rounds([rounds[name] for name in known], draws, rng))
    on_front = np.mean([pareto_front(*each) for each in zip(sizes, means, strict=True)], axis=0)
    probabilities |= {name: float(one) for name, one in zip(values, on_front, strict=True) if name in known}
    notes = [
        f"{name} has one seed: the pooled spread of the others ({spread.pooled:.2f} points) is taken."
        for name in spread.single
    ]
    return FrontMembership(probabilities, tuple(notes))


class _Spread:
    """What the accuracies of the known variants say of how far a mean may be off."""

    def __init__(self, values: Mapping[str, Floats], known: Sequence[str], least: Mapping[str, float]):
        self._values, self._known, self._least = values, known, least
        self.single = [name for name in known if len(values[name]) == 1]
        sds = [descriptive.summary(values[name]).sd for name in known]
        self.pooled = descriptive.pooled_sd(sds, [len(values[name]) for name in known])

    def drawn(
        self, names: Sequence[str], logs: Mapping[str, Floats], draws: int, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """For variants with the same trainings: means [draws, variants], nan of an unknown one, and what is added to the
        logarithms of their costs [draws, variants]."""
        means, added = np.full((draws, len(names)), np.nan), np.zeros((draws, len(names)))
        known = [number for number, name in enumerate(names) if name in self._known]
        if not known:
            return means, added
        values = np.array([self._values[names[number]] for number in known])
        n = values.shape[1]
        if n == 1:
            means[:, known] = values[:, 0] + self.pooled * rng.standard_normal((draws, len(known)))
            return means, added
        own = [logs.get(names[number], np.zeros(n)) for number in known]
        errors = _errors(np.concatenate([values, own]), draws, rng)
        scale = np.sqrt((n - 1) / rng.chisquare(n - 1, draws))[:, None]
        least = np.array([self._least.get(names[number], 0.0) for number in known])
        rounding = np.sqrt(np.maximum(0.0, least - values.var(1, ddof=1)) / n) * rng.standard_normal(
            (draws, len(known))
        )
        means[:, known] = values.mean(1) + scale * (errors[:, : len(known)] + rounding)
        added[:, known] = scale * errors[:, len(known) :]
        return means, added


def _errors(values: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Normal errors [draws, k] of the means of ``values`` [k, n], with their covariance."""
    n = values.shape[1]
    apart = values - values.mean(1)[:, None]
    return np.asarray(rng.standard_normal((draws, n)) @ apart.T / np.sqrt(n * (n - 1)))


def _logarithms(times: Mapping[str, Mapping[int, float]], values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Of times by seed [n], without what each seed that all variants have adds to all of them."""
    for name, of_variant in times.items():
        if len(of_variant) != len(values[name]):
            raise ValueError(f"{name} has {len(values[name])} accuracies and {len(of_variant)} times")
    common = set.intersection(*(set(of_variant) for of_variant in times.values())) if times else set()
    block = {seed: float(np.mean([np.log(of_variant[seed]) for of_variant in times.values()])) for seed in common}
    middle = float(np.mean([*block.values()])) if block else 0.0
    return {
        name: np.array([np.log(time) - (block[seed] - middle if seed in block else 0.0) for seed, time in own.items()])
        for name, own in times.items()
    }


def _drawn_rounds(rounds: Sequence[ArrayLike], draws: int, rng: np.random.Generator) -> Floats:
    """What is added to the logarithms of the variants' costs [draws, variants]."""
    logs = np.log(np.array(rounds, np.float64))
    if logs.shape[1] < 2:
        return np.zeros((draws, len(logs)))
    return _errors(logs - logs.mean(0), draws, rng)


def _groups(values: Mapping[str, Floats], trainings: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Variants with the very same trainings, together."""
    groups: dict[Hashable, list[str]] = {}
    for name, accuracies in values.items():
        keys = tuple(trainings.get(name) or ())
        if keys and len(keys) != len(accuracies):
            raise ValueError(f"{name} has {len(accuracies)} accuracies and {len(keys)} training keys")
        groups.setdefault(keys if len(keys) > 1 else (name,), []).append(name)
    return list(groups.values())
