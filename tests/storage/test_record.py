"""What a training leaves on disk is whole or not there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from zoo.storage.atomic import write_atomically
from zoo.storage.record import Record
from zoo.storage.states import TrainingState


def test_a_write_that_fails_leaves_the_old_contents_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, lambda file: file.write(b"old"))

    def torn(file):
        file.write(b"ne")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_atomically(path, torn)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


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
    write_atomically(record.results_file(10), lambda file: file.write(b""))
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
    (record.checkpoints / ".unfinished-x").mkdir()
    assert record.latest_checkpoint(at_most=5_000).name == "step_00003000"
    assert record.latest_checkpoint(at_most=10**6).name == "step_00020000"
    assert record.latest_checkpoint(at_most=99) is None


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path):
    record = Record(tmp_path)
    program = (
        "import os, sys; from zoo.storage.record import Record; from pathlib import Path; "
        "from zoo.storage.records import Status; "
        "record = Record(Path(sys.argv[1])); record.write_status(Status(state='done')); "
        "os.fsync = lambda file: os.kill(os.getpid(), 9); record.write_status(Status(state='running'))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".status.json.*")
    mine = tmp_path / f".history.csv.{socket.gethostname()}-{os.getpid()}-1"
    elsewhere = tmp_path / ".history.csv.another-host-1-1"
    for path in (mine, elsewhere, tmp_path / ".lock"):
        path.touch()
    record.remove_unfinished()
    assert not left.exists() and record.status().state is TrainingState.DONE
    assert mine.exists() and elsewhere.exists() and (tmp_path / ".lock").exists()


HANGS = """
import faulthandler, sys, threading

def deeper(calls):
    if calls:
        return deeper(calls - 1)
    inside.set()
    leave.wait()

inside, leave = threading.Event(), threading.Event()
threading.Thread(target=deeper, args=(9,)).start()
inside.wait()
with open(sys.argv[1], "a") as log:
    faulthandler.dump_traceback(log)
leave.set()
"""


def test_a_dumped_stack_is_told_by_its_last_calls(tmp_path):
    record = Record(tmp_path)
    record.log.write_text("what an earlier attempt said\n")
    before = record.log_size()
    subprocess.run([sys.executable, "-c", HANGS, record.log], check=True)  # in a process with no threads but its own
    asked, hanging = record.last_output(before).split("\nThread ")
    assert (
        asked.startswith("Current thread") and "most recent call last" in asked and "most recent call last" in hanging
    )
    calls = [line.rsplit(" in ", 1)[1] for line in hanging.splitlines()[1:]]
    assert len(calls) == 5 and calls[0] == "deeper" and calls[-1] == "wait"


def test_a_fatal_error_is_told_with_the_thread_that_made_it(tmp_path):
    record = Record(tmp_path)
    dump = """Fatal Python error: Segmentation fault

Thread 0x1 (most recent call first):
  File "/x/zoo/host/processes.py", line 3 in watch
  File "/x/threading.py", line 2 in run

Current thread 0x2 (most recent call first):
  File "/x/own.py", line 9 in inner
  File "/x/own.py", line 5 in outer

Thread 0x3 (most recent call first):
  File "/x/other.py", line 7 in waits

Extension modules: numpy, yaml (total: 2)
"""
    record.log.write_text(dump)
    assert record.last_output().splitlines() == [
        "Fatal Python error: Segmentation fault",
        "Thread 0x3 (most recent call last):",
        '  File "/x/other.py", line 7 in waits',
        "Current thread 0x2 (most recent call last):",
        '  File "/x/own.py", line 5 in outer',
        '  File "/x/own.py", line 9 in inner',
    ]
