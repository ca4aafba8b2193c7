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
