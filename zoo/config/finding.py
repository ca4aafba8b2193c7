"""A question by its name: which files there are, and what each asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.config.errors import Problem, QuestionError
from zoo.config.reader import read
from zoo.text.suggestions import did_you_mean

_SUFFIXES = (".yaml", ".yml")
_SHIPPED = Path(__file__).resolve().parents[2] / "experiments"


def find(given: str) -> Path:
    """The file of a question, from its path or its name: ``quickstart`` is ``experiments/quickstart.yaml``.

    Raises QuestionError for a name that none has, or several.
    """
    path = Path(given)
    if path.suffix in _SUFFIXES or len(path.parts) != 1 or path.exists():
        return path
    named = [file for file in questions() if file.stem == given]
    if len(named) == 1:
        return named[0]
    if named:
        raise _refusal(given, f"several questions have this name: {', '.join(map(str, named))}; give the path of one")
    names = sorted({file.stem for file in questions()})
    there = f"; there are: {', '.join(names)}" if names else "; give the path of a YAML file"
    raise _refusal(given, f"no question has this name{did_you_mean(given, names)}{there}")


def questions() -> list[Path]:
    """Those in ``experiments/`` and in the working directory; where there are none, those that come with this program."""
    found = [*_in(Path("experiments")), *_in(Path())]
    return found or _in(_SHIPPED)


def listing(files: Sequence[Path]) -> str:
    """A line for each: its name, and what it asks."""
    width = max((len(file.stem) for file in files), default=0)
    return "\n".join(f"  {file.stem:<{width}}  {_asked(file)}" for file in files)


def _in(directory: Path) -> list[Path]:
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    except OSError:
        return []
    return [file for file in files if not file.name.startswith(".")]


def _asked(file: Path) -> str:
    try:
        asked = read(file).data.get("question")
    except QuestionError as error:
        return f"cannot be read: {error.problems[0].message}"
    return " ".join(asked.split()) if isinstance(asked, str) else "no question: is this another kind of file?"


def _refusal(given: str, message: str) -> QuestionError:
    return QuestionError([Problem(given, None, None, message)])
