"""Where messages for the person who waits are shown: what the package logs at level INFO and above."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any


class _Shown(logging.Handler):
    """Passes each message to a function, whose errors (a closed pipe) reach the caller, unlike those of other handlers."""

    def __init__(self, show: Callable[[str], Any]):
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(self.format(record))


@contextlib.contextmanager
def shown_by(show: Callable[[str], Any]) -> Iterator[None]:
    """Within this block ``show`` is called with each message, and nothing else shows it."""
    logger = logging.getLogger("zoo")
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:] = [_Shown(show)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.handlers[:], logger.level, logger.propagate = before


def to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
