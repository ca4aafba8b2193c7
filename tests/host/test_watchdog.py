"""A process that stands still is not waited for without end, and two Ctrl-C are heard whatever stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from zoo.host import calls, processes, watchdog
from zoo.host.calls import PreparedCall
from zoo.host.processes import ProcessDied

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there the system says so")
ROOT = Path(__file__).resolve().parents[2]


def stop_oneself(and_the_server: bool = False) -> None:
    if and_the_server:
        os.kill(os.getppid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(watchdog, "STOPPED_S", 2.0)


def test_a_stopped_process_is_not_waited_for_without_end(short):
    with pytest.raises(ProcessDied, match="was stopped"):
        calls.call(stop_oneself)


def test_a_stopped_process_of_a_stopped_server(short):
    calls.call(int, "1")
    before = forkserver._forkserver._forkserver_pid
    with pytest.raises(ProcessDied):
        calls.call(stop_oneself, True)
    assert calls.call(int, "1") == 1 and forkserver._forkserver._forkserver_pid != before


def test_a_stopped_report(short):
    with pytest.raises(ProcessDied, match="was stopped"):
        PreparedCall(stop_oneself, dict)()


def test_a_stopped_server_is_replaced(short):
    calls.call(int, "1")
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGSTOP)
    assert calls.call(int, "1") == 1


def test_a_process_that_does_nothing_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(watchdog, "IDLE_S", 2.0)
    with pytest.raises(ProcessDied, match="did nothing"):
        calls.call(time.sleep, 600)
    assert calls.call(compute, 4.0) == "computed"


def compute(seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return "computed"


def test_the_end_of_a_killed_process_is_not_waited_for_when_its_server_is_stopped():
    process, connection = processes.start_connected(sleep)
    assert connection.recv() == "here"
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGSTOP)
    began = time.monotonic()
    processes.end(process)
    assert time.monotonic() - began < 5 and not process.is_alive()


def sleep(connection) -> None:
    connection.send("here")
    time.sleep(600)


PROGRAM = """
import os, signal, sys
from zoo.host import calls, processes
def stop(connection):
    connection.send("here")
    os.kill(os.getppid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
if __name__ == "__main__":
    process, connection = processes.start_connected(stop)
    try:
        print(connection.recv(), flush=True)
        process.join()
    except KeyboardInterrupt:
        processes.end_all()
        sys.exit(130)
"""


def test_a_program_ends_although_its_processes_are_stopped(tmp_path):
    """At its end Python waits for them, and asks them to end with a signal that a stopped one does not see."""
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout.readline() == "here\n"
        killer = threading.Timer(60, program.kill)
        killer.start()
        program.send_signal(signal.SIGINT)
        assert program.wait() == 130
        killer.cancel()
