"""Characters that act on whatever shows them, made visible: text of others goes through here before it is shown."""

from __future__ import annotations

import json
import re
import unicodedata

_ACTING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # controls, directions and the invisible, half pairs, line ends
_HARMLESS = frozenset("\n\t\u00ad\u200c\u200d")  # a soft hyphen, and what joins letters of some scripts and emoji


def visible(text: str) -> str:
    """For a terminal or a page: the text with each acting character as an escape (``\\x1b``, ``\\u202e``)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if _acts(letter) else letter for letter in text)


def visible_json(document: str) -> str:
    """The same for a JSON document, which stays the same document."""
    return "".join(json.dumps(letter)[1:-1] if _acts(letter) else letter for letter in document)


def without_half_pairs(text: str) -> str:
    """With a replacement character for each half of a surrogate pair, which no file or store can hold."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def _acts(letter: str) -> bool:
    return unicodedata.category(letter) in _ACTING and letter not in _HARMLESS


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
