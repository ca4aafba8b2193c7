"""Levels and lists of words in a sentence."""

from __future__ import annotations

from zoo.text.listing import level_text, listed


def test_lists_of_words():
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_levels():
    levels = ["adam", True, None, 0.5, ((5, 64), (3, 96)), {"b": 1, "a": None}]
    texts = ["adam", "true", "null", "0.5", "[[5, 64], [3, 96]]", '{"a": null, "b": 1}']
    assert [level_text(level) for level in levels] == texts
