"""What a report says of the design: when it was declared, and what was changed after results could be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from helpers.answered import answered

from reports.analysis.validity import design
from reports.store.typed import SweepTags
from zoo.config import load
from zoo.storage.designs import Design, DesignHistory

TEXT = """\
question: Does it matter?
base: {model: alex2, data: digits, steps: 100}
factors: {augment.flip: [true, false]}
seeds: 3
margin: 0.5
"""
BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)
TRUE, FALSE = "augment.flip=true", "augment.flip=false"


def declared(seeds: int, minute: int = 0, **fields) -> Design:
    values = {"time": BEGAN.replace(minute=minute), "seeds": tuple(range(seeds)), "margin": 0.5, "baseline": TRUE}
    return Design(**values | fields)


@pytest.fixture
def sweep(tmp_path):
    """A sweep with accuracies of both variants, and the entries of its history."""

    def sweep(first, second, *entries: Design, seeds: str = "3"):
        path = tmp_path / "q.yaml"
        path.write_text(TEXT.replace("seeds: 3", f"seeds: {seeds}"))
        return replace(answered(load(path), {TRUE: first, FALSE: second}), design=DesignHistory(entries) or None)

    return sweep


EQUAL = [80.0, 80.5, 81.0]


@pytest.mark.parametrize(("entries", "text"), [
    ([], "0.5 points; when it was declared is not known"),
    ([declared(3)], "0.5 points, declared before the runs"),
    ([declared(3, margin_given=False)], "0.5 points, the default: the question declares none"),
    ([declared(3, results=6)], "0.5 points, written down when 6 of its runs had results already"),
    ([declared(3, results=1)], "0.5 points, written down when one of its runs had results already"),
])  # fmt: skip
def test_the_margin_is_said_to_be_declared_before_the_runs_only_if_it_was(entries, text, sweep):
    assert design.margin(sweep(EQUAL, EQUAL, *entries)) == text


def test_when_the_design_was_declared_and_that_another_one_came_before(sweep):
    found = design.facts(sweep(EQUAL, EQUAL, declared(3), declared(5, 30, results=6, compared=True)))
    assert found["design"] == "3 seeds, declared 2026-11-27 12:00 UTC, before the first result"
    fresh = declared(0, 45, first_analysis=3).model_copy(update={"seeds": tuple(range(3, 13))})
    found = design.facts(sweep(EQUAL, EQUAL, declared(3), fresh))
    assert found["design"] == (
        "3 to 10 seeds, declared 2026-11-27 12:45 UTC, before the first result; 1 earlier one of this name asked for other "
        "runs, and each declaration may be wrong by itself in 5 % of cases"
    )


def test_changes_stand_above_everything(sweep):
    found = design.alerts(sweep(EQUAL, EQUAL, declared(3), declared(3, 30, margin=95.0, results=2)))
    assert [(alert.word, alert.sentence) for alert in found] == [
        (
            "design changed",
            "The margin was changed from 0.5 to 95 points after the first result: equivalence is judged by the 0.5 points "
            "that were declared.",
        )
    ]
    assert design.alerts(sweep(EQUAL, EQUAL, declared(3))) == design.alerts(sweep(EQUAL, EQUAL)) == []


def test_the_seeds_that_are_recommended(sweep):
    none_yet = sweep([], [], declared(3))
    assert design.recommended_seeds(none_yet, 10) == "seeds: {min: 3, max: 11, until: decided}"
    used = sweep(EQUAL, EQUAL, declared(3))
    assert design.recommended_seeds(used, 10) == "seeds: {min: 3, max: 11, until: decided, start: 3}"
    assert design.recommended_seeds(used, 2) == "seeds: {min: 3, max: 4, until: decided, start: 3}"
    assert design.recommended_seeds(used, None) == ""


def test_a_tag_that_is_no_history_is_named():
    from reports.errors import ReportError

    history = DesignHistory([declared(3)])
    assert SweepTags("s", {"design": history.text}).design == history
    assert SweepTags("s", {}).design is None and SweepTags("s", {"design": "[]"}).design is None
    with pytest.raises(ReportError, match="tag 'design' is not a JSON list of designs"):
        _ = SweepTags("s", {"design": '[{"seeds": 3}]'}).design


MORE = [80.0, 80.1, 80.2, 80.1, 80.0, 80.2], [80.3, 80.0, 80.4, 80.6, 80.7, 80.5]  # told apart by all six seeds


def test_seeds_beyond_the_declared_ones_are_shown_and_not_judged(sweep):
    assert replace(sweep(*MORE, declared(6), seeds="6"), margin=None).verdicts()[FALSE].word == "helps"
    changed = sweep(*MORE, declared(3), declared(6, 30, results=6, compared=True), seeds="6")
    changed = replace(changed, margin=None)
    verdict = changed.verdicts()[FALSE]
    assert verdict.word == "withheld" and verdict.low > 0
    assert len(design.alerts(changed)) == 1 and changed.missing() == ()


def test_a_fixed_number_of_seeds_has_no_verdict_until_all_have_been_tried(sweep):
    running = sweep([80.0, 80.1, 80.2], [85.0, 85.1], declared(3))
    assert running.verdicts()[FALSE].word == "none"
    failed = sweep([80.0, 80.1, 80.2], [85.0, 85.1, "diverged"], declared(3))
    assert failed.verdicts()[FALSE].word == "helps"


def test_answers_that_are_the_same_to_the_bit_are_named_as_that(sweep):
    found = sweep([80.0, 81.0, 80.5], [80.0, 81.0, 80.5], declared(3))
    assert found.verdicts()[FALSE].word != "identical"  # equal accuracies are no proof
    same = replace(
        found, runs=found.runs.assign(logits_sha256=[f"answers of seed {seed}" for seed in found.runs["seed"]])
    )
    assert same.verdicts()[FALSE].word == "identical" and same.verdicts()[FALSE].seeds_needed is None
