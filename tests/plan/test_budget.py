"""What fits into a limited time."""

from __future__ import annotations

from zoo.plan.budget import fits_from_now, split_by_budget


def test_what_fits_into_a_budget(ten_steps):
    plan = ten_steps("seeds: 1", "seeds: 2")
    one, two, three, four = plan.trainings
    needs = {one.key: 5.0, two.key: 4.0, three.key: 2.0, four.key: 9.0}
    # One after the other: 5 s, 4 more would be 9, 2 more are 7.
    assert split_by_budget(plan.trainings, needs, 1, 7.0) == ([one, three], [two, four])
    assert split_by_budget(plan.trainings, needs, 2, 6.0) == ([one, two, three], [four])
    assert split_by_budget(plan.trainings, needs, 2, 1.0) == ([], list(plan.trainings))


def test_a_training_is_begun_only_if_it_will_be_done_in_time(ten_steps):
    training = ten_steps().trainings[0]
    clock = iter([100.0, 103.0, 103.5]).__next__
    may_begin = fits_from_now({training.key: 4.0}, 7.0, clock)
    assert may_begin(training)  # done 7 s after the beginning
    assert not may_begin(training)
