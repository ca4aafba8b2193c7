"""A damaged file costs a training the time since its last good state, is named and set aside; the numbers stay the same."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.small import config

from zoo import data
from zoo.storage import checksums
from zoo.storage.record import Record
from zoo.training import checkpoints, trainer
from zoo.training.errors import ForeignCheckpoint
from zoo.training.events import TrainingEvents
from zoo.training.trainer import Arrays, train

CLOCKS = {"time", "train_s", "evaluate_s", "train/images_per_s"}


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    (train_images, train_labels), (test_images, test_labels) = (data.load("digits", split) for split in data.SPLITS)
    return Arrays(train_images[:256], train_labels[:256], test_images[:64], test_labels[:64])


def finish(record: Record, arrays: Arrays) -> None:
    assert train(config(milestones=(6,)), 0, arrays, record, targets=(12,), events=TrainingEvents())


@pytest.fixture(scope="module")
def whole(tmp_path_factory, arrays) -> Record:
    record = Record(tmp_path_factory.mktemp("whole") / "record")
    finish(record, arrays)
    return record


@pytest.fixture
def record(tmp_path, whole) -> Record:
    shutil.copytree(whole.directory, tmp_path / "record")
    return Record(tmp_path / "record")


@pytest.fixture
def begun(monkeypatch) -> list[int]:
    """The steps from which each training goes on."""
    steps: list[int] = []
    run = trainer._Session.run
    monkeypatch.setattr(trainer._Session, "run", lambda self, last: steps.append(self.progress.step) or run(self, last))
    return steps


def assert_same(record: Record, whole: Record) -> None:
    rows = [[{k: v for k, v in row.items() if k not in CLOCKS} for row in one.history()] for one in (record, whole)]
    assert rows[0] == rows[1]
    with np.load(record.results_file(12)) as one, np.load(whole.results_file(12)) as other:
        assert set(one) == set(other) and all(one[name].tobytes() == other[name].tobytes() for name in one)


def damage(path: Path, how: str) -> None:
    contents = path.read_bytes()
    if how == "deleted":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "halved":
        path.write_bytes(contents[: len(contents) // 2])
    elif how == "flipped":
        middle = len(contents) // 2
        path.write_bytes(contents[:middle] + bytes([contents[middle] ^ 1]) + contents[middle + 1 :])
    else:
        path.write_text(how)


STATES = [(name, how) for name in ("state.data-*", "state.index") for how in ("deleted", "empty", "halved", "flipped")]
PROGRESS = [("progress.json", how) for how in ("deleted", "empty", "halved", "{}", "[]", "null", '{"step": 12}')]


@pytest.mark.parametrize("has_checksums", [True, False], ids=["", "of an earlier version"])
@pytest.mark.parametrize(("name", "how"), STATES + PROGRESS)
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(record, name, how, has_checksums, caplog):
    newest = record.checkpoints / "step_00000012"
    if not has_checksums:
        (newest / "checksums.json").unlink()
    (path,) = newest.glob(name)
    damage(path, how)
    assert checkpoints.latest_whole(record, 12) == 6
    (kept,) = record.checkpoints.glob(".damaged-*")
    assert kept.name.startswith(".damaged-step_00000012-") and not newest.exists()
    (message,) = [each.getMessage() for each in caplog.records]
    assert f"{newest} is damaged: " in message and kept.name in message


def test_a_checkpoint_of_another_step_is_damaged(record):
    shutil.rmtree(record.checkpoints / "step_00000012")
    shutil.copytree(record.checkpoints / "step_00000006", record.checkpoints / "step_00000012")
    shutil.copytree(record.checkpoints / "step_00000006", record.checkpoints / "step_abcdefgh")
    (record.checkpoints / "step_00000009").write_text("a file")
    assert checkpoints.latest_whole(record, 12) == 6
    set_aside = sorted(path.name[:22] for path in record.checkpoints.glob(".damaged-*"))
    assert set_aside == [".damaged-step_00000009", ".damaged-step_00000012"]
    assert (record.checkpoints / "step_abcdefgh").exists()


def test_changed_digits_in_progress_are_found(record):
    path = record.checkpoints / "step_00000012" / "progress.json"
    found = json.loads(path.read_text())
    found["history"][-1]["test/accuracy_raw"] = 0.99
    path.write_text(json.dumps(found))
    assert checkpoints.latest_whole(record, 12) == 6


@pytest.mark.parametrize("how", ["deleted", "empty", "halved", "flipped"])
def test_damaged_predictions_are_made_again_from_the_checkpoint_at_their_step(record, whole, arrays, begun, how):
    damage(record.results_file(12), how)
    assert not record.has_result(12)
    finish(record, arrays)
    assert begun == [12]
    assert_same(record, whole)


@pytest.mark.parametrize("how", ["deleted", "empty", "halved", "flipped", "short"])
def test_a_damaged_history_is_got_back_from_the_newest_checkpoint(record, whole, arrays, begun, how):
    if how == "short":
        lines = record.history_file.read_bytes().splitlines(keepends=True)
        record.history_file.write_bytes(b"".join(lines[:-1]))
    else:
        damage(record.history_file, how)
    assert not record.has_result(12)
    finish(record, arrays)
    assert begun == []
    assert_same(record, whole)
    assert len([*record.directory.glob(".damaged-history.csv-*")]) == (how != "deleted")


def test_all_of_the_last_state_damaged_costs_the_time_since_the_one_before(record, whole, arrays, begun):
    (state,) = (record.checkpoints / "step_00000012").glob("state.data-*")
    for path in (state, record.results_file(12), record.history_file):
        damage(path, "halved")
    finish(record, arrays)
    assert begun == [6]
    assert_same(record, whole)
    assert len([*record.checkpoints.glob(".damaged-step_00000012-*")]) == 1  # what was set aside stays
    assert checkpoints.latest_whole(record, 12) == 12


def test_a_checkpoint_of_another_network_fails_one_attempt_only(record, whole, arrays, begun, tmp_path):
    other = Record(tmp_path / "other")
    assert train(config(arguments={"hidden": (24,)}), 0, arrays, other, targets=(12,), events=TrainingEvents())
    shutil.rmtree(record.checkpoints / "step_00000012")
    shutil.copytree(other.checkpoints / "step_00000012", record.checkpoints / "step_00000012")
    record.results_file(12).unlink()
    with pytest.raises(ForeignCheckpoint, match="of another network and has been set aside"):
        finish(record, arrays)
    begun.clear()
    finish(record, arrays)
    assert begun == [6]
    assert_same(record, whole)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.ESTALE])
def test_what_cannot_be_read_is_not_damaged(record, monkeypatch, number):
    def refuse(path):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(checksums, "sha256", refuse)
    with pytest.raises(OSError) as raised:
        checkpoints.latest_whole(record, 12)
    assert raised.value.errno == number
    assert not [*record.checkpoints.glob(".damaged-*")]


def test_what_was_set_aside_stays_and_what_was_left_unfinished_goes(record):
    for name in (".damaged-step_00000003-1", ".unfinished-1", ".removed-step_00000001", "step_00000009", "step_x"):
        (record.checkpoints / name).mkdir()
    checkpoints.keep_only(record, {12})
    assert sorted(path.name for path in record.checkpoints.iterdir()) == [
        ".damaged-step_00000003-1",
        "step_00000012",
        "step_x",
    ]


def test_a_checkpoint_has_the_rights_that_the_umask_leaves(tmp_path, arrays):
    before = os.umask(0o002)
    try:
        finish(Record(tmp_path / "shared"), arrays)
    finally:
        os.umask(before)
    checkpoint = tmp_path / "shared" / "checkpoints" / "step_00000012"
    assert checkpoint.stat().st_mode & 0o777 == 0o775
    assert {path.stat().st_mode & 0o777 for path in checkpoint.iterdir()} == {0o664}
