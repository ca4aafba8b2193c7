"""The LaTeX table: what is printed is what was written."""

from __future__ import annotations

import re

import pytest
from helpers.stores import ODD

import reports
from reports.analysis import variants
from reports.store import reader
from reports.writers import latex


def printed(tex: str) -> str:
    """What LaTeX prints for text without environments: an own small reading of it, so that an escape can be wrong."""
    names = {
        **{"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">"},
        **{"textbar": "|", "textquotedbl": '"', "textasciigrave": "`", "textquotesingle": "'", "lambda": "λ"},
        **{"pm": "±", "times": "\u00d7", "ldots": "…"},
    }
    out, groups, index = [], 0, 0
    while index < len(tex):
        command = re.compile(r"\\([a-zA-Z]+)( *)").match(tex, index)
        if command and command[1] == "ensuremath":
            index = command.end()
        elif command:
            assert not command[2], "LaTeX eats the space after a command"
            out.append(names[command[1]])
            index = command.end()
        elif tex[index] == "\\":
            assert tex[index + 1] in "&%$#_{}", tex[index:]
            out.append(tex[index + 1])
            index += 2
        else:
            groups += {"{": 1, "}": -1}.get(tex[index], 0)
            assert groups >= 0
            assert tex[index] not in "&%$#_~^", f"{tex[index]} means something"
            assert tex[index : index + 2] not in ("--", ",,", "''", "``"), "two of them are one letter"
            out.append("" if tex[index] in "{}" else tex[index])
            index += 1
    assert groups == 0
    return "".join(out)


@pytest.mark.parametrize("text", [ODD, "--- ,,, '''", "*[x]", "\\\\", "{{}}", "a\nb\tc", "日本 → x", "-0.1, [1]"])
def test_latex_prints_what_was_written(text):
    if "→" in text:
        assert latex.escape(text) == r"日本 \ensuremath{\rightarrow} x"
    else:
        assert printed(latex.escape(text)) == " ".join(text.split())


def test_a_row_never_begins_with_what_belongs_to_the_row_before():
    assert latex.escape("[2pt] x").startswith("{[}")
    assert latex.escape("* x").startswith("{*}")


def test_the_latex_table_by_hand(pair_store, tmp_path):
    reports.write("pair", tmp_path, ("tex",), pair_store)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    assert text.startswith("% Table of the sweep pair.")
    assert r"\usepackage{booktabs}" in text
    body = "".join(line for line in text.splitlines(True) if not line.startswith("%"))
    opened = re.findall(r"\\begin\{(\w+)\}", body)
    assert opened == ["table", "tabular"] == re.findall(r"\\end\{(\w+)\}", body)[::-1]
    rows = [
        re.split(r"(?<!\\)&", line.strip().removesuffix(r"\\")) for line in body.splitlines() if line.endswith(r"\\")
    ]
    assert [len(row) for row in rows] == [8, 8, 8]
    _, on, odd = ([cell.strip() for cell in row] for row in rows)
    # 80 and 82: 81 with a deviation of sqrt(2); 70 and 74: 72 with sqrt(8)
    assert on == [r"\textbf{on}", r"$81.00 \pm 1.41$ (2)", "--", "", "1,068,298", "18,472,512", "1.7 min", "0.8"]
    assert printed(odd[0]) == ODD
    assert odd[1] == r"$72.00 \pm 2.83$ (2)"
    assert odd[2].startswith("$-9.00$ $[")
    assert odd[4:] == ["1,068,298", "18,472,512", "50 s", "0.4"]


def test_letters_that_need_another_latex_are_announced(pair_store):
    data = reader.read("pair", pair_store)
    frame = variants.frame(data)
    assert "LuaLaTeX" not in latex.render(data, frame)
    assert "LuaLaTeX" in latex.render(data, frame.assign(variant=["日本", "b"]))
