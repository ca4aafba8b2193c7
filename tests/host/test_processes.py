"""Processes that do TensorFlow's work: their server may be lost, and so may whoever listens to them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from zoo.host import processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there are workers forked from a server")


def answer(connection, number: int) -> None:
    connection.send(number)


def server() -> int:
    return forkserver._forkserver._forkserver_pid


def test_a_process_is_started_although_its_server_is_killed_meanwhile():
    assert processes.call(int, "1") == 1  # the server is there
    before = server()
    os.kill(before, signal.SIGSTOP)  # it takes the request, and does not answer
    heard = []
    asking = threading.Thread(target=lambda: heard.append(processes.start_heard(answer, 7)))
    asking.start()
    os.kill(before, signal.SIGKILL)
    asking.join()
    process, connection = heard[0]
    assert connection.recv() == 7 and server() != before
    process.join()


def test_a_process_whose_server_is_killed_still_answers():
    heard = []
    asking = threading.Thread(target=lambda: heard.append(processes.call(sorted, range(1000, 0, -1))))
    assert processes.call(int, "1") == 1
    asking.start()
    os.kill(server(), signal.SIGKILL)
    asking.join()
    assert heard[0][0] == 1


def test_how_a_process_died_is_told_by_name():
    with pytest.raises(processes.Died, match=r"^its process was ended by SIGSEGV$"):
        processes.call(_end_by, signal.SIGSEGV)
    with pytest.raises(processes.Died, match=r"^its process was ended by SIGKILL \(the system may have been out of"):
        processes.call(_end_by, signal.SIGKILL)
    with pytest.raises(processes.Died, match=r"^its process ended with exit code 3 and no word$"):
        processes.call(os._exit, 3)
    with pytest.raises(ZeroDivisionError):
        processes.call(divmod, 1, 0)


def test_a_call_ahead_is_made_in_a_process_without_tensorflow():
    ahead = processes.Ahead(_tensorflow_is_there, dict)
    ahead.start()
    ahead.start()
    assert ahead(5, named=6) == (5, 6, False, False)


def test_a_call_ahead_that_fails():
    with pytest.raises(ValueError, match="invalid literal"):
        processes.Ahead(int, dict)("x")
    with pytest.raises(processes.Died, match=r"^its process ended with exit code 3 and no word$"):
        processes.Ahead(os._exit, dict)(3)


def test_a_call_ahead_whose_process_was_killed_while_it_waited():
    ahead = processes.Ahead(int, dict)
    ahead.start()
    os.kill(ahead._process.pid, signal.SIGKILL)
    ahead._process.join()
    with pytest.raises(processes.Died, match="SIGKILL"):
        ahead("1")


def test_ctrl_c_does_not_reach_a_call_ahead():
    ahead = processes.Ahead(int, dict)
    ahead.start()
    os.kill(ahead._process.pid, signal.SIGINT)
    assert ahead("1") == 1


def test_a_temporary_directory_with_a_long_name(tmp_path):
    """The server's socket lies in one, and its name has room for 107 bytes."""
    place = tmp_path / ("x" * 100)
    place.mkdir()
    code = "import os; from zoo.host import processes; print(processes.call(os.getppid))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and int(done.stdout) > 0, done.stderr


def _end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def test_a_process_that_nobody_has_waited_for_is_known_to_be_dead():
    process = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE)
    assert not processes.is_dead(process.pid)
    process.kill()
    process.stdout.read()  # until it has let go of all
    deadline = time.monotonic() + 30
    while not processes.is_dead(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.is_dead(process.pid)
    process.wait()
    assert processes.is_dead(process.pid)


def _tensorflow_is_there(number: int, named: int) -> tuple[int, int, bool, bool]:
    return number, named, "tensorflow" in sys.modules, multiprocessing.parent_process() is None
