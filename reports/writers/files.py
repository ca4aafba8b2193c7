"""Files of a report: each is written whole or not at all. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from reports.errors import ReportError


def check_folder(folder: Path) -> None:
    """Nothing is made yet.

    Raises:
        ReportError: there is no such folder, and none can be made.
    """
    for each in (folder, *folder.parents):
        with _writing_in(folder):
            if each.is_dir():
                break
            if each.exists():
                raise NotADirectoryError(20, "there is a file of that name", str(each))


def save(contents: Mapping[str, bytes], folder: Path, stale: Collection[str] = ()) -> tuple[Path, ...]:
    """Put the files into the folder, each whole or not at all; of ``stale`` files, those not written now are removed."""
    with _writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _replace(folder / name, content)
        for name in stale:
            if name not in contents:
                (folder / name).unlink(missing_ok=True)
    return tuple(folder / name for name in contents)


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file beside it, then rename: a full disk or Ctrl-C leaves what was there.

    Unlike ``zoo.storage`` it waits for no disk: a report can be written again.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):  # name the file that the person knows
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def _writing_in(folder: Path) -> Iterator[None]:
    """Turns a failure to write below ``folder`` into a message that names the file and the way out."""
    try:
        yield
    except OSError as error:
        path, reason = error.filename or folder, error.strerror or error
        raise ReportError(f"cannot write {path}: {reason}; choose another folder with --out") from error
