"""How levels of factors and lists of words are written in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = list(words)
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def level_text(level: Any) -> str:
    """A level as a question writes it: text as it is, anything else as JSON (``true``, ``0.5``, ``[1, 2]``)."""
    return level if isinstance(level, str) else json.dumps(level, sort_keys=True)
