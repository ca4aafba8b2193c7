"""Importing TensorFlow without the lines that it writes to the terminal before its log level is read."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

_SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}  # a user's own setting wins


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """``with quiet_import(): import tensorflow`` keeps standard error clean; a failed import shows what was held back.

    TensorFlow's libraries write some lines straight to file descriptor 2 before its log level is read, so the
    descriptor itself is turned to a temporary file for as long as the block lasts.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        kept = os.dup(2)
    except OSError:  # standard error is closed: nothing to keep clean
        yield
        return
    with tempfile.TemporaryFile() as output:
        _flush()
        os.dup2(output.fileno(), 2)
        try:
            yield
        except BaseException:
            _flush()
            output.seek(0)
            _write_all(kept, output.read())
            raise
        finally:
            _flush()
            os.dup2(kept, 2)
            os.close(kept)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
