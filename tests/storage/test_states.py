"""The states of a training, as a table of what may follow what."""

from __future__ import annotations

import pytest

from zoo.storage.states import FailureKind, TrainingState

ALLOWED = {
    ("running", "running"),  # another attempt, or a sweep after one that was killed
    ("running", "done"),
    ("running", "stopped"),
    ("running", "failed"),
    ("stopped", "running"),
    ("failed", "running"),
    ("done", "running"),  # for more steps
    ("stopped", "done"),  # fewer steps are wanted than it had made
    ("failed", "done"),
    ("stopped", "stopped"),
    ("failed", "failed"),
    ("done", "done"),
}


@pytest.mark.parametrize("one", TrainingState)
@pytest.mark.parametrize("other", TrainingState)
def test_only_these_states_follow_each_other(one, other):
    assert one.may_become(other) == ((one.value, other.value) in ALLOWED)


def test_what_is_done_about_each_kind_of_failure():
    assert {kind for kind in FailureKind if kind.is_retried} == {"crash", "memory_kill", "hang"}
    assert {kind for kind in FailureKind if kind.is_of_memory} == {"memory_kill", "out_of_memory"}
    assert {kind for kind in FailureKind if kind.would_repeat} == {"diverged"}
