"""How far a running sweep is, in its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.html_reader import Read

import reports
from reports.writers import progress

TEXT = "4 of 6 runs have a result, as of 12:03:04"


def notices(page: str) -> list[dict]:
    return [attributes for _, attributes in Read(page).tags if attributes.get("id") == "progress"]


def refreshes(page: str) -> int:
    return sum(attributes.get("http-equiv") == "refresh" for _, attributes in Read(page).tags)


def test_a_report_gets_one_notice_that_is_replaced_and_taken_away_again(full):
    once = progress.marked(full, "3 of 6 runs have a result", is_running=True)
    page = progress.marked(once, TEXT, is_running=True)
    assert notices(page) == [{"class": "notice", "id": "progress", "role": "status", "data-reload": "30"}]
    assert TEXT in page and "3 of 6" not in page and "<b>Running:</b>" in page
    assert "<noscript>" in page and refreshes(page) == 1  # without JavaScript the browser reloads it
    stopped = progress.marked(page, "Stopped: 4 of 6 runs have a result", is_running=False)
    assert "data-reload" not in notices(stopped)[0] and refreshes(stopped) == 0
    assert progress.marked(stopped, "", is_running=False) == full


def test_before_there_is_a_report_the_page_has_the_accuracies(tmp_path):
    accuracies = {"<b>on</b>": (80.126, 81.0), "off \x1b[31m": ()}
    reports.show_progress("<i>s", "Does <script>it</script> matter?", TEXT, accuracies, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert TEXT in page and "80.13, 81.00" in page and refreshes(page) == 1 and "<noscript>" not in page
    assert "<script" not in page and "<b>on" not in page and "\x1b" not in page
    reports.show_progress("<i>s", "Does it matter?", "Stopped: none", accuracies, tmp_path, is_running=False)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Stopped: none" in page and refreshes(page) == 0 and len(notices(page)) == 1


def test_a_report_that_is_there_is_kept_and_says_how_far_the_sweep_is(full, tmp_path):
    (tmp_path / "report.html").write_text(full, encoding="utf-8")
    reports.show_progress("s", "Does it matter?", TEXT, {}, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert TEXT in page and progress.marked(page, "", is_running=False) == full


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"no page"])
def test_what_is_no_report_is_replaced(content, tmp_path):
    (tmp_path / "report.html").write_bytes(content)
    reports.show_progress("s", "Does it matter?", TEXT, {"on": (80.0,)}, tmp_path)
    assert "80.00" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_report_of_a_running_sweep_says_so(pair_store, tmp_path):
    reports.write("pair", tmp_path, ("html",), pair_store, running=TEXT)
    assert TEXT in (tmp_path / "report.html").read_text(encoding="utf-8")
    reports.write("pair", tmp_path, ("html",), pair_store)
    assert notices((tmp_path / "report.html").read_text(encoding="utf-8")) == []


def test_showing_progress_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, reports; reports.show_progress('s', 'q', 't', {}, sys.argv[1]); "
        "print({'pandas', 'numpy', 'jinja2', 'mlflow', 'matplotlib', 'scipy'} & {*sys.modules})"
    )
    line = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(line, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
