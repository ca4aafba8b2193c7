"""Damaged files of a record: passed over when read, named once, set aside and never deleted."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers.plans import make
from helpers.tracked import finish, with_cost

from zoo.storage import checksums
from zoo.storage import record as records
from zoo.storage.errors import RecordError
from zoo.storage.locks import file_lock
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, LatencyRecord, Status
from zoo.storage.states import TrainingState

JSON = {"status": None, "training": None, "attempts": (), "latency": None}
DAMAGES = {
    "empty": lambda contents: b"",
    "halved": lambda contents: contents[: len(contents) // 2],
    "zeros": lambda contents: bytes(len(contents)),
    "a list": lambda contents: b"[]",
}


def write(record: Record, step: int, value: float = 0.0) -> None:
    contents = io.BytesIO()
    np.savez(contents, labels=np.zeros(3, np.uint8), logits_raw=np.full((3, 10), value, np.float32))
    record.write_result(step, contents.getvalue())
    record.write_history([{"step": step, "test/accuracy_raw": 0.5}])


@pytest.fixture
def record(tmp_path) -> Record:
    training = with_cost(make(tmp_path)).trainings[0]
    finish(training)
    record = training.record
    for path in record.directory.glob("results/*"):
        path.unlink()
    record.write_status(Status(state=TrainingState.DONE))
    record.add_attempt(AttemptRecord(state=TrainingState.DONE, began=1, ended=2))
    write(record, 10)
    write(record, 20, 1.0)
    record.check()
    return record


def aside(record: Record, name: str) -> list[Path]:
    return [*record.directory.rglob(f".damaged-{name}-*")]


def read(record: Record, name: str):
    return {"training": record.description}.get(name, getattr(record, name, None))()


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", JSON)
def test_a_damaged_file_is_passed_over_named_once_and_set_aside(record, name, how, caplog):
    path = record.directory / f"{name}.json"
    path.write_bytes(DAMAGES[how](path.read_bytes()))
    contents = path.read_bytes()
    assert read(record, name) == read(record, name) == JSON[name]
    (passed_over,) = [each.getMessage() for each in caplog.records]
    assert passed_over.startswith(f"{path} is passed over: ")
    assert path.read_bytes() == contents
    record.repair()
    (kept,) = aside(record, path.name)
    assert kept.read_bytes() == contents and not path.exists()
    named = caplog.records[-1].getMessage()
    assert named.startswith(f"{path} is damaged: ") and kept.name in named
    record.check()
    assert record.has_result(10) and record.has_result(20)


def test_writing_in_place_of_a_damaged_file_sets_it_aside(record):
    for name in JSON:
        (record.directory / f"{name}.json").write_bytes(b"")
    record.write_status(Status(state=TrainingState.DONE))
    record.add_attempt(AttemptRecord(state=TrainingState.DONE, began=3, ended=4))
    record.write_latency(LatencyRecord(percentiles_ms={"p50": 1.5}))
    assert [each.began for each in record.attempts()] == [3]
    assert all(len(aside(record, f"{name}.json")) == 1 for name in ("status", "attempts", "latency"))


@pytest.mark.parametrize("has_checksums", [True, False], ids=["", "of an earlier version"])
@pytest.mark.parametrize("how", ["empty", "halved", "flipped", "zeros"])
def test_a_damaged_results_file_is_no_result(record, how, has_checksums):
    if not has_checksums:
        (record.directory / "checksums.json").unlink()
    path = record.results_file(20)
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(DAMAGES.get(how, lambda _: bytes(contents))(path.read_bytes()))
    assert record.has_result(10) and not record.has_result(20)
    with pytest.raises(RecordError, match=path.name):
        record.check()
    record.repair()
    assert len(aside(record, path.name)) == 1 and not path.exists() and record.has_result(10)


def test_another_results_file_in_its_place_is_damage(record):
    record.results_file(20).write_bytes(record.results_file(10).read_bytes())
    assert not record.has_result(20)


@pytest.mark.parametrize(
    "change", [lambda t: t.replace("0.5", "0.7", 1), lambda t: "\n".join(t.split("\n")[:-2]) + "\n"]
)
def test_changed_digits_and_lost_lines_of_a_history_are_found(record, change):
    path = record.history_file
    path.write_text(change(path.read_text()))
    with pytest.raises(RecordError, match="changed since they were written"):
        record.history()
    assert not record.has_result(10)
    record.repair()
    assert len(aside(record, "history.csv")) == 1 and record.history() == []


def test_a_record_of_an_earlier_version_stays_usable_and_gets_checksums_when_written(record):
    (record.directory / "checksums.json").unlink()
    record.check()
    assert record.has_result(10) and record.has_result(20)
    record.write_history([{"step": 30}])
    known = json.loads((record.directory / "checksums.json").read_text())["sha256"]
    assert known == {"history.csv": [checksums.sha256(record.history_file)]}
    assert record.has_result(20)


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_checksums_cost_no_result(record, how):
    path = record.directory / "checksums.json"
    path.write_bytes(DAMAGES[how](path.read_bytes()))
    assert record.has_result(20)
    record.repair()
    assert len(aside(record, "checksums.json")) == 1 and record.has_result(20)


@pytest.mark.parametrize("crash_at", range(4))
def test_a_crash_at_any_write_leaves_nothing_that_looks_damaged(record, monkeypatch, crash_at):
    write_whole, count = records.write_atomically, iter(range(100))

    def crash(path, write):
        if next(count) == crash_at:
            raise KeyboardInterrupt
        write_whole(path, write)

    monkeypatch.setattr(records, "write_atomically", crash)
    try:
        record.write_history([{"step": 30}])
        record.write_history([{"step": 40}])
    except KeyboardInterrupt:
        record.check()
    monkeypatch.undo()
    record.write_history([{"step": 50}])
    record.check()
    assert record.row_at(50) is not None and not [*record.directory.rglob(".damaged-*")]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.ESTALE])
def test_what_cannot_be_read_is_not_damaged(record, monkeypatch, number):
    def refuse(path, *_):
        raise OSError(number, os.strerror(number), str(path))

    for owner, name in ((Path, "read_bytes"), (checksums, "sha256")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, refuse)
            for use in (record.check, record.repair, lambda: record.has_result(20)):
                with pytest.raises(OSError) as raised:
                    use()
                assert raised.value.errno == number
    assert not [*record.directory.rglob(".damaged-*")]


def test_what_cannot_be_renamed_is_an_error_that_says_both(record, monkeypatch):
    record.results_file(20).write_bytes(b"")

    def refuse(path, new):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RecordError, match=r"it cannot be renamed either \(Permission denied\)"):
        record.repair()


def test_a_file_is_read_again_only_when_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    monkeypatch.setattr(checksums, "_SETTLED_NS", -1)
    first = checksums.sha256(path)
    monkeypatch.setattr(checksums.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert checksums.sha256(path) == first
    monkeypatch.undo()
    path.write_bytes(b"three")
    assert checksums.sha256(path) != first


def test_nothing_is_repaired_while_a_process_trains(record):
    record.results_file(20).write_bytes(b"")
    with file_lock(record.lock_file):
        record.repair()
    assert record.results_file(20).exists()


def test_a_lock_has_the_rights_of_its_directory(tmp_path):
    tmp_path.chmod(0o775)
    with file_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o664


def test_a_changed_digit_in_what_was_trained_is_found(record):
    path = record.directory / "training.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(RecordError, match="changed since they were written"):
        record.check()
    record.repair()
    assert record.description() is None and len(aside(record, "training.json")) == 1
