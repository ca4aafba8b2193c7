"""Every text of others, sent through every output: it is shown as text, and acts on nothing.

The texts come as they would from a store that others write to, and from a question.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.html_reader import Read
from helpers.stores import Writer, costs, curve
from helpers.tracked import ask
from markdown_it import MarkdownIt
from rich.console import Console

import reports
from reports.__main__ import main
from zoo.execution import failures
from zoo.execution.progress import Display
from zoo.storage.states import TrainingState
from zoo.tracking import experiment, run_contents

ATTACKS = {  # what it would do -> text
    "formula": "=cmd|'/C calc'!A0",
    "plus": "+1+cmd|' /C calc'!A0",
    "at": "@SUM(1+9)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "image": "![x](http://evil.example/p.png)",
    "link": "[x](javascript:alert(1))",
    "definition": "[x]: http://evil.example",
    "html": "<img src=http://evil.example/p.png onerror=alert(1)></script><script>alert(1)</script>",
    "fence": "```\n# heading\n```",
    "ticks": "`` ` ```",
    "escape": "\x1b]0;title\x07\x1b[2J\x9b31m",
    "direction": "abc\u202egnp.exe\u2066",
    "invisible": "a\u200bb\ufeff\U000e0041",
    "markup": "[/bold] [red]x[/red] [link=http://evil]:smile: [",
    "latex": "\\input{/etc/passwd} % $x^2$ {",
    "formula of a picture": "$\\frac{1}{$ ${$",
    "lines": "one\ntwo\r\nthree\u2028four",
    "entity": "&#x202e;&lt;b&gt;",
}
ALL = " ".join(ATTACKS.values())
# MLflow takes no name with a control in it, but whoever can write the database can.
NAME = "=evil [x](y) \u202e"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("hostile")
    writer = Writer(f"sqlite:///{folder / 'mlflow.db'}", folder)
    variants = list(ATTACKS.values())
    figures = [
        {"variant": text, "against": "", "low": 1.0, "high": 2.0, "seeds": 1, "source": text, "claim": text}
        for text in variants
    ]
    tags = {
        "question": ALL,
        "command": f"python run_sweep.py {ALL}",
        "levels": json.dumps({text: {ALL: text, "other": index} for index, text in enumerate(variants)}),
        "published": json.dumps([*figures, figures[0] | {"source": "\ud800 half"}]),
    }
    name = writer.sweep(NAME, variants, [0, 1], **tags)
    files = folder / "files"
    files.mkdir()
    (files / "environment.json").write_text(json.dumps({"cpu": ALL, "system": "\ud800", "packages": {"numpy": ALL}}))
    for index, text in enumerate(variants):
        for seed in range(2):
            told = {"device": text, "git_commit": text, "data_sha256": text, "status_detail": text}
            status = "FAILED" if index == 3 else "FINISHED"
            run = writer.run(name, text, seed, curve(0.5 + 0.01 * index), status, costs(1000 + index, 1.0, 0.5), **told)
            writer.client.log_artifacts(run, str(files))
            writer.client.log_param(run, f"own.{index}", text)
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture(scope="module")
def written(store, tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("out")
    report = reports.write(NAME, folder, reports.ALL_FORMATS, store)
    return folder, report.summary


def assert_acts_on_nothing(text: str) -> None:
    acting = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert acting <= {"\n", "\t"}, acting


FILES = ["report.html", "report.md", "report.tex", "variants.csv", "runs.csv", "learning_curves.svg"]


@pytest.mark.parametrize("name", FILES)
def test_no_file_has_a_character_that_acts(written, name):
    assert_acts_on_nothing((written[0] / name).read_text(encoding="utf-8"))


def test_the_page_has_no_element_of_theirs(written):
    page = Read((written[0] / "report.html").read_text(encoding="utf-8"))
    assert page.all("script") == [{"type": "application/json", "id": "look-data"}, {}]
    assert not [image for image in page.all("img") if not image.get("src", "").startswith("data:")]
    assert all(link["href"].startswith(("#", "http://localhost:5000/#/")) for link in page.all("a"))
    assert "[/bold] [red]x[/red]" in page.words and "\\x1b]0;title" in page.words


def test_no_section_of_the_page_has_failed(written):
    assert "This part could not be made" not in (written[0] / "report.html").read_text(encoding="utf-8")


def test_markdown_has_no_element_of_theirs(written):
    text = (written[0] / "report.md").read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in token.children or []]
    images = [child.attrs["src"] for child in inline if child.type == "image"]
    assert all(re.fullmatch(r"\w+\.png", source) for source in images)
    assert not [child for child in inline if child.type in ("link_open", "html_inline", "s_open")]
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    assert "heading" not in headings and len([token for token in tokens if token.type == "fence"]) == 1
    assert {token.content for token in tokens if token.type == "html_block"} <= {
        *(each for each in re.findall(r"</?details>.*\n?", text)),
    }


def test_no_cell_of_a_csv_file_is_a_formula(written):
    for name in ("variants.csv", "runs.csv"):
        for row in csv.reader(io.StringIO((written[0] / name).read_text(encoding="utf-8"))):
            for cell in row:
                is_number = re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell)
                assert is_number or not cell.lstrip().startswith(("=", "+", "-", "@")), cell


def test_the_terminal_gets_no_escape(store, tmp_path, capsys):
    folder = str(tmp_path / "out")
    assert main([NAME, "--tracking-uri", store, "--out", folder, "--format", "md"]) == 0
    assert main(["accuracy-vs-size", NAME, "--tracking-uri", store, "--out", folder, "--format", "csv"]) == 0
    runs = reports.load(NAME, store)["run_id"]
    for options in ([], ["--json"]):
        assert main(["diff", runs[0], runs[1], "--tracking-uri", store, *options]) == 0
    document = capsys.readouterr().out
    assert main(["diff", ALL, "x", "--tracking-uri", store]) == 2
    assert main([ALL, "--tracking-uri", store, "--out", folder]) == 2
    output = capsys.readouterr()
    for text in (document, output.out, output.err):
        assert_acts_on_nothing(text)
    assert "\\x1b]0;title" in document


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_a_sweep_shows_and_keeps_hostile_names_as_text(text, tmp_path):
    plan = ask(tmp_path)
    variants = tuple(replace(variant, name=text) for variant in plan.question.variants[:1])
    question = replace(plan.question, name=text, question=text, baseline=text, variants=variants)
    runs = tuple(replace(run, variant=variants[0]) for run in plan.trainings[0].runs)
    training = replace(plan.trainings[0], runs=runs)
    for terminal in (False, True):
        screen = io.StringIO()
        display = Display([training], {})
        display.console = Console(file=screen, force_terminal=terminal, highlight=False, soft_wrap=True, width=300)
        with display.shown(text):
            display.print(text)
            display.started(training)
            display.waiting(training, text)
            display.retrying(training, text, text)
            display.ended(training, TrainingState.FAILED, text)
        if not terminal:  # where there is one, rich writes escapes of its own
            assert_acts_on_nothing(screen.getvalue())
        assert not {"\u202e", "\x9b", "\x07"} & set(screen.getvalue())
    asked = replace(plan, question=question, runs=runs, trainings=(training,))
    for note in (experiment._note(asked), run_contents._note(runs[0], training, text)):
        inline = [child for token in MarkdownIt().parse(note) for child in token.children or []]
        assert {child.type for child in inline} <= {"text", "text_special", "code_inline", "softbreak"}, note
        assert_acts_on_nothing(note)
    assert text in failures.failed_text([(training, text)], text, False)


@pytest.mark.parametrize("name", ["/tmp/elsewhere", "../elsewhere", "x/../../elsewhere", "..", ".", "", "a\0b"])
def test_no_name_of_an_experiment_puts_the_report_elsewhere(name, store):
    with pytest.raises(
        reports.ReportError, match="would put the report outside of results/; choose a folder with --out"
    ):
        reports.write(name, tracking_uri=store)
