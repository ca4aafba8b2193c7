"""The parts of a question beside its variants and published claims: question, margin, seeds, imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from zoo.config.document import Document, shown
from zoo.text.suggestions import did_you_mean

KEYS = ("question", "base", "factors", "design", "variants", "baseline", "seeds", "margin", "published", "imports")
DEFAULT_MARGIN = 0.5  # points of test accuracy
DEFAULT_SEEDS = 3
UNTIL_DECIDED = {"min": 3, "max": 20, "until": "decided"}  # what the keys stand for when they are left out
MAX_RUNS = 10_000
MAX_LOOKS = 200  # at a growing number of seeds
MAX_SEED = 2**31 - 1


class Seeds(NamedTuple):
    """The seeds of a question, and after how many of them the verdicts are first looked at: from there on only what is
    undecided is given more. None: all seeds are done in any case."""

    all: tuple[int, ...]
    first_look: int | None = None


def check_keys(document: Document) -> None:
    """Report the keys of the top level that no question has."""
    from zoo.config.settings import groups, leaves

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


def seeds(document: Document) -> Seeds:
    """The seeds: N means 0 to N-1, and so does a ``max`` of N in {min: 3, max: N, until: decided}."""
    value = document.data.get("seeds", DEFAULT_SEEDS)
    if _whole(value):
        if 1 <= value <= MAX_RUNS:
            return Seeds(tuple(range(value)))
        document.report(("seeds",), f"seeds must be 1 to {MAX_RUNS:,} repetitions, not {shown(value)}")
    elif isinstance(value, list):
        return Seeds(_seed_list(document, value))
    elif isinstance(value, dict):
        return _growing(document, value)
    else:
        document.report(
            ("seeds",),
            "seeds must be a number of repetitions (3), a list of seeds ([0, 1, 2]) or "
            f"{{min: 3, max: 20, until: decided}}, not {shown(value)}",
        )
    return Seeds((0,))


def _growing(document: Document, given: dict[str, Any]) -> Seeds:
    """Seeds that are added until the verdicts are decided."""
    sound = True
    for key in given:
        if key not in UNTIL_DECIDED:
            sound = False
            meant = did_you_mean(key, UNTIL_DECIDED) if isinstance(key, str) else ""
            document.report(
                ("seeds", key), f"unknown key {key!r}{meant}; allowed: {', '.join(UNTIL_DECIDED)}", key=True
            )
    found = UNTIL_DECIDED | {key: value for key, value in given.items() if key in UNTIL_DECIDED}
    if "until" not in given or found["until"] != "decided":
        sound = False
        path = ("seeds", "until") if "until" in given else ("seeds",)
        document.report(
            path, "seeds between a min and a max are added until: decided; there is nothing else to wait for"
        )
    for key in ("min", "max"):
        if not _whole(found[key]) or not 2 <= found[key] <= MAX_LOOKS:
            sound = False
            path = ("seeds", key) if key in given else ("seeds",)
            document.report(path, f"{key} must be 2 to {MAX_LOOKS} repetitions, not {shown(found[key])}")
    if sound and found["min"] >= found["max"]:
        sound = False
        path = ("seeds", "max") if "max" in given else ("seeds",)
        document.report(path, f"max must be above min, which is {found['min']}, not {found['max']}")
    return Seeds(tuple(range(found["max"])), found["min"]) if sound else Seeds((0,))


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
