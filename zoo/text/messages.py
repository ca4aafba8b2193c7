"""Shows what this package logs (INFO and above) to the person at the terminal, as plain text."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator

from zoo.text.characters import visible


class _Display(logging.Handler):
    """Passes each message to a function, whose errors (a closed pipe) reach the caller, unlike those of other handlers."""

    def __init__(self, show: Callable[[str], object]):
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(self.format(record))


@contextlib.contextmanager
def shown_by(show: Callable[[str], object]) -> Iterator[None]:
    """Within this block ``show`` is called with each message, and nothing else shows it."""
    logger = logging.getLogger("zoo")
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:] = [_Display(show)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.handlers[:], logger.level, logger.propagate = before


def to_stderr(text: str) -> None:
    """Print a line on the stderr of this moment, which a progress display may have replaced."""
    print(visible(text), file=sys.stderr, flush=True)
