"""Variants whose networks learned nothing that can be told from always naming the largest class of the test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.store.files import Predictions
from reports.store.sweep import Sweep
from zoo.stats.validity.chance import is_learned, largest_share

NO_DATA = ""  # of runs whose data set is not recorded


class Guess(NamedTuple):
    """What is right when the largest class of a test set is always named."""

    percent: float
    images: int


@dataclass(frozen=True)
class NotLearned:
    """A variant of which some trainings, or their mean, cannot be told from guessing."""

    variant: str
    trainings: int  # that cannot be told from guessing
    n: int
    accuracy_percent: float  # mean over the n
    guess: Guess
    is_all: bool  # of their mean

    @property
    def sentence(self) -> str:
        beside = f"the largest class alone makes {self.guess.percent:.1f} % of the test images"
        if self.is_all:
            return f"{self.variant} has {self.accuracy_percent:.2f} %, which cannot be told from chance: {beside}."
        return f"{self.trainings} of {self.n} trainings of {self.variant} cannot be told from chance: {beside}."


def guesses(sweep: Sweep, predictions: Mapping[str, Predictions]) -> dict[str, Guess]:
    """Of each variant on whose data set some run has predictions; of the others nothing is known, and nothing is said."""
    results = sweep.results()
    data = results["config.data"].fillna(NO_DATA) if "config.data" in results else results["variant"]
    by_data: dict[str, Guess] = {}
    by_variant: dict[str, str] = {}
    for run_id, variant, name in zip(results["run_id"], results["variant"], data, strict=True):
        by_variant[variant] = name
        labels = predictions[run_id].labels if run_id in predictions and name not in by_data else None
        if labels is not None and len(labels):
            by_data[name] = Guess(100 * largest_share(labels), len(labels))
    return {variant: by_data[name] for variant, name in by_variant.items() if name in by_data}


def of(sweep: Sweep, known: Mapping[str, Guess]) -> dict[str, NotLearned]:
    """Of the variants that have such a training; ``known`` as ``guesses`` gives it."""
    found = {}
    for name in sweep.variants:
        values = sweep.results(name)["accuracy_percent"].to_numpy()
        if name not in known or not len(values):
            continue
        share, images = known[name].percent / 100, known[name].images
        at_chance = sum(not is_learned(value / 100, share, images) for value in values)
        if at_chance:
            mean = float(values.mean())
            is_all = not is_learned(mean / 100, share, images)
            found[name] = NotLearned(name, at_chance, len(values), mean, known[name], is_all)
    return found
