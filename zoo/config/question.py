"""A question as a whole, and how it is read from its file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.config import claims
from zoo.config.claims import Claim
from zoo.config.design.variants import Variant, draft_variants, resolve_variants
from zoo.config.document import Document, Position
from zoo.config.overrides import override
from zoo.config.reader import read
from zoo.config.schema import MIN_GROWING, GrowingSeeds, QuestionDocument, check

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """One sweep: what is asked, the variants that answer it, and how often each is repeated."""

    name: str  # the file's stem, unless it is given
    path: Path
    text: str  # the YAML as read
    question: str
    variants: tuple[Variant, ...]
    baseline: str  # name of a variant
    seeds: tuple[int, ...]
    margin: float  # points of test accuracy below which the person who asks does not care
    factors: dict[str, list[Any]]
    imports: tuple[Path, ...]
    first_analysis: int | None = None  # seeds before the first interim analysis; None: the number of seeds is fixed
    margin_given: bool = True  # else it is the default
    published: tuple[Claim, ...] = ()
    overrides: tuple[str, ...] = ()  # as given on the command line
    positions: Mapping[str, Position] = field(default_factory=dict, repr=False)

    def where(self, variant: str) -> Position:
        """The position of what defines a variant: its entry, or its first level that differs from the design's center.

        Raises KeyError for a name that no variant has.
        """
        return self.positions[variant]


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    seeds: int | None = None,
    name: str | None = None,
    may_run: Callable[[Path, Path], bool] = lambda file, question: True,
) -> Question:
    """The question in a YAML file, with ``KEY=VALUE`` overrides, a number of seeds and a name from the command line.

    ``may_run(file, question)`` is asked before a file of the person's own is run. Raises QuestionError with every problem
    found.
    """
    document = read(path)
    override(document, overrides, seeds, name)
    checked = check(document)
    stem = Path(path).stem
    if checked.name is None and (
        not stem.strip(".") or not stem.isprintable()
    ):  # it names directories and an experiment
        document.report(
            (), f"a question is named after its file, and {stem!r} is no name; add name: or rename the file"
        )
    imports = _load_imports(document, checked, may_run)
    drafts = draft_variants(document, checked)
    variants = resolve_variants(document, checked, drafts)
    published = claims.claims(document, checked, drafts, variants)
    growing = checked.seeds if isinstance(checked.seeds, GrowingSeeds) else None
    if growing and drafts.baseline is not None and len(drafts.variants) < 2:
        message = "until: decided takes something to compare with the baseline, and there is one variant"
        document.report(("seeds",), message)
    document.fail_if_problems()
    for doubt in (*document.doubts, *_doubts(document, checked, len(drafts.variants) > 1)):
        _log.warning("%s", doubt)
    assert drafts.baseline is not None  # or there was a problem
    return Question(
        name=checked.name or stem,
        path=Path(path),
        text=document.text,
        question=checked.question,
        variants=tuple(variants),
        baseline=drafts.baseline,
        seeds=checked.seed_list(),
        margin=checked.margin,
        margin_given="margin" in checked.model_fields_set,
        factors=checked.factors,
        imports=tuple(imports),
        first_analysis=growing.min if growing else None,
        published=tuple(published),
        overrides=tuple(overrides),
        positions={draft.name: document.position(draft.origin, key=True) for draft in drafts.variants},
    )


def _doubts(document: Document, question: QuestionDocument, several: bool) -> list[str]:
    """What is allowed, and yet likely to be meant otherwise; ``several``: whether variants are compared."""
    doubts = []
    low, high = claims.LIKE_FRACTIONS
    if low <= question.margin <= high:
        meant = f"if {100 * question.margin:g} points are meant, write {100 * question.margin:g}"
        message = (
            f"is the margin meant as a fraction? It is in points, so this is {question.margin:g} of a point; {meant}"
        )
        doubts.append(document.described(("margin",), message))
    seeds = len(question.seed_list())
    if several and seeds < MIN_GROWING:
        known = "no spread between trainings is known" if seeds == 1 else "the spread between trainings is hardly known"
        message = f"with {seeds} seed{'s' if seeds > 1 else ''} {known}: take {MIN_GROWING} or more"
        doubts.append(document.described(("seeds",), message))
    return [*doubts, *claims.doubts(document, question)]


def _load_imports(document: Document, question: QuestionDocument, may_run: Callable[[Path, Path], bool]) -> list[Path]:
    """The user's own files, each loaded so that it registers its models and data sets."""
    from zoo.plugins import PluginError, load_file

    given = question.imports
    document.registry_complete = "imports" in question.model_fields_set or "imports" not in document.data
    files = []
    for i, name in enumerate([given] if isinstance(given, str) else given or []):
        files.append(Path(document.file).parent / Path(name).expanduser())
        try:
            if may_run(files[-1], Path(document.file)):
                load_file(files[-1])
                continue
            problem = f"not run, as you answered: {files[-1]}"
        except PluginError as error:
            problem = f"cannot import: {error}"
        document.report(("imports",) if isinstance(given, str) else ("imports", i), problem)
        document.registry_complete = False
    return files
