"""A question as a whole, and how it is read from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.config import sections
from zoo.config.document import Document, read
from zoo.config.overrides import override
from zoo.config.published import Claim, published
from zoo.config.variants import Variant, variants


@dataclass(frozen=True)
class Question:
    """One sweep: what is asked, the variants that answer it, and how often each is repeated."""

    name: str  # the file's stem
    path: Path
    text: str  # the YAML as read
    question: str
    variants: tuple[Variant, ...]
    baseline: str  # name of a variant
    seeds: tuple[int, ...]
    margin: float  # points of test accuracy below which the person who asks does not care
    factors: dict[str, list[Any]]
    imports: tuple[Path, ...]
    first_look: int | None = None  # seeds after which only undecided variants are given more; None: all are done
    published: tuple[Claim, ...] = ()
    overrides: tuple[str, ...] = ()  # as given on the command line
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)

    def where(self, variant: str) -> tuple[int, int]:
        """Line and column, from 1, of what makes a variant: its entry, or its first level that is not the center's.

        Raises KeyError for a name that no variant has.
        """
        return self.places[variant]


def load(path: str | Path, overrides: Sequence[str] = (), seeds: int | None = None) -> Question:
    """The question in a YAML file, with ``KEY=VALUE`` overrides and a number of seeds from the command line.

    Raises QuestionError with every problem found.
    """
    document = read(path)
    override(document, overrides, seeds)
    sections.check_keys(document)
    question = sections.question(document)
    margin = sections.margin(document)
    repeats = sections.seeds(document)
    imported = sections.imports(document)
    found = variants(document, repeats=len(repeats.all))
    if found:
        claims = published(document, [variant.name for variant in found.variants], found.baseline)
        _check_comparison(document, found.variants, repeats)
    document.fail_if_problems()
    made, baseline, factors, places = found
    return Question(
        name=Path(path).stem,
        path=Path(path),
        text=document.text,
        question=question,
        variants=tuple(made),
        baseline=baseline,
        seeds=repeats.all,
        margin=margin,
        factors=factors,
        imports=tuple(imported),
        first_look=repeats.first_look,
        published=claims,
        overrides=tuple(overrides),
        places=places,
    )


def _check_comparison(document: Document, made: Sequence[Variant], repeats: sections.Seeds) -> None:
    if repeats.first_look and len(made) < 2:
        document.report(
            ("seeds",), "until: decided takes something to compare with the baseline, and there is one variant"
        )
