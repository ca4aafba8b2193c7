"""Fields that do nothing in a configuration, and what that makes of the variants of a question.

Two variants that differ in nothing else come to the same training. Among variants that are written out one of them is
refused, and so is a factor that acts nowhere. Where it acts in a part of a design only, the rest is warned of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.config.design.designs import level_identity
from zoo.config.document import Document
from zoo.config.settings import Config, fields
from zoo.data.augmentation import AffineAugmentation
from zoo.measure.readouts import idle_fields
from zoo.registry import Settings
from zoo.text.listing import listed

if TYPE_CHECKING:
    from zoo.config.design.variants import Variant, VariantDraft

_EVALUATION = ("evaluate_every", "milestones")
_LISTED = 6  # variants in a warning


class _Found(NamedTuple):
    """A variant's identity, equal to that of others that come to the same, and why which of its fields do nothing."""

    identity: str
    reasons: Mapping[str, str]


Found = Sequence[_Found]


def idle(config: Config) -> dict[str, str]:
    """Dotted fields whose value makes no difference to the results of a configuration, and why ("ema is false").

    Raises what the function of a user's own model raises.
    """
    from zoo import data, models

    reasons = dict.fromkeys(_EVALUATION, "results are those of the last step")
    reasons |= {"recipe": "all that it sets is the same", "model": "these names stand for the same network"}
    reasons |= idle_fields(config)
    for name in fields():
        value = getattr(config, name)
        if isinstance(value, Settings):
            reasons |= {f"{name}.{member}": reason for member, reason in value.idle().items()}
    if config.input_size == data.info(config.data).image_size:
        reasons["augment.crop"] = "the input is as large as the images"
    return reasons | models.idle_arguments(config.model, **config.arguments)


def undone(config: Config) -> bool:
    """Whether the brightness of a training image is undone: by the standardization, if nothing uneven comes before it."""
    return config.standardize and all(
        isinstance(each, AffineAugmentation)
        for each in config.augment.switched_on()
        if each.name not in ("crop", "flip")
    )


def check(
    document: Document, drafts: Sequence[VariantDraft], variants: Sequence[Variant], is_design: bool
) -> list[str]:
    """Report the variants, or factors, that come to the same as others. Returns warnings about those that are allowed."""
    idle_of: list[dict[str, str]] = []
    for draft, variant in zip(drafts, variants, strict=True):
        try:
            idle_of.append(idle(variant.config))
        except Exception as error:  # a user's own function, with arguments that it does not expect
            problem = f"{type(error).__name__}: {error}"
            document.report(draft.origin, f"the model {variant.config.model} cannot say what does nothing: {problem}")
            return []
    found = [_Found(_identity(v.config, reasons), reasons) for v, reasons in zip(variants, idle_of, strict=True)]
    warnings = _same(document, drafts, variants, found, is_design)
    useless = _useless_factors(variants, found) if is_design and not document.problems else {}
    for factor, why in useless.items():
        document.report(("factors", factor), f"{factor} does nothing here{why}; remove it", key=True)
    return warnings + _undone(variants)


def _same(
    document: Document, drafts: Sequence[VariantDraft], variants: Sequence[Variant], found: Found, is_design: bool
) -> list[str]:
    """What differs in no field is reported, and without a design what differs in none that acts; else warned of."""
    warnings: dict[str, list[str]] = {}
    for first, *others in _groups(found):
        reasons: dict[str, None] = {}
        for other in others:
            names = _different(variants[first].config, variants[other].config)
            why = listed(f"{name}{_because(name, found[other].reasons)}" for name in names)
            pair = f"the variants {variants[first].name!r} and {variants[other].name!r} come to the same"
            if not names:
                message = f"{pair} configuration, so only chance would tell them apart; remove one"
                document.report(drafts[other].origin, message, key=True)
            elif not is_design:
                message = f"{pair} training, because they differ only in {why}; remove one"
                document.report(drafts[other].origin, message, key=True)
            else:
                reasons[why] = None
        if reasons:
            members = [repr(variants[i].name) for i in (first, *others)]
            more = [f"{len(members) - _LISTED} more"] if len(members) > _LISTED else []
            warnings.setdefault("; ".join(reasons), []).append(listed([*members[:_LISTED], *more]))
    return [
        f"warning: {groups[0]} differ only in {why}: their results will be the same, and each is trained"
        f"{f'; so it is with {len(groups) - 1} more of these' if len(groups) > 1 else ''}"
        for why, groups in warnings.items()
    ]


def _groups(found: Found) -> list[list[int]]:
    """The places of variants that come to the same training."""
    groups: dict[str, list[int]] = {}
    for i, each in enumerate(found):
        groups.setdefault(each.identity, []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _different(one: Config, other: Config) -> list[str]:
    """The fields in which two configurations differ."""
    ours, theirs = one.flat(), other.flat()
    names = dict.fromkeys((*ours, *theirs))
    return [name for name in names if level_identity(ours.get(name)) != level_identity(theirs.get(name))]


def _because(name: str, reasons: Mapping[str, str]) -> str:
    reason = reasons.get(name) or next((why for field, why in reasons.items() if field.startswith(f"{name}.")), "")
    return f" ({reason})" if reason else ""


def _useless_factors(variants: Sequence[Variant], found: Found) -> dict[str, str]:
    """Factors whose levels come to the same wherever the other factors are equal, and why."""
    useless = {}
    for factor in variants[0].levels:
        among: dict[str, set[str]] = {}
        is_compared = False
        for variant, each in zip(variants, found, strict=True):
            others = level_identity({name: level for name, level in variant.levels.items() if name != factor})
            is_compared |= others in among
            among.setdefault(others, set()).add(each.identity)
        if is_compared and all(len(identities) == 1 for identities in among.values()):
            useless[factor] = _because(factor, found[0].reasons)
    return useless


def _undone(variants: Sequence[Variant]) -> list[str]:
    """A warning where the brightness is varied and cannot matter but for rounding."""
    levels = {level_identity(variant.config.augment.brightness) for variant in variants}  # type: ignore[attr-defined]
    if len(levels) < 2 or not all(undone(variant.config) for variant in variants):
        return []
    return [
        "warning: augment.brightness is undone by the standardization that follows it: variants that differ only in it "
        "differ by rounding, and so by chance"
    ]


def _identity(config: Config, reasons: Mapping[str, str]) -> str:
    """Equal for configurations whose fields that act are equal; a model is known by its function."""
    from zoo import models

    entry = models.entry(config.model)
    acting: dict[str, Any] = {name: value for name, value in config.flat().items() if name not in reasons}
    acting |= {"model": f"{entry.function.__module__}.{entry.family} {entry.source_sha256()}", "recipe": ""}
    return level_identity(acting)
