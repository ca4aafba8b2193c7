"""Published figures: what somebody has published of a variant, and of which configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.config.design.designs import level_identity
from zoo.config.design.variants import Drafts, Variant, draft_variants, listed, resolve_variants
from zoo.config.document import Document, ItemPath
from zoo.config.reader import read
from zoo.config.resolve import settings
from zoo.config.schema import PublishedFigure, QuestionDocument, check
from zoo.config.settings import PLACEMENT
from zoo.text.suggestions import did_you_mean
from zoo.text.yaml_form import as_yaml

LIKE_FRACTIONS = (0.001, 0.02)  # points that are next to nothing, and usual as fractions
# What changes nothing of the result, or (``precision: auto``) is left to the machine.
NOT_COMPARED = (*PLACEMENT, "evaluate_every", "milestones", "precision", "recipe")


@dataclass(frozen=True)
class Claim:
    """What somebody has published of a variant: its test accuracy in percent, or its difference in points to another one.

    A figure that was given as a range has ``low`` < ``high``, any other ``low`` = ``high``.
    """

    variant: str
    against: str  # the variant that a difference is to; "" for an accuracy
    low: float
    high: float
    seeds: int  # trainings that the published figure is the mean of
    source: str
    claim: str = ""  # in the source's words
    digits: int | None = None  # after the decimal point, as written; None where it is not known
    # Where the question asks something else than was published: field -> what was published, what is asked.
    differs: Mapping[str, list[Any]] = field(default_factory=dict)


def claims(document: Document, question: QuestionDocument, drafts: Drafts, variants: list[Variant]) -> list[Claim]:
    """The published figures; names of variants and fields that there are not are reported.

    A figure belongs to the configuration of its variant that the file gives, without what the command line changes, and with
    the fields of its ``at``.
    """
    if drafts.baseline is None:
        return []
    _report_unknown_variants(document, [draft.name for draft in drafts.variants])
    asked = {variant.name: variant.config.flat() for variant in variants}
    published = asked | _of_the_file(document) if question.published and document.overrides else asked
    found = []
    for i, figure in enumerate(question.published or []):
        against = figure.against or drafts.baseline if figure.difference else ""
        if against == figure.variant:
            message = f"a difference is between two variants, and {against!r} stands on both sides"
            document.report(("published", i, "variant"), message)
        differs: dict[str, list[Any]] = {}
        for name in (figure.variant, against):
            if name in asked:
                differs |= _differences(document, i, figure, published[name], asked[name])
        low, high = figure.accuracy or figure.difference or (0.0, 0.0)  # one of the two is given
        digits = _digits(document, ("published", i, "accuracy" if figure.accuracy else "difference"))
        found.append(
            Claim(figure.variant, against, low, high, figure.seeds, figure.source, figure.claim, digits, differs)
        )
    return found


def doubts(document: Document, question: QuestionDocument) -> list[str]:
    """Figures that look like fractions, as questions to the person."""
    found = []
    for i, figure in enumerate(question.published or []):
        if figure.accuracy and 0 < figure.accuracy[1] <= 1:
            percent = 100 * figure.accuracy[1]
            message = (
                f"is this accuracy meant as a fraction? It is in percent; if {percent:g} % is meant, write {percent:g}"
            )
            found.append(document.described(("published", i, "accuracy"), message))
        low, high = LIKE_FRACTIONS
        if figure.difference and low <= max(map(abs, figure.difference)) <= high:
            points = 100 * figure.difference[1]
            meant = f"if {points:g} points are meant, write {points:g}"
            message = f"is this difference meant as a fraction? It is in points; {meant}"
            found.append(document.described(("published", i, "difference"), message))
    return found


def _report_unknown_variants(document: Document, names: list[str]) -> None:
    given, known = document.data.get("published"), set(names)
    for i, item in enumerate(given if isinstance(given, list) else []):  # malformed ones, too: all is reported at once
        for key in ("variant", "against"):
            name = item.get(key) if isinstance(item, dict) else None
            if isinstance(name, str) and name not in known:
                message = f"no variant is named {as_yaml(name)}{did_you_mean(name, names)}; variants: {listed(names)}"
                document.report(("published", i, key), message)


def _of_the_file(document: Document) -> dict[str, dict[str, Any]]:
    """The configurations without what the command line changes; none where the file by itself is no question."""
    alone = read(document.file)
    alone.registry_complete = document.registry_complete
    question = check(alone)
    variants = resolve_variants(alone, question, draft_variants(alone, question))
    return {} if alone.problems else {variant.name: variant.config.flat() for variant in variants}


def _differences(
    document: Document, i: int, figure: PublishedFigure, published: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """Field -> what was published and what is asked, where the two differ; fields that there are not are reported."""
    at = settings(((key, value, ("published", i, "at", key)) for key, value in figure.at.items()), document)
    for setting in at:
        if setting.name not in asked:
            message = f"{setting.name!r} is no field of the configuration{did_you_mean(setting.name, asked)}"
            document.report(setting.path, f"{message}; fields: {', '.join(asked)}", key=True)
    of_figure = {**published, **{setting.name: setting.value for setting in at}}
    return {
        name: [of_figure.get(name), asked.get(name)]
        for name in dict.fromkeys([*of_figure, *asked])
        if name not in NOT_COMPARED and level_identity(of_figure.get(name)) != level_identity(asked.get(name))
    }


def _digits(document: Document, path: ItemPath) -> int | None:
    """The most digits after the point of a number, or of two, as they stand in the file."""
    paths = [path, *((*path, end) for end in (0, 1))]
    written = [document.number_at(each) for each in paths]
    digits = [len(text.partition(".")[2]) for text in written if re.fullmatch(r"[-+]?\d+(\.\d*)?", text)]
    return max(digits, default=None)
