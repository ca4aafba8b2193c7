"""Where Python looks for modules: a signal.py in the working directory is no part of the standard library."""

import os
import sys

_STANDARD = os.path.dirname(os.__file__)


def standard_library() -> list[str]:
    """The directories of the standard library, of those where modules are looked for."""
    return [path for path in sys.path if _is_standard(path)]


def put_standard_library_first() -> None:
    """Python puts the directory of the program, or the working directory, before it."""
    sys.path.sort(key=lambda path: not _is_standard(path))  # stable: all else stays in its order


def _is_standard(path: str) -> bool:
    return path.startswith(_STANDARD) and "-packages" not in path
