"""What ``--plan`` shows."""

from __future__ import annotations

from zoo.plan import summary
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord
from zoo.storage.states import TrainingState


def test_the_summary_says_hours_disk_and_what_does_not_fit(tmp_path, ten_steps):
    plan = ten_steps()
    needs = {plan.trainings[0].key: 3600.0, plan.trainings[1].key: 7200.0}
    text = summary.text(plan, needs, tmp_path, budget_s=3600.0)
    assert "20 steps to train, about 3 h here (no forecast has been put to the test here yet)" in text
    assert "up to 743 kB of disk, " in text  # 2 x 371,280 bytes
    assert "1 training fits into 1 h, about 1 h in all; left out:\n  augment.flip=false · seed 0 (about 2 h)" in text
    together = summary.text(plan, needs, tmp_path, at_once=2, budget_s=7200.0)
    assert "about 2 h here, 2 trainings at once" in together and "All of it fits into 2 h." in together
    Record(tmp_path / "one").add_attempt(AttemptRecord(state=TrainingState.DONE, began=0, ended=120, expected_s=100))
    assert "(the one forecast so far was off by 20 %)" in summary.text(plan, needs, tmp_path)


TEN = ("augment.flip: [true, false]\nseeds: 1", "batch: [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]\nseeds: 3")


def test_a_design_that_can_find_nothing_of_interest_is_warned_of(ten_steps):
    """Ten comparisons with three seeds each find 8.14 standard deviations of 0.25 points: see tests/stats/test_power.py.

    Two standard deviations at 0.5 % are found by 9 seeds: 80 % of 100,000 pairs simulated with scipy.
    """
    text = summary.sensitivity(ten_steps(*TEN))
    assert "Smallest difference that 3 seeds can detect: 2.04 points of accuracy." in text
    assert "5 % for all 10 comparisons together, power 80 %; spread between seeds 0.25 points, assumed" in text
    assert "\nwarning: this design is not likely to decide anything of interest. It finds 5 % of differences" in text
    assert text.endswith("To find 80 % of them: seeds: {min: 3, max: 10, until: decided}")


def test_a_design_that_finds_the_margin_is_given_no_advice(ten_steps):
    text = summary.sensitivity(ten_steps("seeds: 1", "seeds: {min: 3, max: 10, until: decided}"))
    assert text.startswith("Smallest difference that up to 10 seeds can detect: 0.35 points of accuracy.\n")
    assert "warning" not in text and "until" not in text.partition("measured")[2].partition("assumed until")[2]
