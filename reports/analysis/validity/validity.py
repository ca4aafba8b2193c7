"""All that may be wrong with the trainings of a sweep, and what of it stands above everything else in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
        not_learned = {name: self.not_learned[name] for name in names if name in self.not_learned}
        failed = {name: self.failures[name] for name in names if name in self.failures and self.failures[name].failed}
        if baseline is not None and baseline in not_learned:
            not_learned[baseline] = replace(not_learned[baseline], variant=f"the baseline {baseline}")
        if baseline is not None and baseline in failed:
            failed[baseline] = replace(failed[baseline], variant=f"the baseline {baseline}")
        learned = {name: _capital(each.sentence) for name, each in not_learned.items()}
        lost = {name: " ".join(map(_capital, each.sentences)) for name, each in failed.items()}
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
    others = tuple(name for name in sentences if name != baseline)
    if len(sentences) <= MOST_ALERTS:
        return [Alert(word, (name,), text) for name, text in sentences.items()]
    more = [f"{len(others) - MOST_ALERTS} more"] if len(others) > MOST_ALERTS else []
    together = f"{len(others)} variants have {what}: {listed([*others[:MOST_ALERTS], *more])}."
    first = [Alert(word, (name,), text) for name, text in sentences.items() if name == baseline]
    return [*first, Alert(word, others, together)]


def _capital(text: str) -> str:
    """Of a sentence that may begin with the baseline."""
    return f"The baseline{text.removeprefix('the baseline')}" if text.startswith("the baseline") else text
