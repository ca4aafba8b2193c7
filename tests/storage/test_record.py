"""What a training leaves on disk is whole or not there."""

from __future__ import annotations

import io

import numpy as np

from zoo.storage.record import Record


def test_rows_are_merged_by_step_and_numbers_come_back_exactly(tmp_path):
    record = Record(tmp_path)
    record.write_history([{"step": 20, "train/loss": 0.1 + 0.2}, {"step": 10, "train/loss": 1 / 3}])
    record.write_history(
        [{"step": 30, "train/loss": 5e-324, "test/accuracy_raw": 0.7}, {"step": 10, "train/loss": 2.0}]
    )
    assert record.history() == [
        {"step": 10, "train/loss": 2.0},
        {"step": 20, "train/loss": 0.1 + 0.2},
        {"step": 30, "train/loss": 5e-324, "test/accuracy_raw": 0.7},
    ]
    assert record.row_at(20) == {"step": 20, "train/loss": 0.1 + 0.2}
    assert record.row_at(15) is None


def test_a_result_is_a_row_and_its_predictions(tmp_path):
    record = Record(tmp_path)
    record.write_history([{"step": 10}])
    assert not record.has_result(10)
    contents = io.BytesIO()
    np.savez(contents, labels=np.zeros(3, np.uint8))
    record.write_result(10, contents.getvalue())
    assert record.has_result(10)
    assert not record.has_result(20)


def test_an_empty_record_has_nothing(tmp_path):
    record = Record(tmp_path / "absent")
    assert record.history() == []
    assert record.status() is None and record.attempts() == ()
    assert record.latest_checkpoint(at_most=100) is None


def test_the_newest_checkpoint_that_is_not_too_late(tmp_path):
    record = Record(tmp_path)
    for step in (100, 20_000, 3_000):
        (record.checkpoints / f"step_{step:08d}").mkdir(parents=True)
    for name in (".unfinished-x", "step_abcdefgh", "step_", "step_0000300x"):
        (record.checkpoints / name).mkdir()
    assert record.latest_checkpoint(at_most=5_000).name == "step_00003000"
    assert record.latest_checkpoint(at_most=10**6).name == "step_00020000"
    assert record.latest_checkpoint(at_most=99) is None
