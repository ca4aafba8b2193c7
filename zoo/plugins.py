"""Files of the user's own, which register models, data sets and the like. May import zoo.host."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType

from zoo.host.quiet_import import quiet_import


class PluginError(Exception):
    """A user's file that cannot be executed; the message is ``file:line: reason``."""

    def __init__(self, path: Path, line: int, reason: str):
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


_IMPORTS_TENSORFLOW = re.compile(r"^(import|from)\s+(tensorflow|tf_keras)\b", re.MULTILINE)

_loaded: dict[Path, ModuleType] = {}


def load_file(path: str | Path) -> ModuleType:
    """Executes a user's Python file, once in this process however often it is asked for, and returns it as a module.

    The file stands alone: its directory is not put on the import path, because the identity of a run covers this file
    and not what it might import beside it. Raises PluginError when it cannot be read or does not run to its end.
    """
    path = Path(path)
    resolved = path.resolve()
    if resolved not in _loaded:
        _loaded[resolved] = _execute(path, resolved)
    return _loaded[resolved]


def _execute(path: Path, resolved: Path) -> ModuleType:
    if not resolved.is_file():
        reason = "is a directory, not a Python file" if resolved.is_dir() else "there is no such file"
        raise PluginError(path, 1, reason)
    name = f"zoo_plugin_{resolved.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:12]}"
    loader = importlib.machinery.SourceFileLoader(name, str(resolved))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where inspect and pickle look for what the file defines
    try:
        if _IMPORTS_TENSORFLOW.search(resolved.read_text(encoding="utf-8", errors="replace")):
            with quiet_import():
                import tf_keras  # noqa: F401
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise PluginError(path, _line(error, resolved), _reason(error)) from error
    return module


def _line(error: BaseException, resolved: Path) -> int:
    """The last line of the file that was being executed, or that does not parse."""
    if isinstance(error, SyntaxError) and error.filename == str(resolved):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(resolved) and frame.lineno), 1)


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"it does not parse: {error.msg}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}" + (f": {error.filename}" if error.filename else "")
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
