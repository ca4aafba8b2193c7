"""The variants of a question: from its factors and design, or as written out one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from zoo.config import designs
from zoo.config.document import Document, ItemPath, shown
from zoo.config.resolve import Setting, Untaken, resolve, settings
from zoo.config.sections import MAX_RUNS
from zoo.config.settings import PLACEMENT, Config
from zoo.text.suggestions import did_you_mean

DEFAULT_DESIGN = "grid"
MAX_CHECKED = 1_000  # levels looked at in a question whose design is wrong already


@dataclass(frozen=True)
class Variant:
    """One combination of levels, under a name, and the configuration that it comes to."""

    name: str
    levels: dict[str, Any]
    config: Config


class Plan(NamedTuple):
    """A variant before it is resolved; ``items`` are its (key, value, path) and ``place`` is where it comes from."""

    name: str
    levels: dict[str, Any]
    items: list[tuple[str, Any, ItemPath]]
    place: ItemPath


class Variants(NamedTuple):
    """All variants in order, the baseline's name, the factors, and (line, column) of each variant by name."""

    variants: list[Variant]
    baseline: str
    factors: dict[str, list[Any]]
    places: dict[str, tuple[int, int]]


def variants(document: Document, repeats: int) -> Variants | None:
    """The variants that the document asks for; None when there are problems, which are in the document then."""
    base = _base(document)
    plans, baseline, factors = _plans(document, repeats)
    if not plans:
        _resolve_all(document, base, _stand_ins(document))
        return None
    resolved = _resolve_all(document, base, plans)
    if document.problems or baseline is None:
        return None
    _report_duplicates(document, plans, resolved)
    found = [Variant(plan.name, plan.levels, config) for plan, config in zip(plans, resolved, strict=True)]
    return Variants(
        found, baseline or found[0].name, factors, {plan.name: document.place(plan.place, key=True) for plan in plans}
    )


def _stand_ins(document: Document) -> list[Plan]:
    """What to check when there are no variants, so that all is told at once: the base, and each level alone."""
    data = document.data
    if "variants" in data or isinstance(data.get("design"), list):
        return []
    factors = data.get("factors")
    factors = factors if isinstance(factors, dict) else {}
    levels = {name: some for name, some in factors.items() if isinstance(some, list) and some}
    if {"model", "data", "recipe"} & (set(factors) - set(levels)):
        return []
    sizes = [min(len(some), MAX_CHECKED) for some in levels.values()]
    around = (0,) * len(sizes)
    return [
        _plan("", levels, combination, around)
        for combination in designs.combinations("one_at_a_time", sizes, around)[:MAX_CHECKED]
    ]


def _base(document: Document) -> list[Setting]:
    base = document.data.get("base")
    if base is None:
        return []
    if not isinstance(base, dict):
        document.report(("base",), f"base must be a mapping of fields (model: tuto, ...), not {shown(base)}")
        document.bad[("base",)] = "no mapping"
        return []
    return settings(((key, value, ("base", key)) for key, value in base.items()), document)


def _resolve_all(document: Document, base: list[Setting], plans: Sequence[Plan]) -> list[Config | None]:
    untaken = Untaken()
    found = [resolve(document, [base, settings(plan.items, document)], plan.place, untaken) for plan in plans]
    untaken.report(document)
    return found


def _report_duplicates(document: Document, plans: Sequence[Plan], configs: Sequence[Config | None]) -> None:
    first: dict[str, str] = {}
    for plan, config in zip(plans, configs, strict=True):
        key = repr(sorted(config.flat().items()))
        if key in first:
            document.report(
                plan.place,
                f"the variants {first[key]!r} and {plan.name!r} come to the same configuration, so only chance "
                "would tell them apart; remove one",
                key=True,
            )
        first.setdefault(key, plan.name)


def _plans(document: Document, repeats: int) -> tuple[list[Plan], str | None, dict[str, list[Any]]]:
    """The variants before they are resolved, the baseline's name (None: reported) and the factors."""
    data = document.data
    design = data.get("design", DEFAULT_DESIGN)
    explicit = "variants" if "variants" in data else "design" if isinstance(design, list) else None
    if explicit:
        if explicit == "variants" and "design" in data:
            document.report(
                ("design",), "variants that are written out need no design; remove one of the two", key=True
            )
        if "factors" in data:
            document.report(
                ("factors",), "variants that are written out take no factors; remove one of the two", key=True
            )
        if not _check_runs(
            document, (explicit,), len(data[explicit]) if isinstance(data[explicit], dict | list) else 0, repeats
        ):
            return [], None, {}
        plans = _explicit(document, explicit)
        return plans, _explicit_baseline(document, plans), {}
    if not isinstance(design, str) or design not in designs.DESIGNS:
        meant = did_you_mean(design, designs.DESIGNS) if isinstance(design, str) else ""
        document.report(
            ("design",),
            f"unknown design {shown(design)}{meant}; known: {', '.join(designs.DESIGNS)}, or a list of variants",
        )
        design = DEFAULT_DESIGN
    if "factors" not in data:
        return _plain_run(document)
    factors = _factors(document, design)
    if factors is None or not _check_runs(
        document, ("factors",), designs.count(design, [len(levels) for levels in factors.values()]), repeats
    ):
        return [], None, {}
    return *_from_factors(document, design, factors), factors


def _plain_run(document: Document) -> tuple[list[Plan], str | None, dict[str, list[Any]]]:
    base = document.data.get("base")
    model = base.get("model") if isinstance(base, dict) else None
    name = model if isinstance(model, str) else "base"
    plans = [Plan(name, {}, [], ("base",))]
    return plans, _explicit_baseline(document, plans), {}


def _check_runs(document: Document, path: ItemPath, variants: int, repeats: int) -> bool:
    if variants * repeats <= MAX_RUNS:
        return True
    document.report(
        path,
        f"{variants:,} variants x {repeats:,} seeds are {variants * repeats:,} runs; a question may have {MAX_RUNS:,}",
        key=True,
    )
    return False


def _factors(document: Document, design: str) -> dict[str, list[Any]] | None:
    """The factors with their levels; None when one of them is wrong, which is reported."""
    factors = document.data["factors"]
    if not factors or not isinstance(factors, dict):
        document.report(
            ("factors",),
            f"the design is empty: factors must map a field to its levels (lrn: [true, false]), not {shown(factors)}",
        )
        return None
    good = [_check_levels(document, name, levels, design) for name, levels in factors.items()]
    return factors if all(good) else None


def _check_levels(document: Document, name: str, levels: Any, design: str) -> bool:
    path: ItemPath = ("factors", name)
    before = len(document.problems)
    _check_not_placement(document, name, path)
    if not isinstance(levels, list):
        document.report(path, f"the factor {name} must be a list of levels, e.g. [true, false], not {shown(levels)}")
    elif len(levels) < 2:
        document.report(
            path, f"the factor {name} has {('no level', 'one level')[len(levels)]}; it takes two to compare"
        )
    elif design in designs.COMPONENT_DESIGNS and len(levels) != 2:
        document.report(path, f"the design {design} needs two levels, on and off, and {name} has {len(levels)}")
    elif len(levels) > MAX_RUNS:
        document.report(path, f"the factor {name} has {len(levels):,} levels; a question may have {MAX_RUNS:,} runs")
    else:
        seen: dict[str, int] = {}
        for i, level in enumerate(levels):
            key = _identity(level)
            if key in seen:
                document.report((*path, i), f"the factor {name} has the level {shown(level)} twice")
            seen.setdefault(key, i)
    return len(document.problems) == before and not document.is_bad(path)


def _check_not_placement(document: Document, name: Any, path: ItemPath) -> None:
    if name in PLACEMENT:
        message = f"{name} says where a run is trained, not what is trained, so variants cannot differ in it"
        document.report(path, f"{message}; give it in base", key=True)
        document.bad[path] = message  # its values are not judged as well


def _identity(level: Any) -> str:
    """Equal for equal levels: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(level, dict):
        return "{" + ",".join(sorted(f"{key!r}:{_identity(item)}" for key, item in level.items())) + "}"
    if isinstance(level, list | tuple):
        return "[" + ",".join(_identity(item) for item in level) + "]"
    if isinstance(level, int | float) and not isinstance(level, bool):
        return repr(float(level)) if abs(level) < 2**53 else repr(level)
    return repr(level)


def _from_factors(document: Document, design: str, factors: dict[str, list[Any]]) -> tuple[list[Plan], str | None]:
    levels = list(factors.values())
    around = designs.center(design, levels)
    wanted = document.data.get("baseline")
    if isinstance(wanted, dict):
        chosen = _combination(document, wanted, factors, around)
        if chosen is None:
            return [], None
        if design not in designs.COMPONENT_DESIGNS:  # the others are built around their baseline
            around = chosen
    else:
        chosen = around
    combined = designs.combinations(design, [len(some) for some in levels], around)
    names = designs.names(design, factors, combined, around)
    plans = [_plan(name, factors, combination, around) for name, combination in zip(names, combined, strict=True)]
    if isinstance(wanted, dict) and chosen not in combined:
        document.report(
            ("baseline",), f"this baseline is not a variant of the design {design}; it has: {_listed(names)}"
        )
        return plans, None
    if wanted is not None and not isinstance(wanted, dict):
        return plans, _named_baseline(document, wanted, names)
    return plans, names[combined.index(chosen)]


def _plan(name: str, factors: dict[str, list[Any]], combination: tuple[int, ...], around: tuple[int, ...]) -> Plan:
    items = [
        (factor, levels[level], ("factors", factor, level))
        for (factor, levels), level in zip(factors.items(), combination, strict=True)
    ]
    different = [item[2] for item, level, middle in zip(items, combination, around, strict=True) if level != middle]
    place = next(iter([*different, *(item[2] for item in items)]), ("base",))
    return Plan(name, {factor: level for factor, level, _ in items}, items, place)


def _combination(
    document: Document, wanted: dict[str, Any], factors: dict[str, list[Any]], around: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The combination that a baseline given by levels means; the factors it leaves out take those of ``around``."""
    chosen = dict(zip(factors, around, strict=True))
    good = True
    for name, level in wanted.items():
        path: ItemPath = ("baseline", name)
        if name not in factors:
            document.report(
                path, f"{name!r} is not a factor{did_you_mean(name, factors)}; factors: {', '.join(factors)}", key=True
            )
            good = False
            continue
        found = [i for i, some in enumerate(factors[name]) if _identity(some) == _identity(level)]
        if not found:
            document.report(
                path,
                f"{shown(level)} is not a level of {name}, so the baseline is not a variant; "
                f"levels: {shown(factors[name], 200)}",
            )
            good = False
        else:
            chosen[name] = found[0]
    return tuple(chosen.values()) if good else None


def _explicit(document: Document, key: str) -> list[Plan]:
    """The variants written out under ``key``, as a mapping from names or a list of mappings with a name."""
    given = document.data[key]
    if not given or not isinstance(given, dict | list):
        document.report(
            (key,),
            f"the design is empty: {key} must map names to what changes (no_lrn: {{lrn: false}}), "
            f"or list mappings with a name, not {shown(given)}",
        )
        return []
    plans: dict[str, Plan] = {}
    for place, changes in given.items() if isinstance(given, dict) else enumerate(given):
        path: ItemPath = (key, place)
        name, changes = _name_and_changes(document, path, place, changes)
        if name is None:
            continue
        if name in plans:
            document.report(path, f"two variants are named {name!r}", key=True)
            continue
        items = [(field, value, (*path, field)) for field, value in changes.items()]
        for field, _, field_path in items:
            _check_not_placement(document, field, field_path)
        plans[name] = Plan(name, dict(changes), items, path)
    return list(plans.values())


def _name_and_changes(
    document: Document, path: ItemPath, place: str | int, changes: Any
) -> tuple[str | None, dict[str, Any]]:
    if isinstance(place, str):
        name = place
        if not isinstance(changes, dict | None):
            document.report(
                path, f"the variant {name!r} must be a mapping of what changes ({{lrn: false}}), not {shown(changes)}"
            )
            return None, {}
    else:
        if not isinstance(changes, dict):
            document.report(path, f"a variant in a list must be a mapping with a name, not {shown(changes)}")
            return None, {}
        if "name" not in changes:
            document.report(path, "this variant has no name; add name:")
            return None, {}
        name = changes["name"]
        path = (*path, "name")
        if not isinstance(name, str):
            document.report(path, f"the name of a variant must be text, not {shown(name)}; put it in quotes")
            return None, {}
    if not name.strip() or not name.isprintable() or len(name) > designs.MAX_NAME:
        document.report(
            path,
            f"the name of a variant must be 1 to {designs.MAX_NAME} printable characters, not {shown(name)}",
            key=True,
        )
        return None, {}
    return name, {key: value for key, value in (changes or {}).items() if isinstance(place, str) or key != "name"}


def _explicit_baseline(document: Document, plans: list[Plan]) -> str | None:
    wanted = document.data.get("baseline")
    if not plans:
        return None
    if wanted is None:
        return plans[0].name
    return _named_baseline(document, wanted, [plan.name for plan in plans])


def _named_baseline(document: Document, wanted: Any, names: list[str]) -> str | None:
    if isinstance(wanted, str) and wanted in names:
        return wanted
    meant = did_you_mean(wanted, names) if isinstance(wanted, str) else ""
    document.report(("baseline",), f"the baseline {shown(wanted)} is not a variant{meant}; variants: {_listed(names)}")
    return None


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names[:12]) + (f"; and {len(names) - 12} more" if len(names) > 12 else "")
