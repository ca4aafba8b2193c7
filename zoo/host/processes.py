"""Where work that needs TensorFlow is done: in processes of its own, so that this one stays small and quick to start."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_SERVER_S = 120  # how long it is tried to start a process before its server is given up
_SOCKET_PLACE_LENGTH = 70  # bytes of a directory's name; that of a socket in it, with up to 35 more, has room for 107


class Died(Exception):
    """A process ended without an answer; the message says how."""


@functools.cache
def context():
    """The way to start a worker: forked from a server that has imported TensorFlow (1 s), where the system allows that."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["zoo.execution.preload"])
    return found


def prepare() -> None:
    """Have the server of workers start on its imports, which take seconds, now; returns at once.

    For a program that is going to need workers, as soon as it knows.
    """
    if context().get_start_method() == "forkserver":
        with _for_the_server():
            forkserver.ensure_running()


def start(function: Callable[..., Any], *arguments: Any):
    """A process that runs ``function(*arguments)``. Ctrl-C does not reach it: what it means is decided here."""
    process = context().Process(target=function, args=arguments, daemon=True)
    prepare()
    process.start()
    return process


def start_heard(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
    """A process that runs ``function(connection, *arguments)``, and the other end of its connection, to hear it.

    The server of workers may be killed at any moment: it is then started again, and this process too, with a connection
    of its own, because the first one may be there all the same, on its way to its end. Raises Died when that does not help.
    """
    until = time.monotonic() + _SERVER_S
    while True:
        ours, theirs = context().Pipe(duplex=False)
        try:
            return start(function, theirs, *arguments), ours
        except (EOFError, OSError) as error:
            ours.close()
            if time.monotonic() > until:
                raise Died(f"no process can be started ({error})") from None
        finally:
            theirs.close()
        time.sleep(0.1)  # a large process that was killed takes a moment to be gone


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(*arguments)`` in a process of its own, which is ended if this one is interrupted or gone.

    Its exceptions are raised here. Raises Died when it ends without an answer.
    """
    return call_together(function, [arguments])[0]


def call_together(function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
    """``function(*arguments)`` for each of ``calls``, all at the same time, each in a process of its own; see ``call``.

    The first that fails ends the others.
    """
    started = []
    try:
        for arguments in calls:
            started.append(start_heard(_answer, function, tuple(arguments)))
        answers: dict[Any, Any] = {}
        while len(answers) < len(started):
            for ours in connection.wait([ours for _, ours in started if ours not in answers]):
                process = next(process for process, its in started if its is ours)
                answers[ours] = _received(process, ours)
        return [answers[ours] for _, ours in started]
    finally:
        for process, _ in started:
            process.kill()
            process.join()


class Ahead:
    """A call to come of ``function``, in a process of its own that can be started early, to be done with its imports.

    That process is not forked from the server of workers: it has nothing of TensorFlow. ``prepare()`` is what it does
    before it is called, and lives like ``function`` at the top of a module.
    """

    def __init__(self, function: Callable[..., Any], prepare: Callable[[], Any]):
        self._function, self._prepare = function, prepare
        self._starting = threading.Lock()
        self._process: Any = None
        self._ours: Any = None

    def start(self) -> None:
        """Start it, unless it is there; from any thread."""
        with self._starting:
            if self._process is None:
                fresh = multiprocessing.get_context("spawn")
                self._ours, theirs = fresh.Pipe()
                work = (theirs, self._function, self._prepare)
                self._process = fresh.Process(target=_answer_when_asked, args=work, daemon=True)
                with _deaf_to_ctrl_c():
                    self._process.start()
                theirs.close()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """``function(*arguments, **named)``, once. Its exceptions are raised here; raises Died when it does not answer."""
        self.start()
        try:
            with contextlib.suppress(OSError):  # it is gone, which shows when it is listened to
                self._ours.send((arguments, named))
            return _received(self._process, self._ours)
        finally:
            self._process.kill()
            self._process.join()
            self._ours.close()


def _received(process: Any, ours: Any) -> Any:
    try:
        succeeded, value = ours.recv()
    except (EOFError, ConnectionError):
        process.join()
        raise Died(death(process.exitcode)) from None
    if not succeeded:
        raise value
    return value


def end_with_parent(action: Callable[[], Any]) -> None:
    """In a worker: have ``action`` called, from a thread, when the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        parent.join()
        action()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def death(exitcode: int | None, out_of_memory: bool = False) -> str:
    """Why a process that said nothing is gone. ``out_of_memory``: the kernel has ended a process for that meanwhile."""
    if exitcode is None or exitcode >= 0:
        return f"its process ended with exit code {exitcode} and no word"
    if out_of_memory:
        return f"the kernel ended its process because memory was short ({_signal_name(-exitcode)})"
    hint = " (the system may have been out of memory)" if -exitcode == signal.SIGKILL else ""
    return f"its process was ended by {_signal_name(-exitcode)}{hint}"


def cause(deaths: Sequence[str]) -> str:
    """Which of the deaths of processes that train together explains the others; "" when there was none.

    TensorFlow aborts a process whose companions are lost, and that may be heard of before the loss itself.
    """
    return next((reason for reason in deaths if signal.SIGABRT.name not in reason), deaths[0] if deaths else "")


def is_dead(pid: int) -> bool:
    """Whether a process has ended, even if whoever started it has not been told yet; False where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Path("/proc/self/stat").exists()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] in "ZX"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _answer(theirs: Any, function: Callable[..., Any], arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(lambda: os._exit(1))
    try:
        answer = True, function(*arguments)
    except Exception as error:
        answer = False, error
    try:
        theirs.send(answer)
    except OSError:  # nobody listens any more
        return
    except Exception as error:  # what cannot be pickled can still be told
        theirs.send((False, Died(f"{answer[1]!r} ({error})")))


def _answer_when_asked(theirs: Any, function: Callable[..., Any], prepare: Callable[[], Any]) -> None:
    prepare()
    try:
        arguments, named = theirs.recv()
    except EOFError:  # it is not wanted any more
        return
    _answer(theirs, functools.partial(function, **named), arguments)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """A process that is started within this block never hears Ctrl-C: a signal that is blocked stays blocked."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _for_the_server() -> Iterator[None]:
    """Within this block the server of workers can be started: so that it finds this package, and never hears Ctrl-C.

    Python does not tell it the import path of this process, and passes over a preload that fails: every worker would
    import TensorFlow anew. It ignores Ctrl-C only once its imports are done, so the signal is blocked from the first.
    """
    added = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        "PYTHONSAFEPATH": "1",  # or files in the working directory would be imported in place of modules
    }
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    temporary = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _SOCKET_PLACE_LENGTH:
        tempfile.tempdir = "/tmp"  # for the server's socket
    try:
        with _deaf_to_ctrl_c():
            yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
