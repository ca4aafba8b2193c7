"""Starting processes for TensorFlow's work, whose server may be killed at any moment."""

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

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there are workers forked from a server")


def answer(connection, number: int) -> None:
    connection.send(number)


def server() -> int:
    return forkserver._forkserver._forkserver_pid


def test_a_process_is_started_although_its_server_is_killed_meanwhile():
    assert calls.call(int, "1") == 1  # the server is there
    before = server()
    os.kill(before, signal.SIGSTOP)  # it takes the request, and does not answer
    started = []
    asking = threading.Thread(target=lambda: started.append(processes.start_connected(answer, 7)))
    asking.start()
    os.kill(before, signal.SIGKILL)
    asking.join()
    process, connection = started[0]
    assert connection.recv() == 7 and server() != before
    process.join()


def test_a_temporary_directory_with_a_long_name(tmp_path):
    """The server's socket lies in one, and its name has room for 107 bytes."""
    directory = tmp_path / ("x" * 100)
    directory.mkdir()
    code = "import os; from zoo.host import calls; print(calls.call(os.getppid))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and int(done.stdout) > 0, done.stderr


def test_a_process_that_nobody_has_waited_for_is_known_to_be_dead():
    process = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE)
    assert not watchdog.is_dead(process.pid)
    process.kill()
    process.stdout.read()  # until it has let go of all
    deadline = time.monotonic() + 30
    while not watchdog.is_dead(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watchdog.is_dead(process.pid)
    process.wait()
    assert watchdog.is_dead(process.pid)


def loaded(names: list[str]) -> list[str]:
    return [name for name in names if name in sys.modules]


def test_a_worker_begins_with_its_imports_done():
    """Python passes over a preload that fails; each worker would then import TensorFlow anew."""
    needed = ["tensorflow", "tf_keras", "zoo.measure.cost", "zoo.measure.latency", "zoo.training.trainer"]
    assert calls.call(loaded, needed) == needed
