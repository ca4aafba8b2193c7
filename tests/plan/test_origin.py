"""What a training was made with is compared with what its key stands for, before it is used again."""

from __future__ import annotations

import pytest
from helpers.tracked import ask, begin, description, finish

from zoo.measure import Cost
from zoo.plan import origin
from zoo.plugins import SourceChanged
from zoo.storage.errors import RecordError


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"source_sha256": "of another text"},
            "it was trained with other files of the model alex2 than its key stands",
        ),
        ({"data_sha256": "f" * 64}, r"it was trained on other data \(ffffffffffffffff\) than its key stands for"),
        ({"classes": 3}, "its data set had 3 classes when it was trained, and has 10 now"),
        ({"key": "e" * 64}, "it belongs to the training eeeeeeeeeeeeeeee, not to "),
        (
            {"cost": Cost(999, 1, 1)},
            "its network had 999 parameters, and this version of the code makes one of 1,000 of",
        ),
    ],
)
def test_what_was_made_with_something_else_is_not_used(tmp_path, changed, problem):
    training = ask(tmp_path).trainings[0]
    origin.check(training)  # nothing is there yet
    finish(training)
    origin.check(training)
    made = training.record.description()
    training.record.write_description(made.model_copy(update=changed))
    with pytest.raises(RecordError, match=problem):
        origin.check(training)


def test_a_record_of_an_earlier_version_is_used(tmp_path):
    training = ask(tmp_path).trainings[0]
    training.record.write_description(
        description(training, 1.0).model_copy(update={"classes": None, "code_sha256": ""})
    )
    origin.check(training)


def test_results_of_other_code_are_named_once(tmp_path):
    trainings = ask(tmp_path).trainings
    assert origin.other_code(trainings) == ""
    for training in trainings:
        finish(training)
    assert origin.other_code(trainings) == ""
    for training, code in zip(trainings, ("a" * 64, "a" * 64, ""), strict=False):
        made = training.record.description()
        training.record.write_description(made.model_copy(update={"code_sha256": code}))
    said = origin.other_code(trainings)
    made_by = "2 trainings of version aaaaaaaaaa (commit c0ffee); 1 training of version commit c0ffee; the code is "
    assert said.startswith(f"note: results of other code are used: {made_by}{origin.code_sha256()[:10]}")


def test_a_network_that_counts_otherwise_gets_no_latency_of_other_code(tmp_path):
    first, second, *_ = ask(tmp_path).trainings
    begin(first)
    begin(second)
    made = second.record.description()
    second.record.write_description(made.model_copy(update={"cost": made.cost._replace(macs=1)}))
    assert origin.with_same_cost([first, second]) == ([first], [second])


def test_a_worker_whose_code_gives_another_key_trains_nothing(tmp_path, monkeypatch):
    training = ask(tmp_path).trainings[0]
    origin.check_key(training)
    monkeypatch.setattr("zoo.plan.identity.NUMERICS", 99)
    with pytest.raises(SourceChanged, match="has been edited since the sweep began"):
        origin.check_key(training)
