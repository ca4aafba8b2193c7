"""What the networks of a plan cost: counted once per machine, and remembered."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from helpers.plans import QUESTION, make

from zoo.config.errors import QuestionError
from zoo.measure import Cost
from zoo.plan import costs


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Counting replaced: what was asked for, and what it answers."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    asked = []

    def call(function, configs, imports):
        asked.append(len(configs))
        return [Cost(1, 2, 3)] * len(configs)

    monkeypatch.setattr(costs.calls, "call", call)
    return asked


def planned(directory: Path, factor: str = "augment.flip: [true, false]"):
    return make(directory, QUESTION.replace("augment.flip: [true, false]", factor))


def test_one_network_is_counted_once_and_remembered(tmp_path, counted, caplog):
    caplog.set_level(logging.INFO, "zoo")
    flip = planned(tmp_path)
    assert {training.cost for training in costs.count_costs(flip).trainings} == {Cost(1, 2, 3)}
    costs.count_costs(flip)
    costs.count_costs(planned(tmp_path, "batch: [32, 64]"))  # the price of one image: not the batch's
    assert counted == [1] and caplog.text.count("to count the parameters") == 1
    costs.count_costs(planned(tmp_path, "input_size: [16, 24]"))
    assert counted == [1, 1]  # 24 is known


def test_a_cost_that_was_not_counted_is_not_taken_for_one(tmp_path):
    with pytest.raises(ValueError, match=r"the cost of augment\.flip=true · seed 0 has not been counted"):
        _ = planned(tmp_path).trainings[0].cost


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"KEY": [1, 2]}', '{"KEY": "12,3"}', '{"KEY": [1, 2, "3"]}'])
def test_a_damaged_memory_of_costs_is_not_believed(tmp_path, counted, damage):
    flip = planned(tmp_path)
    costs.count_costs(flip)
    file = tmp_path / "cache" / "costs.json"
    file.write_text(damage.replace("KEY", next(iter(json.loads(file.read_text())))))
    assert costs.count_costs(flip).trainings[0].cost == Cost(1, 2, 3)
    assert counted == [1, 1]


def test_a_memory_of_costs_that_cannot_be_written_does_not_matter(tmp_path, counted, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    assert costs.count_costs(planned(tmp_path)).trainings[0].cost == Cost(1, 2, 3)


def test_a_network_that_cannot_be_built_is_a_mistake_at_its_place(tmp_path, counted, monkeypatch):
    reason = "the model cannot be built: ValueError: too wide"
    monkeypatch.setattr(costs.calls, "call", lambda *_: [Cost(1, 2, 3), costs.NotBuilt(reason)])
    sizes = planned(tmp_path, "input_size: [24, 32]")
    for _ in range(2):  # a reason is not remembered: it may go away
        with pytest.raises(QuestionError) as refused:
            costs.count_costs(sizes)
        assert str(refused.value) == f"{tmp_path / 'q.yaml'}:4:20: input_size=32: {reason}"
        monkeypatch.setattr(costs.calls, "call", lambda *_: [costs.NotBuilt(reason)])
