"""python -m reports --index: the list of all sweeps of a store, in the terminal and as a page."""

from __future__ import annotations

import pytest
from helpers.html_reader import Read
from helpers.stores import Writer, curve

import reports
from reports import __main__ as command_line
from reports.errors import ReportError


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> str:
    """``lrn``: 3 of 4 runs, so that the one comparison has no verdict; ``<b>odd</b>``: damaged; one that is no sweep."""
    folder = tmp_path_factory.mktemp("index")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    odd = writer.sweep("<b>odd</b>", ["a", "b"], [0], question="<script>alert(1)</script>")
    writer.client.set_experiment_tag(odd, "margin", "much")
    lrn = writer.sweep("lrn", ["on", "off"], [0, 1], question="Does LRN matter?")
    for variant, seed in (("on", 0), ("on", 1), ("off", 0)):
        writer.run(lrn, variant, seed, curve(0.8))
    done = writer.sweep("done", ["on", "off"], [0, 1, 2])
    for variant, finals in {"on": (0.80, 0.801, 0.802), "off": (0.90, 0.901, 0.902)}.items():
        for seed, final in enumerate(finals):
            writer.run(done, variant, seed, curve(final))
    writer.client.create_experiment("bare", artifact_location=(folder / "bare").as_uri())
    return address


def test_every_sweep_has_a_line_with_what_came_out(store, tmp_path, capsys):
    assert command_line.main(["--index", "--out", str(tmp_path), "--tracking-uri", store]) == 0
    lines = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines() if "  " in line}
    assert "3 of 4" in lines["lrn"] and "1 no verdict" in lines["lrn"] and "Does LRN matter?" in lines["lrn"]
    assert "6 of 6" in lines["done"] and "1 helps" in lines["done"]
    assert "cannot be read" in lines["<b>odd</b>"] and "margin" in lines["<b>odd</b>"]
    assert "bare" not in lines


def test_the_page_leads_to_the_reports_that_are_there_and_text_stays_text(store, tmp_path):
    (tmp_path / "lrn").mkdir()
    (tmp_path / "lrn" / "report.html").write_text("")
    report = reports.index(tmp_path, store)
    page = report.paths[0].read_text(encoding="utf-8")
    assert page.count("<a href=") == 1 and '<a href="lrn/report.html">lrn</a>' in page
    assert "<b>odd" not in page and "<script" not in page and "&lt;b&gt;odd" in page
    assert Read(page).tags


def test_a_store_without_a_sweep_is_said(tmp_path):
    folder = tmp_path / "none"
    folder.mkdir()
    writer = Writer(f"sqlite:///{folder / 'mlflow.db'}", folder)
    writer.client.create_experiment("bare", artifact_location=(folder / "bare").as_uri())
    with pytest.raises(ReportError, match="holds no sweep yet"):
        reports.index(tmp_path, f"sqlite:///{folder / 'mlflow.db'}")


def test_in_a_notebook_a_report_a_difference_and_a_frame_show_themselves(store, tmp_path):
    report = reports.write("done", tmp_path, ("md", "png"), store)
    shown = report._repr_html_()
    assert "data:image/png;base64," in shown and "report.md" in shown and "helps" in shown
    difference = reports.compare("done:on:0", "done:off:0", store)._repr_html_()
    assert difference.startswith("<pre") and "+10.00 points" in difference
    assert "done" in reports.load("done", store)._repr_html_()


def test_in_a_notebook_text_of_others_is_text(tmp_path):
    report = reports.Report((tmp_path / "<b>.png", tmp_path / "gone.png"), "<img src=x onerror=alert(1)> \x1b[31m")
    shown = report._repr_html_()
    assert "<b>" not in shown and "<img" not in shown and "\x1b" not in shown
