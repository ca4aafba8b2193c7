"""The variants of a question, from its factors and design or as written out one by one, and their configurations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from zoo.config.arguments import ArgumentUse
from zoo.config.design import designs, idle
from zoo.config.design.designs import Combination, Design, level_identity
from zoo.config.document import Document, ItemPath
from zoo.config.resolve import resolve, settings
from zoo.config.schema import MAX_FACTORS, MAX_RUNS, MAX_VARIANTS, QuestionDocument
from zoo.config.settings import PLACEMENT, Config
from zoo.text.suggestions import did_you_mean
from zoo.text.yaml_form import as_yaml

MAX_CHECKED = 1_000  # levels that are checked in a question whose design is wrong already

Factors = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Variant:
    """One combination of levels, under a name, and the configuration that it comes to."""

    name: str
    levels: dict[str, Any]
    config: Config


class VariantDraft(NamedTuple):
    """A variant before it is resolved; ``changes`` are (key, value, path), and ``origin`` is the path that defines it."""

    name: str
    levels: dict[str, Any]
    changes: list[tuple[str, Any, ItemPath]]
    origin: ItemPath


class Drafts(NamedTuple):
    """All variants in order, and the name of the baseline: None when it or some variant is invalid, which is reported."""

    variants: list[VariantDraft]
    baseline: str | None = None


def draft_variants(document: Document, question: QuestionDocument) -> Drafts:
    """The variants that a document asks for; of an invalid design, what can still be checked."""
    if "variants" in document.data or isinstance(document.data.get("design"), list):
        return _written_out(document, question)
    if "factors" not in document.data:
        model = (question.base or {}).get("model")
        name = model if isinstance(model, str) else "base"
        return Drafts([VariantDraft(name, {}, [], ("base",))], _named_baseline(document, question, [name]))
    design = question.design if isinstance(question.design, str) else designs.DEFAULT_DESIGN
    drafts = _from_factors(document, question, design) if _are_factors_valid(document, question, design) else None
    return drafts or Drafts(_each_level_alone(document.data["factors"]))


def resolve_variants(document: Document, question: QuestionDocument, drafts: Drafts) -> list[Variant]:
    """The variants with their configurations; those with errors, which are reported, are left out."""
    base = settings(((key, value, ("base", key)) for key, value in (question.base or {}).items()), document)
    argument_use = ArgumentUse()
    configs = [
        resolve(document, [base, settings(draft.changes, document)], draft.origin, argument_use)
        for draft in drafts.variants
    ]
    argument_use.report(document)
    variants = [
        Variant(draft.name, draft.levels, config)
        for draft, config in zip(drafts.variants, configs, strict=True)
        if config is not None
    ]
    if not document.problems:
        document.doubts += idle.check(document, drafts.variants, variants, is_design="factors" in document.data)
    return variants


def _written_out(document: Document, question: QuestionDocument) -> Drafts:
    """The variants that are a mapping from names to changes, or a list of changes with a name."""
    section = "variants" if "variants" in document.data else "design"
    for other, needless in (("design", "need no design"), ("factors", "take no factors")):
        if other in document.data and other != section:
            document.report((other,), f"variants that are written out {needless}; remove one of the two", key=True)
    given = document.data[section]
    if not isinstance(given, dict | list) or not _check_runs(document, question, section, len(given)):
        return Drafts([])
    entries: Iterable[tuple[str | int, Any]] = given.items() if isinstance(given, dict) else enumerate(given)
    drafts: dict[str, VariantDraft] = {}
    for entry, changes in entries:
        name = entry if isinstance(entry, str) else changes.get("name") if isinstance(changes, dict) else None
        if not isinstance(name, str) or not isinstance(changes, dict | None):
            continue  # reported by the schema
        path: ItemPath = (section, entry)
        if name in drafts:
            document.report(path, f"two variants are named {name!r}", key=True)
            continue
        levels = {field: level for field, level in (changes or {}).items() if isinstance(entry, str) or field != "name"}
        for field in levels:
            _check_not_placement(document, (*path, field), field)
        drafts[name] = VariantDraft(name, levels, [(field, levels[field], (*path, field)) for field in levels], path)
    is_known = section in question.model_fields_set
    return Drafts(list(drafts.values()), _named_baseline(document, question, list(drafts)) if is_known else None)


def _check_runs(document: Document, question: QuestionDocument, section: str, variants: int) -> bool:
    repeats = len(question.seed_list())
    if variants > MAX_VARIANTS:
        message = f"{_amount(variants)} variants; a question may have {MAX_VARIANTS:,}: ask several, or of fewer levels"
    elif variants * repeats > MAX_RUNS:
        runs = f"{variants:,} variants x {repeats:,} seeds are {variants * repeats:,} runs"
        message = f"{runs}; a question may have {MAX_RUNS:,}"
    else:
        return True
    document.report((section,), message, key=True)
    return False


def _amount(variants: int) -> str:
    return f"{variants:,}" if variants < 10**9 else "more than a billion"


def _check_not_placement(document: Document, path: ItemPath, field: str) -> bool:
    if field in PLACEMENT:
        message = f"{field} says where a run is trained, not what is trained, so variants cannot differ in it"
        document.refuse(path, f"{message}; give it in base", key=True)
    return field not in PLACEMENT


def _are_factors_valid(document: Document, question: QuestionDocument, design: Design) -> bool:
    is_valid = bool(question.factors)  # none: reported by the schema
    given = document.data["factors"]
    if len(question.factors) > MAX_FACTORS:
        message = f"{len(question.factors):,} factors; a question may have {MAX_FACTORS}"
        document.refuse(("factors",), message, key=True)
        return False
    for name, levels in given.items() if isinstance(given, dict) else ():
        is_valid &= _check_not_placement(document, ("factors", name), name)
        if design in designs.COMPONENT_DESIGNS and isinstance(levels, list) and len(levels) > 2:
            message = f"the design {design} needs two levels, on and off, and {name} has {len(levels)}"
            document.report(("factors", name), message)
            is_valid = False
    sizes = [len(levels) for levels in question.factors.values()]
    return is_valid and _check_runs(document, question, "factors", designs.count(design, sizes))


def _from_factors(document: Document, question: QuestionDocument, design: Design) -> Drafts | None:
    """The variants of a design; None when the baseline names levels that there are not."""
    factors, baseline = question.factors, question.baseline
    around = chosen = designs.center(design, list(factors.values()))
    if isinstance(baseline, dict):
        combination = _combination(document, baseline, factors, around)
        if combination is None:
            return None
        chosen = combination
        if design not in designs.COMPONENT_DESIGNS:  # the others are built around their baseline
            around = chosen
    combined = designs.combinations(design, [len(levels) for levels in factors.values()], around)
    names = designs.names(design, factors, combined, around)
    drafts = [_draft(name, factors, combination, around) for name, combination in zip(names, combined, strict=True)]
    if isinstance(baseline, str):
        return Drafts(drafts, _named_baseline(document, question, names))
    if chosen in combined:
        return Drafts(drafts, names[combined.index(chosen)])
    message = f"this baseline is not a variant of the design {design}; it has: {listed(names)}"
    document.report(("baseline",), message)
    return Drafts(drafts)


def _each_level_alone(given: Any) -> list[VariantDraft]:
    """What to check of factors that give no variants, so that all errors are reported at once: the base, each level."""
    factors = given if isinstance(given, dict) else {}
    usable = {name: levels for name, levels in factors.items() if isinstance(levels, list) and levels}
    if {"model", "data", "recipe"} & (factors.keys() - usable.keys()) or len(usable) > MAX_FACTORS:
        return []
    sizes = [min(len(levels), MAX_CHECKED) for levels in usable.values()]
    around = (0,) * len(sizes)
    combined = designs.combinations("one_at_a_time", sizes, around)[:MAX_CHECKED]
    return [_draft("", usable, combination, around) for combination in combined]


def _draft(name: str, factors: Factors, combination: Combination, around: Combination) -> VariantDraft:
    changes: list[tuple[str, Any, ItemPath]] = [
        (factor, levels[level], ("factors", factor, level))
        for (factor, levels), level in zip(factors.items(), combination, strict=True)
    ]
    different = [change for change, level, middle in zip(changes, combination, around, strict=True) if level != middle]
    origin = next((path for _, _, path in [*different, *changes]), ("base",))
    return VariantDraft(name, {factor: level for factor, level, _ in changes}, changes, origin)


def _combination(
    document: Document, baseline: Mapping[str, Any], factors: Factors, around: Combination
) -> Combination | None:
    """The combination that a baseline given by levels means; the factors it leaves out take those of ``around``."""
    chosen = dict(zip(factors, around, strict=True))
    is_known = True
    for name, wanted in baseline.items():
        path: ItemPath = ("baseline", name)
        if name not in factors:
            message = f"{name!r} is not a factor{did_you_mean(name, factors)}; factors: {', '.join(factors)}"
            document.report(path, message, key=True)
            is_known = False
            continue
        identities = [level_identity(level) for level in factors[name]]
        if level_identity(wanted) in identities:
            chosen[name] = identities.index(level_identity(wanted))
        else:
            message = f"{as_yaml(wanted)} is not a level of {name}, so the baseline is not a variant"
            document.report(path, f"{message}; levels: {as_yaml(factors[name], 200)}")
            is_known = False
    return tuple(chosen.values()) if is_known else None


def _named_baseline(document: Document, question: QuestionDocument, names: Sequence[str]) -> str | None:
    """The baseline by name, else the first variant; None when the name is not that of a variant, which is reported."""
    baseline = question.baseline
    if baseline is None:
        return next(iter(names), None)
    if isinstance(baseline, str) and baseline in names:
        return baseline
    meant = did_you_mean(baseline, names) if isinstance(baseline, str) else ""
    message = f"the baseline {as_yaml(baseline)} is not a variant{meant}; variants: {listed(names)}"
    document.report(("baseline",), message)
    return None


def listed(names: Sequence[str]) -> str:
    """The names of variants for a message, the first twelve of many."""
    return "; ".join(names[:12]) + (f"; and {len(names) - 12} more" if len(names) > 12 else "")
