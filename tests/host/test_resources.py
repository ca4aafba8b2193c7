"""A machine's cores and GPUs, divided among trainings."""

from __future__ import annotations

import pytest

from zoo.host.resources import Allocation, AllocationError, allocate, jobs_on_gpus


@pytest.mark.parametrize(
    ("jobs", "cores", "expected"),
    [
        (1, [0, 1, 2, 3], [(0, 1, 2, 3)]),
        (2, [0, 1, 2, 3], [(0, 1), (2, 3)]),
        (3, [0, 1, 2, 3], [(0,), (1,), (2, 3)]),
        (2, [4, 6, 9], [(4,), (6, 9)]),  # as the system numbers those that may be used
        (4, [0, 1], [(0,), (1,), (0,), (1,)]),  # more trainings than cores
    ],
)
def test_neighboring_cores_as_equal_as_can_be(jobs, cores, expected):
    assert [allocation.cores for allocation in allocate(jobs, cores)] == expected
    assert all(allocation.gpus == () for allocation in allocate(jobs, cores))


@pytest.mark.parametrize(
    ("jobs", "gpus", "per_run", "expected"),
    [
        (2, "abcd", None, [("a", "b"), ("c", "d")]),
        (2, "abcd", 1, [("a",), ("b",)]),
        (1, "abcd", None, [("a", "b", "c", "d")]),
        (2, "abc", None, [("a",), ("b",)]),
    ],
)
def test_gpus_of_its_own_for_each_run(jobs, gpus, per_run, expected):
    assert [allocation.gpus for allocation in allocate(jobs, [0, 1], list(gpus), per_run)] == expected
    assert allocate(1, [0], ["GPU-1"]) == [Allocation((0,), ("GPU-1",))]


def test_how_many_runs_the_gpus_hold():
    assert [jobs_on_gpus(4, None), jobs_on_gpus(4, 2), jobs_on_gpus(5, 2), jobs_on_gpus(4, 4)] == [4, 2, 2, 1]


@pytest.mark.parametrize(
    ("jobs", "gpus", "per_run", "message"),
    [
        (3, 2, None, "3 runs of 1 GPU each at once need 3 GPUs; 2 can be used here"),
        (2, 3, 2, "2 runs of 2 GPUs each at once need 4 GPUs; 3 can be used here"),
        (1, 0, 1, "--gpus-per-run 1: this machine has no GPU that a run may use"),
    ],
)
def test_too_few_gpus_are_a_sentence(jobs, gpus, per_run, message):
    with pytest.raises(AllocationError) as refused:
        allocate(jobs, [0, 1], [str(i) for i in range(gpus)], per_run)
    assert str(refused.value) == message
    if jobs == 1:
        with pytest.raises(AllocationError):
            jobs_on_gpus(gpus, per_run)
