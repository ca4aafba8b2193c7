"""A user's Python file and the modules beside it: executed once, and known by their checksums."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, ModuleType

from zoo.host.quiet_import import quiet_import


class PluginError(Exception):
    """A user's file that cannot be executed; the message is ``file:line: reason``."""

    def __init__(self, path: Path, line: int, reason: str):
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class SourceChanged(Exception):
    """What a question's models are made with is no longer what it was planned with."""


_IMPORTS_TENSORFLOW = re.compile(r"^(import|from)\s+(tensorflow|tf_keras)\b", re.MULTILINE)
_PACKAGE = Path(__file__).resolve().parents[1]

_loaded: dict[Path, ModuleType] = {}
_sha256s: dict[Path, dict[Path, str]] = {}  # a user's file -> sha256 of itself and of the modules beside it, by file
_beside: dict[str, Path] = {}  # name of a module -> its file, or the folder of its package
_loading: list[Path] = []  # the files that are being executed, the innermost last


def load_file(path: str | Path) -> ModuleType:
    """Executes a user's Python file, once in this process however often it is asked for, and returns it as a module.

    It can import modules and packages that stand beside it, which count as a part of it (``sha256s``): what an import
    statement anywhere in it names, and what those import in turn. All of them are as they were when the file was loaded;
    one that has been edited since is refused. Raises PluginError when the file cannot be read or does not run to its end.
    """
    path = Path(path)
    resolved = path.resolve()
    if resolved not in _loaded:
        _loaded[resolved] = _execute(path, resolved)
    return _loaded[resolved]


def loading() -> Path | None:
    """The user's file that is being executed, None outside ``load_file``."""
    return _loading[-1] if _loading else None


def sha256s(path: Path) -> Mapping[Path, str]:
    """The sha256 of a user's file and of each module beside it that it imports, by file: of what was executed."""
    return _sha256s.get(path) or {path: _sha256(path.read_bytes())}


def combined_sha256(path: Path, sha256s: Mapping[Path, str]) -> str:
    """One checksum for a user's file and what belongs to it; that of the file itself where it stands alone."""
    if set(sha256s) == {path}:
        return sha256s[path]
    named = {Path(os.path.relpath(file, path.parent)).as_posix(): sha256 for file, sha256 in sha256s.items()}
    return _sha256("".join(f"{sha256} {name}\n" for name, sha256 in sorted(named.items())).encode())


def content_sha256(path: Path) -> str:
    """One checksum for a user's file and the modules beside it that it imports, as they are now. Raises OSError."""
    return combined_sha256(path, {file: _sha256(source) for file, source in _sources(path).items()})


def file_sha256s(paths: Iterable[Path]) -> dict[Path, str]:
    """The sha256 of each file. Raises OSError."""
    return {path: _sha256(path.read_bytes()) for path in paths}


def _execute(path: Path, resolved: Path) -> ModuleType:
    if not resolved.is_file():
        reason = "is a directory, not a Python file" if resolved.is_dir() else "there is no such file"
        raise PluginError(path, 1, reason)
    name = f"zoo_plugin_{resolved.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:12]}"
    sources = _sources(resolved)
    _sha256s[resolved] = {file: _sha256(source) for file, source in sources.items()}
    beside = _importable_beside(path, resolved, sources)
    loader = _Loader(name, str(resolved))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where inspect and pickle look for what the file defines
    try:
        if any(_IMPORTS_TENSORFLOW.search(_text(source)) for source in sources.values()):
            with quiet_import():
                import tf_keras  # noqa: F401
        with _being_loaded(resolved, beside):
            loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name], _sha256s[resolved]
        raise PluginError(path, _line(error, resolved), _reason(error, resolved)) from error
    return module


@contextlib.contextmanager
def _being_loaded(resolved: Path, beside: Mapping[str, Path]) -> Iterator[None]:
    """Within this block, and after it unless it fails, the modules beside a file can be imported."""
    if not any(isinstance(finder, _BesideFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _BesideFinder())
    new = {name: file for name, file in beside.items() if name not in _beside}
    _beside.update(new)
    _loading.append(resolved)
    try:
        yield
    except BaseException:
        for name in new:
            del _beside[name]
        for name in [name for name in sys.modules if name.partition(".")[0] in new]:
            del sys.modules[name]
        raise
    finally:
        _loading.pop()


def _sources(file: Path) -> dict[Path, bytes]:
    """A file and the modules beside it that it imports, directly or through others: file -> content, itself first."""
    directory, sources, waiting = file.parent, dict[Path, bytes](), [file]
    while waiting:
        source = waiting.pop(0)
        if source in sources:
            continue
        sources[source] = source.read_bytes()
        for name in _imported_names(sources[source]):
            module = _module_beside(directory, name)
            if module is not None:
                waiting += sorted(module.rglob("*.py")) if module.is_dir() else [module]
    return sources


def _imported_names(source: bytes) -> list[str]:
    """The top-level modules that import statements name, those inside functions too."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # said when it is executed
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return list(dict.fromkeys(name.partition(".")[0] for name in names))


def _module_beside(directory: Path, name: str) -> Path | None:
    """The file of a module, or the folder of a package, that stands in a directory; never one of Python or of ours."""
    if name in sys.stdlib_module_names or directory / name == _PACKAGE:
        return None
    package, module = directory / name, directory / f"{name}.py"
    if (package / "__init__.py").is_file():
        return package
    return module if module.is_file() else None


def _importable_beside(path: Path, resolved: Path, sources: Mapping[Path, bytes]) -> dict[str, Path]:
    """Name -> module beside a file. Raises PluginError for a name that means another module in this process."""
    beside: dict[str, Path] = {}
    for name in dict.fromkeys(name for source in sources.values() for name in _imported_names(source)):
        module = _module_beside(resolved.parent, name)
        if module is None:
            continue
        other = _beside.get(name) or _installed(name)
        if other is not None and other != module:
            raise PluginError(path, 1, f"it imports {name}, which is {module} and also {other}; rename one of them")
        beside[name] = module
    return beside


def _installed(name: str) -> Path | None:
    """The file of a module that can be imported anyway, or the folder of a package."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent if spec.submodule_search_locations is not None else origin


class _BesideFinder(importlib.abc.MetaPathFinder):
    """Finds the modules that stand beside the users' files."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        top, *below = fullname.split(".")
        if top not in _beside:
            return None
        file = _beside[top].joinpath(*below) if below or _beside[top].is_dir() else _beside[top]
        if (file / "__init__.py").is_file():
            search, file = [str(file)], file / "__init__.py"
        else:
            search, file = None, file.with_suffix(".py")
        if not file.is_file():
            return None
        loader = _Loader(fullname, str(file))
        return importlib.util.spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=search)


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the file as it is: Python takes compiled code for current after an edit within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        file = Path(self.path)
        source = file.read_bytes()
        noted = {sha256s[file] for sha256s in _sha256s.values() if file in sha256s}
        if noted and _sha256(source) not in noted:
            raise SourceChanged(f"{file} has been edited since it was first read")
        code: CodeType = self.source_to_code(source, self.path)
        return code


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _text(source: bytes) -> str:
    return source.decode("utf-8", errors="replace")


def _line(error: BaseException, resolved: Path) -> int:
    """The last line of the file that was being executed, or that does not parse."""
    if isinstance(error, SyntaxError) and error.filename == str(resolved):
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(resolved) and frame.lineno), 1)


def _reason(error: BaseException, resolved: Path) -> str:
    if isinstance(error, SyntaxError):
        file = "it" if error.filename in (None, str(resolved)) else f"{error.filename}:{error.lineno or 1}"
        return f"{file} does not parse: {error.msg}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}" + (f": {error.filename}" if error.filename else "")
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
