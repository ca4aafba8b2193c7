"""What is shown of a worker's log."""

from __future__ import annotations

import subprocess
import sys

from zoo.storage import log
from zoo.storage.record import Record

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


def test_a_dumped_stack_is_shown_by_its_last_calls(tmp_path):
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


def test_a_fatal_error_is_shown_with_the_thread_that_made_it(tmp_path):
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


def test_only_the_end_of_a_long_log_is_shown_and_none_of_an_absent_one(tmp_path):
    path = tmp_path / "worker.log"
    assert (log.size(path), log.last_output(path)) == (0, "")
    path.write_text("".join(f"line {number}\n\n" for number in range(1000)))
    assert log.last_output(path).splitlines() == [f"line {number}" for number in range(980, 1000)]
    assert log.last_output(path, since=log.size(path)) == ""
