"""The parts of a question beside its variants: question, margin, seeds, imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.nearest import did_you_mean
from zoo.spec.positions import Document, shown

KEYS = ("question", "base", "factors", "design", "variants", "baseline", "seeds", "margin", "imports")
DEFAULT_MARGIN = 0.5  # points of test accuracy
DEFAULT_SEEDS = 3
MAX_RUNS = 10_000
MAX_SEED = 2**31 - 1


def check_keys(document: Document) -> None:
    """Report the keys of the top level that no question has."""
    from zoo.spec.config import groups, leaves

    for key in document.data:
        if key in KEYS:
            continue
        if key in leaves() or key in groups():
            document.report((key,), f"{key!r} belongs under base: (or under factors:, as a list of levels)", key=True)
        else:
            document.report(
                (key,), f"unknown key {key!r}{did_you_mean(key, KEYS)}; allowed: {', '.join(KEYS)}", key=True
            )


def question(document: Document) -> str:
    """The question itself, one line."""
    text = document.data.get("question")
    if "question" not in document.data:
        document.report((), "no question is given; add question: and, in a sentence, what you want to know", key=True)
    elif not isinstance(text, str) or not text.strip():
        document.report(("question",), f"question must be a sentence, not {shown(text)}")
    return " ".join(text.split()) if isinstance(text, str) else ""


def margin(document: Document) -> float:
    """The difference in points of test accuracy that does not matter."""
    value = document.data.get("margin", DEFAULT_MARGIN)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
        document.report(
            ("margin",), f"margin must be a number of points of test accuracy above 0, at most 100, not {shown(value)}"
        )
        return DEFAULT_MARGIN
    return float(value)


def seeds(document: Document) -> tuple[int, ...]:
    """The seeds: N means 0 to N-1."""
    value = document.data.get("seeds", DEFAULT_SEEDS)
    if _whole(value):
        if 1 <= value <= MAX_RUNS:
            return tuple(range(value))
        document.report(("seeds",), f"seeds must be 1 to {MAX_RUNS:,} repetitions, not {shown(value)}")
    elif isinstance(value, list):
        return _seed_list(document, value)
    else:
        document.report(
            ("seeds",), f"seeds must be a number of repetitions (3) or a list of seeds ([0, 1, 2]), not {shown(value)}"
        )
    return (0,)


def _seed_list(document: Document, listed: list[Any]) -> tuple[int, ...]:
    if not listed:
        document.report(("seeds",), "seeds is an empty list; give at least one, e.g. [0]")
    elif len(listed) > MAX_RUNS:
        document.report(
            ("seeds",), f"{len(listed):,} seeds are more than the {MAX_RUNS:,} runs that a question may have"
        )
    seen: list[int] = []
    for i, seed in enumerate(listed[:MAX_RUNS]):
        if not _whole(seed) or not 0 <= seed <= MAX_SEED:
            document.report(("seeds", i), f"a seed must be a whole number from 0 to {MAX_SEED:,}, not {shown(seed)}")
        elif seed in seen:
            document.report(("seeds", i), f"the seed {seed} is given twice")
        else:
            seen.append(seed)
    return tuple(seen) or (0,)


def imports(document: Document) -> list[Path]:
    """The user's own files, each loaded so that it registers its models and data sets."""
    value = document.data.get("imports")
    if value is None:
        return []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        document.report(("imports",), f"imports must be a list of Python files, not {shown(value)}")
        listed = []
        document.registry_complete = False
    found = []
    for i, name in enumerate(listed):
        path = ("imports",) if isinstance(value, str) else ("imports", i)
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            document.report(path, f"an import must be the path of a Python file, not {shown(name)}")
            continue
        file = Path(document.file).parent / Path(name).expanduser()
        if _load(document, path, file):
            found.append(file)
    document.registry_complete &= len(found) == len(listed)
    return found


def _load(document: Document, path: tuple, file: Path) -> bool:
    from zoo.plugins import PluginError, load_file

    try:
        load_file(file)
    except PluginError as error:
        document.report(path, f"cannot import: {error}")
        return False
    return True


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
