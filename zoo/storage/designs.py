"""The design of a sweep as it was declared, and each later change of it: ``runs/.NAME.design.json``, never shortened.

What verdicts may claim depends on what was decided before the results were seen. A design is the seeds, or how they are
added, the margin and the baseline. It is written down before its first run, and each change with what was there by then:
results at all, and a comparison, that is two results of each of two variants, which a verdict could have been made of.

A design that none of its runs has a result of is a declaration of its own, whatever came before it under this name: fresh
seeds, or another training. Later entries are changes of that declaration. Verdicts go by the seeds of the last entry that
was written before a comparison could be seen, because every further look at the results after it would be one more chance
to find something where nothing is; and by the margin and the baseline that were declared before the first result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter

from zoo.storage.atomic import write_atomically

_MOST = 2**31  # seeds in a text; more are not read


def ranges(seeds: Sequence[int]) -> str:
    """``0-9,12`` for 0, 1, ... 9 and 12, in their order."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][1] + 1:
            parts[-1][1] = seed
        else:
            parts.append([seed, seed])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def _seeds(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    found: list[int] = []
    for part in text.split(",") if text else []:
        match = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", part)
        if match is None:
            raise ValueError(f"no seeds: {part!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + 100_000:
            raise ValueError(f"no range of seeds: {part!r}")
        found += range(first, last + 1)
    return tuple(found)


Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=_MOST)], ...], BeforeValidator(_seeds), PlainSerializer(ranges)]


class Design(BaseModel):
    """The design of a sweep at one time, and what could be seen when it was written down."""

    model_config = ConfigDict(frozen=True)

    time: datetime  # UTC
    seeds: Seeds  # at most these, with a first analysis
    first_analysis: int | None = None  # seeds before the first interim analysis; None: the number of seeds is fixed
    margin: float = Field(gt=0, allow_inf_nan=False)
    margin_given: bool = True  # in the question; else it is the default
    baseline: str
    results: int = 0  # of its own runs that were there already
    compared: bool = False  # whether a comparison could be seen before it

    @property
    def seeds_text(self) -> str:
        """``3 seeds``, or ``3 to 10 seeds``."""
        count = f"{len(self.seeds)} seed{'' if len(self.seeds) == 1 else 's'}"
        return count if self.first_analysis is None else f"{self.first_analysis} to {count}"

    def is_same_as(self, other: Design) -> bool:
        """Whether nothing was changed."""
        unlike = {"time", "results", "compared"}
        return self.model_dump(exclude=unlike) == other.model_dump(exclude=unlike)


_entries = TypeAdapter(list[Design])


class Change(NamedTuple):
    """Of a declared design: what (``seeds``, ``margin`` or ``baseline``), and what came of it."""

    what: str
    before: Design
    after: Design
    counts: bool  # whether verdicts go by it

    @property
    def text(self) -> str:
        """In a sentence or two, for a person."""
        old, new = self.before, self.after
        if self.what == "margin":
            return (
                f"The margin was changed from {old.margin:g} to {new.margin:g} points after the first result: equivalence "
                f"is judged by the {old.margin:g} points that were declared."
            )
        if self.what == "baseline":
            return (
                f"The baseline was changed from {old.baseline} to {new.baseline} after the first result: differences to it "
                "are shown without verdicts."
            )
        seeds = f"The number of seeds was changed from {old.seeds_text} to {new.seeds_text} after"
        if self.counts:
            return f"{seeds} the first result, and before two variants could be compared."
        return (
            f"{seeds} variants could be compared: a second look is one more chance to be wrong, so the verdicts are those "
            f"of the declared {old.seeds_text}, and what was trained beyond is shown without a verdict."
        )


class DesignHistory:
    """All designs of a sweep, in the order in which they were written down."""

    def __init__(self, entries: Sequence[Design] = ()):
        self.entries = tuple(entries)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DesignHistory) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    @classmethod
    def from_text(cls, text: str | bytes) -> DesignHistory:
        """Raises ValueError for what is no history."""
        return cls(_entries.validate_json(text))

    @property
    def text(self) -> str:
        """As JSON."""
        return _entries.dump_json(list(self.entries), exclude_defaults=True).decode()

    def with_design(self, design: Design) -> DesignHistory:
        """This history with a design at its end, unless it is there already."""
        last = self.entries[-1] if self.entries else None
        if last is not None and design.is_same_as(last) and not (last.results and not design.results):
            return self
        return DesignHistory((*self.entries, design))

    def merged(self, other: DesignHistory) -> DesignHistory:
        """The entries of both, by time; within a second those of this one first."""
        return DesignHistory(sorted(dict.fromkeys((*self.entries, *other.entries)), key=lambda entry: entry.time))

    @property
    def current(self) -> Design:
        """The design now."""
        return self.entries[-1]

    @property
    def declaration(self) -> tuple[Design, ...]:
        """What was declared, and the changes of it: from the last entry on that had no result."""
        start = max((i for i, entry in enumerate(self.entries) if not entry.results), default=0)
        return self.entries[start:]

    @property
    def earlier(self) -> tuple[Design, ...]:
        """Declarations before this one under the same name, of other runs."""
        return self.entries[: len(self.entries) - len(self.declaration)]

    @property
    def declared(self) -> Design:
        """As it was before the first result; margin and baseline are those of this one."""
        return self.declaration[0]

    @property
    def judged(self) -> Design:
        """The one whose seeds verdicts go by: the last before a comparison could be seen."""
        chosen, *later = self.declaration
        for entry in later:
            if entry.compared:
                break
            chosen = entry
        return chosen

    @property
    def is_before_runs(self) -> bool:
        """Whether the design was declared before any of its runs had a result."""
        return self.declared.results == 0

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the question asks for now and did not when it was declared; what was changed back is none."""
        found, now = [], self.current
        judged = self.judged
        if (self.declared.seeds, self.declared.first_analysis) != (now.seeds, now.first_analysis):
            is_judged = (judged.seeds, judged.first_analysis) == (now.seeds, now.first_analysis)
            found.append(Change("seeds", self.declared if is_judged else judged, now, is_judged))
        if self.declared.margin != now.margin:
            found.append(Change("margin", self.declared, now, False))
        if self.declared.baseline != now.baseline:
            found.append(Change("baseline", self.declared, now, False))
        return tuple(found)


def read(runs_dir: Path, name: str) -> DesignHistory:
    """The history of a sweep, empty where there is none. Raises ValueError for a damaged file, OSError."""
    file = path_of(runs_dir, name)
    return DesignHistory.from_text(file.read_bytes()) if file.is_file() else DesignHistory()


def write(runs_dir: Path, name: str, history: DesignHistory) -> None:
    content = history.text.encode()
    write_atomically(path_of(runs_dir, name), lambda file: file.write(content))


def now() -> datetime:
    """In whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def path_of(runs_dir: Path, name: str) -> Path:
    return runs_dir / f".{name}.design.json"
