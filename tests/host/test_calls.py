"""Calls in processes of their own: their answers, their exceptions, and what is raised when the process dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

import pytest

from zoo.host import calls
from zoo.host.calls import PreparedCall
from zoo.host.processes import ProcessDied

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there are workers forked from a server")


def test_a_process_whose_server_is_killed_still_answers():
    answers = []
    asking = threading.Thread(target=lambda: answers.append(calls.call(sorted, range(1000, 0, -1))))
    assert calls.call(int, "1") == 1
    asking.start()
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    asking.join()
    assert answers[0][0] == 1


def test_how_a_process_died_is_in_the_message():
    with pytest.raises(ProcessDied, match=r"^its process was ended by SIGSEGV$"):
        calls.call(_end_by, signal.SIGSEGV)
    with pytest.raises(ProcessDied, match=r"^its process was ended by SIGKILL \(the system may have been out of"):
        calls.call(_end_by, signal.SIGKILL)
    with pytest.raises(ProcessDied, match=r"^its process ended with exit code 3 and without a result$"):
        calls.call(os._exit, 3)
    with pytest.raises(ZeroDivisionError):
        calls.call(divmod, 1, 0)


def test_a_prepared_call_is_made_in_a_process_without_tensorflow():
    prepared = PreparedCall(_tensorflow_is_there, dict)
    prepared.start()
    prepared.start()
    assert prepared(5, named=6) == (5, 6, False, False)


def test_a_prepared_process_answers_one_call_after_the_other_also_after_one_that_failed():
    prepared = PreparedCall(_number_and_process, dict)
    prepared.wait_until_prepared()
    (first, process), (second, same) = prepared("1"), prepared("2")
    assert (first, second) == (1, 2) and process == same != os.getpid()
    with pytest.raises(ValueError, match="invalid literal"):
        prepared("x")
    assert prepared("3") == (3, process)
    prepared.end()
    assert prepared("4")[1] != process
    prepared.end()


def test_a_prepared_process_that_died_is_started_anew_for_the_next_call():
    prepared = PreparedCall(_end_by_or_number, dict)
    with pytest.raises(ProcessDied, match="SIGKILL"):
        prepared(signal.SIGKILL)
    assert prepared(0) == 0
    prepared.end()


def test_a_prepared_call_that_fails():
    with pytest.raises(ValueError, match="invalid literal"):
        PreparedCall(int, dict)("x")
    with pytest.raises(ProcessDied, match=r"^its process ended with exit code 3 and without a result$"):
        PreparedCall(os._exit, dict)(3)


def test_a_prepared_call_whose_process_was_killed_while_it_waited():
    prepared, process = started()
    process.kill()
    process.join()
    with pytest.raises(ProcessDied, match="SIGKILL"):
        prepared("1")


def test_ctrl_c_does_not_reach_a_prepared_call():
    prepared, process = started()
    os.kill(process.pid, signal.SIGINT)
    assert prepared("1") == 1


def started() -> tuple[PreparedCall, BaseProcess]:
    """A prepared call, and its process."""
    before = {*multiprocessing.active_children()}
    prepared = PreparedCall(int, dict)
    prepared.start()
    (process,) = {*multiprocessing.active_children()} - before
    return prepared, process


def _end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def _end_by_or_number(number: int) -> int:
    if number:
        _end_by(number)
    return number


def _number_and_process(text: str) -> tuple[int, int]:
    return int(text), os.getpid()


def _tensorflow_is_there(number: int, named: int) -> tuple[int, int, bool, bool]:
    return number, named, "tensorflow" in sys.modules, multiprocessing.parent_process() is None
