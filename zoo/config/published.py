"""Published figures that a question carries, for the report to set beside its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.config.document import Document, ItemPath, shown
from zoo.text.suggestions import did_you_mean

KEYS = ("variant", "against", "accuracy", "difference", "seeds", "source", "claim")
_EXAMPLE = "{variant: tuto, accuracy: 81.4, source: where it stands}"


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


def published(document: Document, variants: Collection[str], baseline: str) -> tuple[Claim, ...]:
    """The claims under ``published``, in order; what is wrong with them is reported in the document."""
    listed = document.data.get("published")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        document.report(("published",), f"published must be a list of figures ({_EXAMPLE}), not {shown(listed)}")
        return ()
    found = [_claim(document, ("published", i), item, variants, baseline) for i, item in enumerate(listed)]
    return tuple(claim for claim in found if claim is not None)


def _claim(document: Document, path: ItemPath, item: Any, variants: Collection[str], baseline: str) -> Claim | None:
    wrong: list[ItemPath] = []  # not counted by the document: it tells of a place once, and may have done so already

    def refuse(place: ItemPath, message: str, key: bool = False) -> None:
        wrong.append(place)
        document.report(place, message, key=key)

    if not isinstance(item, Mapping):
        refuse(path, f"a published figure must be a mapping ({_EXAMPLE}), not {shown(item)}")
        return None
    for key in item:
        if key not in KEYS:
            meant = did_you_mean(key, KEYS) if isinstance(key, str) else ""
            refuse((*path, key), f"unknown key {shown(key)}{meant}; allowed: {', '.join(KEYS)}", key=True)
    for key in ("variant", "source"):
        if key not in item:
            refuse(path, f"a published figure needs {key}: e.g. {_EXAMPLE}")
    for key in ("source", "claim"):
        if key in item and (not isinstance(item[key], str) or not item[key].strip()):
            refuse((*path, key), f"{key} must be a text, not {shown(item[key])}")
    for key in ("variant", "against"):
        if key in item and item[key] not in variants:
            meant = did_you_mean(item[key], variants) if isinstance(item[key], str) else ""
            listed = "; ".join(list(variants)[:20])
            refuse((*path, key), f"no variant is named {shown(item[key])}{meant}; variants: {listed}")
    low, high = _figure(refuse, path, item)
    seeds = item.get("seeds", 1)
    if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= 1_000_000:
        refuse((*path, "seeds"), f"seeds must be how many trainings the figure is the mean of, not {shown(seeds)}")
    against = item.get("against", baseline) if "difference" in item else ""
    if "against" in item and "difference" not in item:
        refuse((*path, "against"), "against belongs to a difference; an accuracy stands for itself", key=True)
    elif against and against == item.get("variant"):
        refuse((*path, "variant"), f"a difference is between two variants, and {against!r} stands on both sides")
    if wrong:
        return None
    text = " ".join(item.get("claim", "").split())
    return Claim(item["variant"], against, low, high, seeds, " ".join(item["source"].split()), text)


def _figure(refuse: Callable[[ItemPath, str], None], path: ItemPath, item: Mapping[str, Any]) -> tuple[float, float]:
    """Low and high of the figure that is given, accuracy or difference."""
    given = [key for key in ("accuracy", "difference") if key in item]
    if len(given) != 1:
        what = (
            "both accuracy and difference: give one" if given else "neither accuracy (percent) nor difference (points)"
        )
        refuse(path, f"a published figure has {what}")
        return 0.0, 0.0
    (key,) = given
    value, place = item[key], (*path, key)
    least, unit = (0, "percent of test accuracy") if key == "accuracy" else (-100, "points of test accuracy")
    ends = value if isinstance(value, list) else [value, value]
    is_number = [not isinstance(end, bool) and isinstance(end, int | float) and least <= end <= 100 for end in ends]
    if len(ends) != 2 or not all(is_number):
        refuse(place, f"{key} must be {unit}, {least} to 100, or [low, high] of them, not {shown(value)}")
        return 0.0, 0.0
    if ends[0] > ends[1]:
        refuse(place, f"{key} must be [low, high], lower first, not {shown(value)}")
    return float(ends[0]), float(ends[1])
