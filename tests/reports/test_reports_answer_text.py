"""The first lines of every format: the answer in the words of the question, from sweeps whose numbers can be worked out."""

from __future__ import annotations

import dataclasses

import pytest
from helpers import pages

from reports.analysis import answer as analysis
from reports.analysis.details import Alert
from reports.analysis.wording import answer_text, names
from reports.analysis.wording.answer_text import Part
from reports.store.sweep import Sweep
from zoo.stats.verdicts import SeedSchedule, VerdictWord
from zoo.storage.designs import Design, DesignHistory

MATTERS = "Does local response normalisation matter, and what does it cost?"
WITH = (81.3, 81.4, 81.5, 81.6, 81.4)  # mean 81.44
LRN = {"lrn=true": {"lrn": True}, "lrn=false": {"lrn": False}}


def designed(made: Sweep, given: bool = True) -> Sweep:
    declared = Design(
        time="2026-01-01T00:00:00Z", seeds=made.seeds, margin=made.margin, margin_given=given, baseline=made.baseline
    )
    return dataclasses.replace(made, design=DesignHistory([declared]))


def asked(finals: dict[str, tuple], levels: dict, question: str = MATTERS, seeds: int = 5, **changes) -> Sweep:
    return dataclasses.replace(designed(pages.sweep("s", finals, seeds, question)), levels=levels, **changes)


def said(made: Sweep, part: Part = Part.ANSWER) -> str:
    found = analysis.of(made, with_images=False)
    return " ".join(
        each.text for each in answer_text.paragraphs(made, found.variants, found.details) if each.part is part
    )


def test_a_component_that_can_be_dropped():
    """Means 81.44 and 81.42, both with variance 0.013: equivalent within 0.5 points."""
    without = (81.28, 81.38, 81.48, 81.58, 81.38)
    assert said(asked({"lrn=true": WITH, "lrn=false": without}, LRN)) == (
        "No. You can drop lrn: 81.42 % without it, 81.44 % with it. The difference is smaller than the 0.5 points you said "
        "you do not care about (5 trainings each, risk of being wrong at most 5 %)."
    )


def test_a_margin_that_nobody_declared_is_not_said_to_be():
    made = asked({"lrn=true": WITH, "lrn=false": WITH[::-1]}, LRN)
    assert "smaller than the default margin of 0.5 points" in said(designed(made, given=False))
    assert "smaller than the margin of 0.5 points" in said(dataclasses.replace(made, design=None))


@pytest.mark.parametrize(
    ("shift", "begins"),
    [
        (-2.0, "Yes. Keep lrn: 79.44 % without it, 81.44 % with it. That is 2.00 points less (95 % interval "),
        (+2.0, "Yes. Drop lrn: 83.44 % without it, 81.44 % with it. That is 2.00 points more (95 % interval "),
    ],
)
def test_a_component_that_matters(shift, begins):
    text = said(asked({"lrn=true": WITH, "lrn=false": tuple(value + shift for value in WITH)}, LRN))
    assert text.startswith(begins)
    assert text.endswith("5 trainings each, risk of being wrong at most 5 %), more than the 0.5 points you said you do not "
                         "care about.")  # fmt: skip


def test_a_difference_that_may_be_within_the_margin_says_so():
    """0.45 points apart, 2.3 standard errors of 0.072 on each side: shown, and neither less nor more than the margin."""
    text = said(asked({"lrn=true": WITH, "lrn=false": tuple(value - 0.45 for value in WITH)}, LRN))
    assert text.startswith("Yes. Keep lrn: 80.99 % without it")
    assert text.endswith("Whether it is more than the 0.5 points you said you do not care about cannot be told.")


def test_undecided_is_neither_yes_nor_no():
    made = asked({"lrn=true": (80.0, 81.0, 82.0), "lrn=false": (80.5, 81.0, 82.5)}, LRN, seeds=3)
    text = said(made)
    assert text.startswith(
        "It cannot be told yet whether lrn matters: 81.33 % without it, 81.00 % with it (3 trainings each)."
    )
    assert "so neither is a difference shown nor that it is smaller than the 0.5 points" in text
    assert "until: decided, start: 3}" in said(made, Part.NEXT)
    going_on = dataclasses.replace(made, schedule=SeedSchedule(3, 10), seeds=tuple(range(10)))
    assert "the sweep ends at 10" in said(going_on, Part.NEXT)


def test_one_training_says_nothing_of_the_next():
    made = asked({"lrn=true": (81.44,), "lrn=false": (80.0,)}, LRN, seeds=1)
    assert said(made) == (
        "It cannot be told yet whether lrn matters: 80.00 % without it, 81.44 % with it (1 training each). One training of "
        "a side says nothing of how far another one would be off."
    )
    assert said(made, Part.NEXT).startswith("Train at least 3 seeds of each")


def test_other_questions_are_answered_without_yes_or_no():
    levels = {"hidden=[384, 192]": {"hidden": [384, 192]}, "hidden=[192]": {"hidden": [192]}}
    finals = dict(zip(levels, (WITH, WITH[::-1]), strict=True))
    assert said(asked(finals, levels, "Which layers can be left out?")).startswith(
        "You can use hidden [192] instead of [384, 192]: 81.44 % with [192], 81.44 % with [384, 192]."
    )
    added = {"bn=false": {"bn": False}, "bn=true": {"bn": True}}
    finals = dict(zip(added, (WITH, WITH[::-1]), strict=True))
    assert said(asked(finals, added, "Do batch norms make a difference?")).startswith("No. You need not add bn: ")


def test_several_variants_are_counted_and_named_with_their_accuracies():
    finals = {"base": WITH, "up": tuple(v + 2 for v in WITH), "down": tuple(v - 2 for v in WITH), "same": WITH[::-1]}
    made = asked(finals, {}, "Which parts matter?")
    assert said(made) == (
        "Of 3 variants one is more accurate than the baseline, one is less accurate and one is within 0.5 points of it. "
        "More accurate: up (83.44 %). Less accurate: down (79.44 %). Nearer than the 0.5 points you said you do not care "
        "about: same (81.44 %). The baseline base has 81.44 % (5 trainings each; the risk that any of these differences is "
        "none is at most 5 % and that any of the near ones is not is at most 5 %)."
    )
    assert said(made, Part.CHOICE).startswith("Most accurate here: up, 83.44 %")


def grid(effect) -> Sweep:
    levels = {
        f"lrn={str(lrn).lower()}, width={width}": {"lrn": lrn, "width": width}
        for lrn in (True, False)
        for width in (16, 32)
    }
    finals = {name: tuple(value + effect(**own) for value in WITH) for name, own in levels.items()}
    return asked(finals, levels, "Which matter?")


def test_a_grid_answers_by_factor():
    """Twice as wide is 2 points better with lrn and without: no interaction."""
    made = grid(lambda lrn, width: 2.0 * (width == 32))
    assert said(made) == "width matters; lrn makes no difference of more than 0.5 points."
    effects = said(made, Part.EFFECTS)
    assert (
        "width, 16 at the baseline: 32 raises the accuracy by 2.00 points (on average 81.44 % to 83.44 %)." in effects
    )
    assert "lrn, true at the baseline: false makes no difference of more than 0.5 points" in effects
    assert effects.endswith("That one factor's effect depends on another's level was not shown.")


def test_an_interaction_that_was_shown_is_told():
    made = grid(lambda lrn, width: 2.0 * (width == 32) * (not lrn))
    assert "is worth more with" in said(made, Part.EFFECTS)


def test_the_cheapest_within_the_margin_of_the_best():
    """Parameters are 1,000, 2,000, 3,000 and 4,000 in the order of the variants; the best is the dearest."""
    finals = {
        "a": WITH,
        "b": tuple(v + 1.8 for v in WITH),
        "c": tuple(v + 1.0 for v in WITH),
        "d": tuple(v + 2 for v in WITH),
    }
    choice = said(asked(finals, {}, "Which?"), Part.CHOICE)
    assert choice.startswith("Most accurate here: d, 83.44 %")
    assert choice.endswith(
        "Cheapest in parameters within 0.5 points of it, by the means: b, 83.24 %, -50.0 % parameters."
    )


def test_without_a_baseline_or_results_there_is_no_answer():
    made, _ = pages.without_baseline()
    assert said(made).startswith(
        "There is no answer yet: the baseline off has no result to compare with. Mean accuracies: on"
    )
    assert said(dataclasses.replace(made, baseline=None)).startswith(
        "The store names no baseline, so nothing is compared."
    )
    assert said(pages.empty()[0]) == "There is no answer yet: no run has a result."
    alone = asked({"lrn=true": WITH, "lrn=false": ()}, LRN)
    assert said(alone) == "There is no answer yet: only the baseline lrn=true has results."
    assert said(alone, Part.WARNING) == (
        "Incomplete: 5 of 10 runs have no result yet; 1 of the 2 variants has none at all: lrn=false."
    )


def test_a_baseline_that_did_not_learn_leaves_nothing_to_choose():
    made = asked({"base": WITH, "up": tuple(v + 2 for v in WITH), "down": tuple(v - 2 for v in WITH)}, {})
    found = analysis.of(made, with_images=False)
    alerts = [Alert(VerdictWord.DID_NOT_LEARN, ("base",), "The baseline base has 81.44 %, as guessing has.")]
    told = answer_text.paragraphs(made, found.variants, dataclasses.replace(found.details, alerts=alerts))
    assert [each.part for each in told] == [Part.ALERT, Part.ANSWER]
    assert told[1].text.startswith("There is no answer: the baseline base did not learn")


def test_labels_are_what_differs():
    levels = {"a long name": {"x": 1, "y": 1}, "another one": {"x": 1, "y": 2}, "the third name": {"x": 2, "y": 2}}
    assert names.labels(list(levels), levels, "a long name") == {
        "a long name": "baseline",
        "another one": "y=2",
        "the third name": "x=2, y=2",
    }
    same = {"p": {"x": 1, "y": 1}, "q": {"x": 2, "y": 1}, "the same as q": {"x": 2, "y": 1}}
    assert names.labels(list(same), same, "p")["the same as q"] in ("the same as q", "x=2")
    assert names.cut("x" * 70) == "x" * 59 + "…"
