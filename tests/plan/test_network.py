"""What decides the cost, the latency and the speed of a network, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.plans import FIELDS, config_of

from zoo import models
from zoo.plan.network import Network, Workload, check_network
from zoo.plugins import SourceChanged
from zoo.storage.records import TrainingDescription

SAME = config_of()


@pytest.mark.parametrize(
    "changes", [{"model": "alex3"}, {"input_size": 32}, {"arguments": FIELDS["arguments"] | {"hidden": (7,)}}]
)
def test_another_network_has_figures_of_its_own(changes):
    assert Network.of(config_of(**changes)) != Network.of(SAME)


def test_the_number_of_classes_and_the_users_source_count(monkeypatch):
    before = Network.of(SAME)
    assert Network.of(config_of(data="cifar10")) == before  # ten classes, too
    monkeypatch.setattr(models.Entry, "source_sha256", lambda self: "of another text")
    assert Network.of(SAME) != before


@pytest.mark.parametrize("changes", [{"batch": 64}, {"precision": "bfloat16"}])
def test_a_workload_is_a_network_with_its_batch_and_precision(changes):
    assert Network.of(config_of(**changes)) == Network.of(SAME)
    assert Workload.of(config_of(**changes)) != Workload.of(SAME)
    assert Workload.of(config_of(steps=7, augment__flip=False)) == Workload.of(SAME)


def test_a_workload_is_recognized_in_a_record():
    workload = Workload.of(SAME)
    assert Workload.recorded(description(shape=workload.shape())) == workload
    assert Workload.recorded(description(shape=workload.shape(), config={"data": "of a file of mine"})) is None
    assert Workload.recorded(description(shape={})) is None


def description(**fields) -> TrainingDescription:
    known = {"key": "k", "question": "q", "runs": (), "seed": 0, "data_sha256": "", "config": {"data": "digits"}}
    machine = {"precision": "float32", "cost": (1, 2, 3), "device": "this one", "started": 0.0}
    return TrainingDescription.model_validate(known | machine | fields)


@pytest.mark.parametrize("changed", [{"source_sha256": "of another text"}, {"classes": 3}, {"input_size": 8}])
def test_a_process_that_gets_another_network_than_was_planned_does_nothing_with_it(changed):
    """Neither trains, counts nor times it: that would be kept under what was planned."""
    config = config_of()
    planned = Network.of(config)
    check_network(config, planned)
    with pytest.raises(SourceChanged, match="have been edited since the sweep began"):
        check_network(config, replace(planned, **changed))
