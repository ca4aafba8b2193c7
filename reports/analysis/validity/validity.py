"""All that may be wrong with the trainings of a sweep, and what of it stands above everything else in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.details import Alert
from reports.analysis.validity import chance, failures
from reports.analysis.validity.chance import NotLearned
from reports.analysis.validity.failures import Failures
from reports.store.files import Predictions
from reports.store.sweep import Sweep
from zoo.stats.verdicts import VerdictWord
from zoo.text.listing import listed

MOST_ALERTS = 4  # of one kind that are told one by one


@dataclass(frozen=True)
class Validity:
    """Of a sweep's variants, by name; only those that something is wrong with."""

    failures: Mapping[str, Failures]
    not_learned: Mapping[str, NotLearned]

    def word(self, variant: str) -> VerdictWord | None:
        """What is said of the variant in place of its verdict."""
        if variant in self.failures and self.failures[variant].is_all:
            return VerdictWord.FAILED
        if variant in self.not_learned and self.not_learned[variant].is_all:
            return VerdictWord.DID_NOT_LEARN
        return None

    def alerts(self, baseline: str | None) -> list[Alert]:
        """The sentences for the top: what did not learn, then what failed; the baseline first."""
        names = sorted(dict.fromkeys([*self.not_learned, *self.failures]), key=lambda name: name != baseline)
        learned = {name: self.not_learned[name].sentence for name in names if name in self.not_learned}
        lost = {name: " ".join(self.failures[name].sentences) for name in names if name in self.failures}
        lost = {name: text for name, text in lost.items() if self.failures[name].failed}
        return [
            *_alerts(VerdictWord.DID_NOT_LEARN, learned, baseline, "trainings that did not learn"),
            *_alerts(VerdictWord.FAILED, lost, baseline, "trainings that failed"),
        ]


NOTHING_WRONG = Validity({}, {})


def of(sweep: Sweep, predictions: Mapping[str, Predictions]) -> Validity:
    """``predictions`` as ``files.read_predictions`` gives them."""
    guesses = chance.guesses(sweep, predictions)
    known = {name: guess.percent for name, guess in guesses.items()}
    if len(set(known.values())) == 1:  # of one data set, also for variants of which no training has a result
        known = dict.fromkeys(sweep.variants, next(iter(known.values())))
    return Validity(failures.of(sweep, known), chance.of(sweep, guesses))


def _alerts(word: VerdictWord, sentences: Mapping[str, str], baseline: str | None, what: str) -> Sequence[Alert]:
    """One each; of many only the baseline's, and one that names the others."""
    told = {name: _of_baseline(name, baseline, text) for name, text in sentences.items()}
    others = tuple(name for name in told if name != baseline)
    if len(told) <= MOST_ALERTS:
        return [Alert(word, (name,), text) for name, text in told.items()]
    more = [f"{len(others) - MOST_ALERTS} more"] if len(others) > MOST_ALERTS else []
    together = f"{len(others)} variants have {what}: {listed([*others[:MOST_ALERTS], *more])}."
    first = [Alert(word, (name,), text) for name, text in told.items() if name == baseline]
    return [*first, Alert(word, others, together)]


def _of_baseline(name: str, baseline: str | None, sentence: str) -> str:
    return f"Of the baseline: {sentence}" if name == baseline else sentence
