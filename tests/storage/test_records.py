"""Typed records: what old versions wrote stays readable, what is damaged or foreign is a clear error."""

from __future__ import annotations

import json
import pickle

import pytest

from zoo.measure import Cost
from zoo.storage.errors import RecordError
from zoo.storage.record import Record
from zoo.storage.records import AttemptRecord, LatencyRecord, Status
from zoo.storage.states import FailureKind, TrainingState

DESCRIBED = {
    "key": "0123abcd",
    "question": "lrn",
    "runs": ["lrn=on · seed 0"],
    "seed": 0,
    "data_sha256": "77",
    "source_sha256": None,
    "config": {"model": "tuto", "optimizer.lr": 0.1},
    "shape": {"model": "tuto"},
    "precision": "float32",
    "cost": {"params": 1, "macs": 2, "ops": 3},
    "device": "4 x a processor",
    "started": 1700000000.5,
}


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / "0123abcd")


def put(record: Record, name: str, contents: object) -> None:
    record.directory.mkdir(exist_ok=True)
    text = contents if isinstance(contents, str) else json.dumps(contents)
    (record.directory / name).write_text(text, encoding="utf-8")


def kept(record: Record, name: str):
    return json.loads((record.directory / name).read_text(encoding="utf-8"))


def test_a_status_comes_back_as_it_was_written_under_the_same_names(record):
    status = Status(
        state=TrainingState.FAILED, failure=FailureKind.DIVERGED, reason="not a number", output="line", time=7.5
    )
    record.write_status(status)
    assert record.status() == status
    assert kept(record, "status.json") == {
        "state": "failed",
        "failure": "diverged",
        "reason": "not a number",
        "output": "line",
        "time": 7.5,
        "repeats": True,
    }


@pytest.mark.parametrize(
    ("old", "state", "failure"),
    [
        ({"state": "done", "reason": "", "repeats": False, "time": 1.0}, "done", None),
        ({"state": "running", "reason": "", "repeats": False, "output": "", "time": 1.0}, "running", None),
        ({"state": "failed", "reason": "SIGKILL", "repeats": False, "output": "x", "time": 1.0}, "failed", "error"),
        ({"state": "failed", "reason": "NaN", "repeats": True, "output": "x", "time": 1.0}, "failed", "diverged"),
    ],
)
def test_a_status_without_the_kind_of_failure_is_readable(record, old, state, failure):
    put(record, "status.json", old)
    status = record.status()
    assert (status.state, status.failure, status.reason) == (state, failure, old["reason"])
    assert status.repeats == old["repeats"]


def test_old_attempts_are_readable_and_new_ones_follow_them(record):
    old = {"began": 1.0, "ended": 2.0, "first_step": 0, "last_step": 7, "state": "diverged", "reason": "NaN"}
    put(record, "attempts.json", {"attempts": [old]})
    new = AttemptRecord(state=TrainingState.DONE, began=3, ended=9, first_step=7, last_step=10, host="here")
    record.add_attempt(new)
    first, second = record.attempts()
    assert (first.state, first.failure, first.last_step) == (TrainingState.FAILED, FailureKind.DIVERGED, 7)
    assert second == new
    assert [attempt["host"] for attempt in kept(record, "attempts.json")["attempts"]] == ["", "here"]


def test_a_description_of_the_first_version_is_readable_and_keeps_its_names(record):
    put(record, "training.json", DESCRIBED)
    described = record.description()
    assert (described.threads, described.cores, described.git_commit) == (None, None, "")
    assert described.cost == Cost(1, 2, 3)
    record.write_description(described)
    assert kept(record, "training.json").items() >= DESCRIBED.items()
    assert record.description() == described


def test_a_latency_comes_back_as_it_was_measured(record):
    latency = LatencyRecord(
        percentiles_ms={"p50": 1.5}, samples_ms=(1.5, 1.25), in_turn_with=("nin", "tuto"), measured=3
    )
    record.write_latency(latency)
    assert record.latency() == latency


def test_the_rounds_of_a_latency_are_medians_and_unknown_of_earlier_versions(record):
    samples = (1.0, 2.0, 9.0, 4.0, 4.0, 5.0, 7.0)  # rounds of three; the last one is not whole
    measured = LatencyRecord(percentiles_ms={"p50": 4.0}, samples_ms=samples, session="a", queries_per_round=3)
    assert measured.rounds_ms == (2.0, 4.0)
    put(record, "latency.json", {"percentiles_ms": {"p50": 4.0}, "samples_ms": samples})
    assert record.latency().rounds_ms == ()
    assert record.latency().others_busy is None


@pytest.mark.parametrize(
    ("name", "contents", "problem"),
    [
        ("status.json", '{"state": "do', "damaged"),
        ("status.json", "", "damaged"),
        ("status.json", "\x00\x00\x00", "damaged"),
        ("status.json", [1, 2], "not what this program writes"),
        ("status.json", {"State": "done"}, "state: Field required"),
        ("status.json", {"state": "paused"}, "state: Input should be 'running', 'done', 'stopped' or 'failed'"),
        ("status.json", {"state": "done", "failure": "crash"}, "state done does not go with failure crash"),
        ("training.json", {**DESCRIBED, "seed": "none"}, "seed: "),
        ("training.json", {k: v for k, v in DESCRIBED.items() if k != "key"}, "key: Field required"),
        ("attempts.json", {"attempts": [{"state": "done", "began": 1}]}, "attempts.0.ended: Field required"),
        ("attempts.json", {"trials": []}, "attempts: Field required"),
        ("latency.json", {"percentiles_ms": {"p50": "fast"}}, "percentiles_ms.p50: "),
        ("history.csv", "step,train/loss\n1,many\n", "could not convert string to float: 'many'"),
        ("history.csv", "step,train/loss\n1\n", "too many or too few values"),
        ("history.csv", "a poem\nabout rivers\n", "it has no column step"),
        ("history.csv", "step,train/loss\n,1\n", "a row without a step"),
        ("history.csv", "\x00\x00", "it has no column step"),
    ],
)
def test_a_damaged_or_foreign_file_is_an_error_that_says_which_what_and_what_to_do(record, name, contents, problem):
    put(record, name, contents)
    with pytest.raises(RecordError) as caught:
        record.check()
    message = str(caught.value)
    assert message.startswith(f"{record.directory / name} cannot be used: ")
    assert problem in message and f"move {record.directory} to another place" in message
    assert "\n" not in message and "pydantic" not in message


def test_the_error_travels_between_processes(tmp_path):
    error = RecordError(tmp_path / "status.json", "it is damaged")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.problem, str(again)) == (error.path, error.problem, str(error))


def test_a_damaged_record_can_still_be_moved_aside(record):
    put(record, "status.json", "{")
    moved = record.set_aside()
    assert record.status() is None and (moved / "status.json").read_text() == "{"
