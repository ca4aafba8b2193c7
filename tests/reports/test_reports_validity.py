"""Trainings that failed and networks that learned nothing, from runs to what is said of them at the top."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.answered import answered
from helpers.questions import BASE

from reports.analysis import answer as analysis
from reports.analysis.validity import chance, failures, validity
from reports.analysis.wording import answer_text, sentences
from reports.html import page
from reports.store import files
from reports.writers import markdown, summary
from zoo.config import load
from zoo.stats.verdicts import VerdictWord

NAN = "diverged"
GOOD = [80.0, 80.1, 80.2, 80.3, 80.4]


def sweep_of(folder, seeds: object = 5, **accuracies):
    """``a`` is the baseline; of each variant its accuracies, or kinds of failure."""
    variants = "".join(f"  {name}: {{steps: {10 + i}}}\n" for i, name in enumerate(accuracies))
    (folder / "q.yaml").write_text(f"{BASE}variants:\n{variants}seeds: {seeds}\n")
    return answered(load(folder / "q.yaml"), accuracies)


def found(sweep, chance_percent: float = 10.0):
    return failures.of(sweep, dict.fromkeys(sweep.variants, chance_percent))


# --- failures ----------------------------------------------------------------------------------------------------


def test_failures_are_counted_by_their_kinds(tmp_path):
    two = found(sweep_of(tmp_path, a=GOOD, b=[NAN, 80.0, NAN, 80.2, 80.4]))["b"]
    assert (two.failed, two.left, two.is_all) == (2, 3, False)
    assert two.headline == "2 of 5 trainings of b diverged; this is about the other three."
    mixed = found(sweep_of(tmp_path, a=GOOD, b=[NAN, "crash", NAN, "memory_kill", "no kind that we know"]))["b"]
    assert mixed.headline == (
        "5 of 5 trainings of b failed (2 diverged, 1 crashed, 1 was ended because memory ran short and 1 failed); "
        "no result is left."
    )


def test_failures_of_two_variants_are_compared_by_fishers_test(tmp_path):
    """5 of 5 against 0 of 5: p = 2 / 252, doubled by Holm's method of two comparisons; 1 of 5 against none: p = 1."""
    of = found(sweep_of(tmp_path, a=GOOD, b=[NAN] * 5, c=[NAN, *GOOD[1:]]))
    assert of["b"].p == pytest.approx(4 / 252) and of["c"].p == 1.0
    assert of["b"].against_baseline == (
        "It fails more often than the baseline: 5 of 5 against 0 of 5 (Fisher's exact test, p = 0.016)."
    )
    assert of["c"].against_baseline.startswith("Whether it fails more often than the baseline cannot be told: 1 of 5")


def test_a_baseline_that_fails_is_said_to_do_so_by_each_variant_that_does_not(tmp_path):
    of = found(sweep_of(tmp_path, a=[NAN] * 5, b=GOOD))
    assert math.isnan(of["a"].p) and of["a"].against_baseline == ""
    assert of["b"].sentences == (
        "It fails less often than the baseline: 0 of 5 against 5 of 5 (Fisher's exact test, p = 0.0079).",
    )


def test_failures_counted_as_chance(tmp_path):
    sweep = sweep_of(tmp_path, a=GOOD, b=[NAN, NAN, 80.0, 80.0, 80.0])
    assert found(sweep)["b"].counted == "With its failures counted as chance (10.0 %), b has 52.00 % on average."
    assert failures.of(sweep, {})["b"].counted == ""
    assert found(sweep_of(tmp_path, a=GOOD, b=[NAN] * 5))["b"].counted == ""


@pytest.mark.parametrize(
    ("runs", "is_failed"),
    [
        ([NAN, NAN, NAN, NAN, 80.0], True),
        ([NAN, NAN, NAN, NAN], True),  # one is to come, and it takes two
        ([NAN, NAN, 80.0], False),  # two more are to come
        ([NAN, NAN, NAN, 80.0, 80.2], False),
    ],
)
def test_the_word_failed_is_for_those_of_which_too_few_are_left(tmp_path, runs, is_failed):
    answer = analysis.of(sweep_of(tmp_path, a=GOOD, b=runs))
    assert (answer.variants.set_index("variant").loc["b", "verdict"] == VerdictWord.FAILED) == is_failed


def test_never_take_either_where_trainings_failed(tmp_path):
    """Equivalent, at the same price: without the failures that would be all."""
    sweep = sweep_of(tmp_path, a=GOOD, b=[NAN, NAN, *GOOD[:3]])
    answer = analysis.of(sweep)
    (card,) = answer.details.headlines
    assert card.word is VerdictWord.EQUIVALENT
    assert card.sentence.startswith("2 of 5 trainings of b diverged; this is about the other three. b is equivalent")
    assert card.advice.startswith("Find out first why 2 of 5 trainings of b diverged")
    html = page.render(sweep, answer.variants, details=answer.details)
    assert "Take either" not in summary.summary(answer) + markdown.render(answer, {}) + html
    of_baseline = analysis.of(sweep_of(tmp_path, a=[NAN, *GOOD[1:]], b=GOOD)).details
    assert of_baseline.headlines[0].advice.startswith("Find out first why 1 of 5 trainings of a diverged")
    assert of_baseline.alerts[0].sentence.startswith("1 of 5 trainings of the baseline a diverged; this is about the")


def test_the_answer_to_a_question_is_no_yes_or_no_where_trainings_failed(tmp_path):
    sweep = sweep_of(tmp_path, a=GOOD, b=[NAN, NAN, *GOOD[:3]])
    sweep = replace(sweep, question="Does it matter?")
    answer = analysis.of(sweep)
    said = [each.text for each in answer_text.paragraphs(sweep, answer.variants, answer.details)]
    assert said[0].startswith("Failed: 2 of 5 trainings of b diverged; this is about the other three.")
    assert said[1].startswith("Find out first why trainings failed. Of the others: ")
    none_left = analysis.of(sweep_of(tmp_path, a=GOOD, b=[NAN] * 5))
    said = [each.text for each in answer_text.paragraphs(none_left.sweep, none_left.variants, none_left.details)]
    assert said[1].startswith("It cannot be told ")


def test_a_variant_without_results_keeps_its_card(tmp_path):
    sweep = sweep_of(tmp_path, a=GOOD, b=[NAN] * 5, c=[])
    answer = analysis.of(sweep)
    cards = {card.variant: card for card in answer.details.headlines}
    assert cards["b"].word is VerdictWord.FAILED and cards["c"].word is VerdictWord.NONE
    assert cards["b"].sentence.startswith("5 of 5 trainings of b diverged; no result is left.")
    assert cards["c"].sentence == "c has no result yet."
    html = page.render(sweep, answer.variants, details=answer.details).replace("\N{NO-BREAK SPACE}", " ")
    assert html.index("5 of 5 trainings of b diverged") < html.index("c has no result yet.")
    assert "This part could not be made" not in html


# --- what did not learn ------------------------------------------------------------------------------------------


def of_labels(sweep, labels) -> validity.Validity:
    outputs = files.Predictions(np.asarray(labels), np.zeros((len(labels), 2), np.float32))
    return validity.of(sweep, dict.fromkeys(sweep.runs["run_id"], outputs))


def test_an_accuracy_that_cannot_be_told_from_the_largest_class(tmp_path, monkeypatch):
    """Of 1,000 images 600 are of one class: 62 % is within chance (binomial: 0.1), 65 % is not (0.0006)."""
    labels = np.arange(1000) >= 600
    sweep = sweep_of(tmp_path, a=[90.0] * 5, b=[62.0] * 5, c=[65.0] * 5, d=[60.0, 60.0, 90.0, 90.0, 90.0])
    of = of_labels(sweep, labels.astype(np.uint8)).not_learned
    assert set(of) == {"b", "d"} and of["b"].is_all and not of["d"].is_all
    assert of["b"].sentence == (
        "b has 62.00 %, which cannot be told from chance: the largest class alone makes 60.0 % of the test images."
    )
    assert of["d"].sentence.startswith("2 of 5 trainings of d cannot be told from chance: ")
    predictions = files.Predictions(labels.astype(np.uint8), np.zeros((1000, 2), np.float32))
    monkeypatch.setattr(files, "read_predictions", lambda sweep: {sweep.runs["run_id"][0]: predictions})
    details = analysis.of(sweep).details
    cards = {card.variant: card for card in details.headlines}
    assert cards["b"].word is VerdictWord.DID_NOT_LEARN and cards["b"].advice == ""
    assert cards["c"].word is VerdictWord.HURTS and cards["c"].advice
    assert [alert.variants for alert in details.alerts] == [("b",), ("d",)]


def test_without_predictions_nothing_is_claimed(tmp_path):
    sweep = sweep_of(tmp_path, a=[10.0] * 5, b=[10.0] * 5)
    assert validity.of(sweep, {}) == validity.NOTHING_WRONG


def test_a_baseline_that_did_not_learn_gives_no_advice(tmp_path, monkeypatch):
    sweep = sweep_of(tmp_path, a=[50.0] * 5, b=[90.0, 90.1, 90.2, 90.3, 90.4])
    predictions = files.Predictions(np.arange(100) % 2, np.zeros((100, 2), np.float32))
    monkeypatch.setattr(files, "read_predictions", lambda sweep: {sweep.runs["run_id"][0]: predictions})
    (card,) = analysis.of(sweep).details.headlines
    assert card.advice == "Compare with another baseline: this one did not learn."


def test_a_baseline_that_did_not_learn_beside_several_variants_is_the_answer(tmp_path, monkeypatch):
    sweep = sweep_of(tmp_path, a=[50.0] * 3, b=[90.0, 90.1, 90.2], c=[80.0, 80.1, 80.2])
    predictions = files.Predictions(np.arange(100) % 2, np.zeros((100, 2), np.float32))
    monkeypatch.setattr(files, "read_predictions", lambda sweep: {sweep.runs["run_id"][0]: predictions})
    made = analysis.of(sweep)
    paragraphs = answer_text.paragraphs(sweep, made.variants, made.details)
    first = next(each for each in paragraphs if each.part is answer_text.Part.ANSWER)
    assert first.text.startswith("There is no answer: the baseline a did not learn, so nothing is compared with it.")


def test_many_of_a_kind_are_one_sentence(tmp_path):
    values = {name: [50.0] * 2 for name in "abcdefgh"}
    alerts = of_labels(sweep_of(tmp_path, 2, **values), np.arange(100) % 2).alerts("a")
    assert [alert.variants for alert in alerts] == [("a",), tuple("bcdefgh")]
    assert alerts[1].sentence == "7 variants have trainings that did not learn: b, c, d, e and 3 more."


def test_shares_are_of_the_variants_own_data_set(tmp_path):
    (tmp_path / "q.yaml").write_text(
        "question: q\nbase: {model: tuto, steps: 10}\nfactors: {data: [cifar10, digits]}\nseeds: 1\n"
    )
    sweep = answered(load(tmp_path / "q.yaml"), {"data=cifar10": [60.0], "data=digits": [60.0]})
    some = files.Predictions(np.arange(10) % 2, np.zeros((10, 2), np.float32))
    known = chance.guesses(sweep, {sweep.runs["run_id"][0]: some})
    assert known == {"data=cifar10": chance.Guess(50.0, 10)}


def test_sentences_of_comparisons_are_one_a_compared_variant(tmp_path):
    answer = analysis.of(sweep_of(tmp_path, a=GOOD, b=[NAN] * 5, c=GOOD))
    assert len(sentences.comparisons(answer.variants, 0.5)) == 1
