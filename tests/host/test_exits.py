"""How processes ended: what the exit status says, and which of several explains the others."""

from __future__ import annotations

import signal

import pytest

from zoo.host.exits import ProcessExit, root_cause

KILLED, ABORTED = ProcessExit(-signal.SIGKILL), ProcessExit(-signal.SIGABRT)


@pytest.mark.parametrize(
    ("end", "number", "text"),
    [
        (ProcessExit(3), None, "its process ended with exit code 3 and without a result"),
        (ProcessExit(None), None, "its process ended with exit code None and without a result"),
        (ProcessExit(-signal.SIGSEGV), signal.SIGSEGV, "its process was ended by SIGSEGV"),
        (KILLED, signal.SIGKILL, "its process was ended by SIGKILL (the system may have been out of memory)"),
        (ProcessExit(-40), 40, "its process was ended by signal 40"),  # a real-time signal has no name
        (
            ProcessExit(-signal.SIGKILL, out_of_memory=True),
            signal.SIGKILL,
            "the kernel ended its process because memory was short (SIGKILL)",
        ),
    ],
)
def test_an_exit_status_in_words(end, number, text):
    assert (end.signal, end.text) == (number, text)
    assert end.is_kill == (number == signal.SIGKILL) and not end.is_abort


def test_an_abort_is_explained_by_whatever_else_there_is():
    assert ABORTED.is_abort and not ABORTED.is_kill
    assert root_cause([ABORTED, KILLED]) == root_cause([KILLED, ABORTED]) == KILLED
    assert root_cause([ABORTED, ProcessExit(3), KILLED]) == ProcessExit(3)  # the first that was reported
    assert root_cause([ABORTED, ABORTED]) == ABORTED
    assert root_cause([]) is None
