"""What a report leaves behind: every format, each file whole or not there."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import reports


@pytest.fixture(scope="module")
def written(pair_store, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "out"
    reports.write("pair", folder, ("csv", "parquet", "png", "svg", "tex", "md"), pair_store)
    return folder


def test_every_format_is_there_and_nothing_else(written):
    names = {path.name for path in written.iterdir()}
    pictures = {f"{name}.{kind}" for name in ("accuracy_vs_size", "learning_curves") for kind in ("png", "svg")}
    frames = {f"{name}.{kind}" for name in ("runs", "variants") for kind in ("csv", "parquet")}
    assert names == {"report.md", "report.tex", "points.parquet", *pictures, *frames}


def test_pictures_are_for_print_and_for_the_screen(written):
    with Image.open(written / "accuracy_vs_size.png") as image:
        assert image.size[0] == 7 * 300
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    for name in ("accuracy_vs_size", "learning_curves"):
        root = ElementTree.parse(written / f"{name}.svg").getroot()
        assert root.get("viewBox").startswith("0 0 504 ")


def test_parquet_holds_what_csv_holds_with_its_types(written):
    for name in ("runs", "variants"):
        typed, plain = pd.read_parquet(written / f"{name}.parquet"), pd.read_csv(written / f"{name}.csv")
        assert list(typed) == list(plain)
        assert typed["params"].tolist() == plain["params"].tolist() == [1068298] * len(plain)
    assert str(pd.read_parquet(written / "runs.parquet")["params"].dtype) == "Int64"


def test_points_are_the_histories_with_their_variants(written):
    points = pd.read_parquet(written / "points.parquet")
    assert len(points) == 4 * 4 * 3  # runs, metrics, steps
    chosen = points.query("variant == 'on' and seed == 1 and metric == 'test/accuracy_raw'")
    assert chosen["step"].tolist() == [100, 200, 300]
    assert chosen["value"].tolist() == pytest.approx([0.4, 0.85, 0.8])


def test_the_report_links_to_the_pictures_that_were_asked_for(pair_store, tmp_path):
    reports.write("pair", tmp_path, ("md", "svg"), pair_store)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "](accuracy_vs_size.svg)" in text
    assert "](learning_curves.svg)" in text


def test_the_page_has_a_picture_for_every_cost_that_differs(pair_store, tmp_path):
    report = reports.write("pair", tmp_path, ("csv", "html"), pair_store)
    assert report.paths[0] == tmp_path / "report.html"
    text = report.paths[0].read_text(encoding="utf-8")
    panels = re.findall(r"<figcaption>Test accuracy against ([^<]+)</figcaption>(?:\s|<div[^>]*>)*<svg", text)
    assert panels == ["operations", "latency", "training time"]  # parameters, MACs and the file are the same for both
    assert "All variants have 1,068,298 parameters and 18,472,512 multiply-adds." in text
    assert "Test accuracy of every variant against the training step" in text
    assert not (tmp_path / "accuracy_vs_size.png").exists()


def test_the_same_report_twice_is_the_same_bytes(pair_store, written, tmp_path):
    reports.write("pair", tmp_path, ("csv", "png", "svg", "tex", "md"), pair_store)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written / path.name).read_bytes(), path.name


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_what_interrupts_writing_leaves_the_file_that_was_there(pair_store, tmp_path, monkeypatch, error):
    (tmp_path / "variants.csv").write_text("of an earlier report")
    real = os.replace

    def replace(source, target):
        if Path(target).name == "variants.csv":
            raise error
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises((reports.ReportError, KeyboardInterrupt)) as raised:
        reports.write("pair", tmp_path, ("md", "csv"), pair_store)
    if isinstance(error, OSError):
        assert re.search(r"cannot write .*variants\.csv: No space left.*--out", str(raised.value))
    assert (tmp_path / "variants.csv").read_text() == "of an earlier report"
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "variants.csv"}


def test_what_cannot_be_drawn_leaves_no_folder(pair_store, tmp_path, monkeypatch):
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reports.write("pair", tmp_path / "new", ("md", "png"), pair_store)
    assert list(tmp_path.iterdir()) == []
