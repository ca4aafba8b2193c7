"""MLflow logs errors with their tracebacks to the terminal; here they go into a file, as the person gets an explanation."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

_LOGGERS = ("mlflow", "sqlalchemy.engine", "alembic")  # that MLflow sets up for the terminal when it is imported


class _File(logging.FileHandler):
    """Made with its first message. One that cannot be written is lost: the disk that is full may be this file's own."""

    def __init__(self, path: Path):
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # in opening it
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what is left in its buffer
            super().close()


def keep_in(path: Path) -> None:
    """From now on what MLflow logs in this process goes into this file."""
    import mlflow  # noqa: F401  which sets its loggers up

    handler = _File(path)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        for earlier in logger.handlers:
            if isinstance(earlier, _File):
                earlier.close()
        logger.handlers = [handler]
