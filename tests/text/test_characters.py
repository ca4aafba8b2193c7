"""Characters that act on what shows them are shown, and Markdown shows text as text."""

from __future__ import annotations

import json

import pytest
from markdown_it import MarkdownIt

from zoo.text.characters import visible, visible_json, without_half_pairs
from zoo.text.markdown import code, code_block, escape, escape_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é λ ± 日本 👩‍🔬\n\tx", "plain é λ ± 日本 👩‍🔬\n\tx"),
        ("\x1b[2J\x9b2J\x07\r", "\\x1b[2J\\x9b2J\\x07\\x0d"),
        ("a\u202eb\u2066\u200f\ufeff", "a\\u202eb\\u2066\\u200f\\ufeff"),
        ("\U000e0041\u2028\ud800", "\\U000e0041\\u2028\\ud800"),
    ],
)
def test_acting_characters_are_escapes(text, shown):
    assert visible(text) == shown
    document = json.dumps({"a": text.replace("\ud800", "")}, ensure_ascii=False)
    assert json.loads(visible_json(document)) == json.loads(document)
    assert visible(visible_json(document)) == visible_json(document)


def test_half_a_pair_is_replaced():
    assert without_half_pairs("a\ud800b\udfff") == "a\ufffdb\ufffd"


HOSTILE = [
    *(
        "![x](http://evil/p.png)",
        "[x](javascript:alert(1))",
        "![x][y]",
        "[y]: http://evil",
        "[^1]: note",
        "<img src=x>",
    ),
    *("`` ``` `", "```sh", "~~~", "# head", "> quote", "- item", "+ item", "1. item", "2) item", "===", "---", "* * *"),
    *("a | b", "*b* __c__ ~~d~~ ~e~", "&lt;b&gt; &#x202e; &copy;", "$x$ $$y$$", "\\", "<http://evil>", "_a_ b_c __d"),
]
BLOCKS = {f"{kind}_{end}" for kind in ("paragraph", "bullet_list", "list_item") for end in ("open", "close")}


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_text_as_it_is(text):
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for source in (escape_line(text), f"- {escape_line(text)}", code(text), f"| h |\n| :-- |\n| {escape(text)} |"):
        tokens = parser.parse(source)
        inline = [child for token in tokens for child in token.children or []]
        assert {child.type for child in inline} <= {"text", "text_special", "code_inline"}, source
        if not source.startswith("|"):
            assert {token.type for token in tokens} - BLOCKS == {"inline"}, source
        assert "".join(child.content for child in inline).removeprefix("h") == text, source
    (block,) = parser.parse(code_block(text, "sh"))
    assert (block.type, block.content) == ("fence", f"{text}\n")
