"""How a process ended that sent no result: the exit status as the system has it, and in words."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


class ExitReason(Protocol):
    """Why a process is gone: an exit status, or what became of its machine."""

    @property
    def is_abort(self) -> bool: ...  # it ended itself, as TensorFlow does when a process that it trains with is lost
    @property
    def out_of_memory(self) -> bool: ...  # it was ended for want of memory, so fewer at once may do better
    @property
    def text(self) -> str: ...  # for the person


Reason = TypeVar("Reason", bound=ExitReason)


@dataclass(frozen=True)
class ProcessExit:
    """The end of a process that sent no result."""

    exit_code: int | None  # as multiprocessing has it: negative for a signal
    out_of_memory: bool = False  # meanwhile the kernel has ended a process on this machine for want of memory

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended it; None when it ended itself with an exit code."""
        return -self.exit_code if self.exit_code is not None and self.exit_code < 0 else None

    @property
    def is_abort(self) -> bool:
        """Whether it aborted."""
        return self.signal == signal.SIGABRT

    @property
    def is_kill(self) -> bool:
        """Whether it was killed: by the kernel or by somebody."""
        return self.signal == signal.SIGKILL

    @property
    def text(self) -> str:
        """The exit status in words."""
        if self.signal is None:
            return f"its process ended with exit code {self.exit_code} and without a result"
        name = _signal_name(self.signal)
        if self.out_of_memory:
            return f"the kernel ended its process because memory was short ({name})"
        hint = " (the system may have been out of memory)" if self.is_kill else ""
        return f"its process was ended by {name}{hint}"


def root_cause(reasons: Sequence[Reason]) -> Reason | None:
    """Of the reasons why processes that train together ended, in the order of arrival, the one that explains the others.

    TensorFlow aborts a process whose companions are lost, and that may be reported before the loss itself.
    """
    return next((reason for reason in reasons if not reason.is_abort), reasons[0] if reasons else None)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
