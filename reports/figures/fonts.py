"""Fonts for letters that matplotlib's own lacks: installed ones that have them; and names for letters that none has."""

from __future__ import annotations

import unicodedata
from functools import cache

from zoo.text.characters import visible

OWN = "DejaVu Sans"  # comes with matplotlib
NO_SHAPE = frozenset("\ufe0e\ufe0f\u200d\u200c\u00ad")  # they choose and join the shapes of others


def drawable(text: str) -> str:
    """``text`` as it can be drawn without a gap: a letter that no installed font has by its Unicode name in brackets."""
    text = visible(text)
    if text.isascii():
        return text
    return "".join(_named(letter) for letter in text if letter not in NO_SHAPE or letter in _letters(OWN))


def families(text: str) -> list[str]:
    """Names of the fonts that have the letters of ``text`` between them, in the order to look in."""
    if text.isascii():
        return [OWN]
    return list(dict.fromkeys([OWN, *(found for letter in dict.fromkeys(text) if (found := _family_of(letter)))]))


def _named(letter: str) -> str:
    if letter.isspace() or _family_of(letter):
        return letter
    return f"[{unicodedata.name(letter, f'U+{ord(letter):04X}').lower()}]"


@cache
def _family_of(letter: str) -> str:
    """The first font that has it; "" where none has."""
    if letter in _letters(OWN):
        return OWN
    return next((family for family in _others() if letter in _letters(family)), "")


@cache
def _others() -> tuple[str, ...]:
    """The installed families, those without serifs and of changing width first; no fonts of boxes or for formulas."""
    found = (name for name in _files() if not name.startswith(("Last", "cm", "STIX", "DejaVu")))
    unlike = ("Serif", "Mono", "Condensed", "Narrow")
    return tuple(sorted(found, key=lambda name: (sum(word in name for word in unlike), "Sans" not in name, name)))


@cache
def _files() -> dict[str, str]:
    """Family -> the file of its upright letters."""
    from matplotlib.font_manager import fontManager

    regular = (
        font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal", "regular")
    )
    return {font.name: font.fname for font in regular}


@cache
def _letters(family: str) -> frozenset[str]:
    from matplotlib.font_manager import get_font

    return frozenset(map(chr, get_font(_files()[family]).get_charmap())) if family in _files() else frozenset()
