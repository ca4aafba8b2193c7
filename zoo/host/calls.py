"""Functions called in a process of their own, with their answers and exceptions."""

# Not pebble's or the standard library's process pool: the latter's errors lack the exit code, neither starts again when the
# fork server is killed, and a barrier between calls (see `plan.speeds`) can be passed only to a process that starts with it.

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, ParamSpec, TypeVar

from zoo.host.directories import temporary
from zoo.host.exits import ProcessExit
from zoo.host.processes import (
    ProcessDied,
    end,
    end_with_parent,
    has_directory,
    run_with_own_directory,
    start_connected,
    starting,
)
from zoo.host.watchdog import Watchdog

_LOOK_S = 1.0  # how often a process that is waited for is looked at

P = ParamSpec("P")
T = TypeVar("T")


def call(function: Callable[..., T], *arguments: Any) -> T:
    """``function(*arguments)`` in a process of its own, which is ended if this one is interrupted or gone.

    Its exceptions are raised here. Raises ProcessDied when it ends without an answer.
    """
    return call_together(function, [arguments])[0]


def call_together(function: Callable[..., T], calls: Sequence[Sequence[Any]]) -> list[T]:
    """``function(*arguments)`` for each of ``calls``, all at the same time, each in a process of its own; see ``call``.

    The first that fails ends the others.
    """
    started: list[tuple[BaseProcess, Connection]] = []
    try:
        for arguments in calls:
            started.append(start_connected(_answer, function, tuple(arguments)))
        processes = {connection: process for process, connection in started}
        answers: dict[Connection, T] = {}
        dog = Watchdog()
        while len(answers) < len(started):
            waiting = [connection for connection in processes if connection not in answers]
            for connection in wait(waiting, _LOOK_S):
                assert isinstance(connection, Connection)
                answers[connection] = _received(processes[connection], connection)
            _check(dog, [processes[connection] for connection in waiting if connection not in answers])
        return [answers[connection] for connection in processes]
    finally:
        for process, _ in started:
            end(process)


class PreparedCall(Generic[P, T]):
    """Calls to come of ``function``, in a process of its own that can be started early, to be done with its imports.

    That process is not forked from the fork server: it has nothing of TensorFlow. It makes one call after the other, and
    does nothing in between. ``prepare()`` is what it does before the first; like ``function`` it is defined at the top of a
    module.
    """

    def __init__(self, function: Callable[P, T], prepare: Callable[[], Any]):
        self._function, self._prepare = function, prepare
        self._starting = threading.Lock()
        self._started: tuple[BaseProcess, Connection] | None = None
        self._is_prepared = False

    def start(self) -> None:
        """Start it, unless it has been started; from any thread."""
        self._start()

    def wait_until_prepared(self) -> None:
        """Wait until it does nothing any more but wait to be called; it is started if need be. Raises ProcessDied."""
        with self._ended_unless_answered() as (process, connection):
            self._receive_prepared(process, connection)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """``function(*arguments, **named)``. Its exceptions are raised here; raises ProcessDied without an answer."""
        with self._ended_unless_answered() as (process, connection):
            with contextlib.suppress(OSError):  # it is gone, which shows when its answer is read
                connection.send((arguments, named))
            self._receive_prepared(process, connection)
            succeeded, value = _wait_for_message(process, connection)
        if not succeeded:
            raise value
        answer: T = value
        return answer

    def end(self) -> None:
        """End its process, if it has been started."""
        with self._starting:
            started, self._started, self._is_prepared = self._started, None, False
        if started is not None:
            process, connection = started
            end(process)
            connection.close()

    @contextlib.contextmanager
    def _ended_unless_answered(self) -> Iterator[tuple[BaseProcess, Connection]]:
        """The process, which is ended when this block is left by an exception: another call would get this one's answer."""
        try:
            yield self._start()
        except BaseException:
            self.end()
            raise

    def _receive_prepared(self, process: BaseProcess, connection: Connection) -> None:
        if not self._is_prepared:
            _wait_for_message(process, connection)
            self._is_prepared = True

    def _start(self) -> tuple[BaseProcess, Connection]:
        with self._starting:
            if self._started is None:
                spawn = multiprocessing.get_context("spawn")
                ours, theirs = spawn.Pipe()
                directory = temporary.create()
                work = (directory, _answer_when_asked, theirs, self._function, self._prepare)
                process = spawn.Process(target=run_with_own_directory, args=work, daemon=True)
                with starting():
                    process.start()
                has_directory(process, directory)
                theirs.close()
                self._started = process, ours
            return self._started


def _wait_for_message(process: BaseProcess, connection: Connection) -> Any:
    """The next message of a process. Raises ProcessDied when it is gone, or stands still."""
    dog = Watchdog()
    while not connection.poll(_LOOK_S):
        _check(dog, [process])
    return _message(process, connection)


def _check(dog: Watchdog, processes: Sequence[BaseProcess]) -> None:
    """Raises ProcessDied where one of them stands still."""
    problem = dog.problem([process.pid for process in processes if process.pid is not None])
    if problem:
        raise ProcessDied(problem)


def _received(process: BaseProcess, connection: Connection) -> Any:
    succeeded, value = _message(process, connection)
    if not succeeded:
        raise value
    return value


def _message(process: BaseProcess, connection: Connection) -> Any:
    try:
        return connection.recv()
    except (EOFError, ConnectionError):
        process.join()
        raise ProcessDied(ProcessExit(process.exitcode).text) from None


def _answer(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _belong_to_parent()
    _send_answer(connection, function, arguments)


def _belong_to_parent() -> None:
    """Ctrl-C is the parent's to deal with, and without it there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(lambda: os._exit(1))


def _send_answer(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        answer = True, function(*arguments)
    except Exception as error:
        answer = False, error
    try:
        connection.send(answer)
    except OSError:  # the caller is gone
        return
    except Exception as error:  # an answer that cannot be pickled is sent as text
        connection.send((False, ProcessDied(f"{answer[1]!r} ({error})")))


def _answer_when_asked(connection: Connection, function: Callable[..., Any], prepare: Callable[[], Any]) -> None:
    prepare()
    _belong_to_parent()
    with contextlib.suppress(EOFError, OSError):  # it is not wanted any more
        connection.send("prepared")
        while True:
            arguments, named = connection.recv()
            _send_answer(connection, functools.partial(function, **named), arguments)
