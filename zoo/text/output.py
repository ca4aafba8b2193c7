"""Standard output and errors that can be written to whatever they are: a full disk, closed, or a terminal of ASCII."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

_OUTPUT, _ERRORS = 1, 2  # file descriptors


class _Stream(io.TextIOWrapper):
    """Text that cannot be written is lost, and the other stream says so once.

    Not for a reader that is gone (``| head``): that is for the program to decide, and raises BrokenPipeError.
    """

    is_lost = False

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.is_lost = True
        number = self.fileno()
        _to_nowhere(number)  # what is left in the buffer, too: it would be tried again and again
        name, other = ("output", sys.stderr) if number == _OUTPUT else ("error", sys.stdout)
        print(f"standard {name} cannot be written ({error.strerror}): what follows is not shown there", file=other)
        other.flush()


def make_writable() -> None:
    """Have every ``print`` of this program go on, whatever its standard output is. Once, at its start."""
    for number in (0, _OUTPUT, _ERRORS):
        try:
            os.fstat(number)
        except OSError:  # it is closed, and the next file to be opened would take its place
            _to_nowhere(number)
    sys.stdout = _stream(sys.stdout, _OUTPUT)
    sys.stderr = _stream(sys.stderr, _ERRORS)


def run(main: Callable[[], int]) -> int:
    """A whole program: the exit code of ``main``, 1 where its output was lost or nobody reads it, 130 after Ctrl-C."""
    make_writable()
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # ``| head``
        _to_nowhere(_OUTPUT)  # or the interpreter prints an error when it exits
        return 1
    except KeyboardInterrupt:
        return 130
    return code or int(is_lost())


def is_lost() -> bool:
    """Whether something that was to be seen on standard output could not be written."""
    sys.stdout.flush()
    return getattr(sys.stdout, "is_lost", False)


def _stream(stream: TextIO | None, number: int) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.flush()
    binary = open(number, "wb", closefd=False)  # noqa: SIM115  it is there to the end
    is_terminal = os.isatty(number)
    return _Stream(binary, encoding, errors="backslashreplace", line_buffering=is_terminal or number == _ERRORS)


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
