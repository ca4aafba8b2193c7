"""Published figures from a CSV file: read, drawn among the others, and every mistake answered with its place."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from reports import ReportError
from reports.store import imported

GOOD = """\
name,accuracy_percent,params,macs,latency_ms,sd_points,source
"ResNet-20, plain",91.25,272474,4.1e7,,0.2,He et al. 2016
SqueezeNet,80.2,,,2.5,,
"""


def written(tmp_path, text: str, name: str = "published.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_figures_are_read_with_what_is_not_known_missing(tmp_path):
    for mark in ("", "\ufeff"):  # as spreadsheets save it
        frame = imported.read(written(tmp_path, mark + GOOD))
        assert frame["variant"].tolist() == ["ResNet-20, plain", "SqueezeNet"]
        assert frame["accuracy_percent_mean"].tolist() == [91.25, 80.2]
        assert frame["accuracy_percent_sd"].tolist() == [0.2, pytest.approx(math.nan, nan_ok=True)]
        assert frame["params"].tolist() == [272474, pd.NA]
        assert frame["macs"].tolist()[0] == 41_000_000
        assert frame["latency_ms"].tolist()[1] == 2.5
        assert frame["source"].tolist() == ["He et al. 2016", "published.csv"]
        assert frame["imported"].all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"published\.csv is empty; the columns are name and accuracy_percent"),
        ("name,accuracy_percent,params\n", "has no figures: a header and nothing below it"),
        ("name,acuracy_percent,params\na,90,1", r"line 1, column 'acuracy_percent': .*did you mean 'accuracy_percent'"),
        ("name,accuracy_percent,params,params\na,90,1,1", "line 1, column 'params': there twice"),
        ("name,params\na,1", "line 1: there is no column 'accuracy_percent'"),
        ("name,accuracy_percent\na,90", "line 1: there is no column of a cost"),
        ("name;accuracy_percent;params\na;90;1", "line 1: fields are separated by commas"),
        ("name,accuracy_percent,params\na,90,1\n\nb,ninety,1", r"line 4, column 'accuracy_percent': 'ninety' is not"),
        ('name,accuracy_percent,params\n"a\nb",90,1\nc,101,1', "line 4, column 'accuracy_percent': 101 is not between"),
        ("name,accuracy_percent,params\na,nan,1", "line 2, column 'accuracy_percent': 'nan' is not a number"),
        ("name,accuracy_percent,params\na,,1", "line 2, column 'accuracy_percent': every figure has an accuracy"),
        ("name,accuracy_percent,params\na,0.91,1\nb,0.9,2", "line 2, column 'accuracy_percent': .*look like fractions"),
        ("name,accuracy_percent,params\n,90,1", "line 2, column 'name': every figure has a name"),
        ('name,accuracy_percent,params\na,90,"1,068"', "line 2, column 'params': '1,068' .*thousands without commas"),
        ("name,accuracy_percent,params\na,90,1,068", "line 2: 4 fields under a header of 3; a field with a comma"),
        ("name,accuracy_percent,params\na,90", "line 2: 2 fields under a header of 3$"),
        ("name,accuracy_percent,params\na,90,1.5", "line 2, column 'params': 1.5 is not a whole number"),
        ("name,accuracy_percent,params\na,90,0", "line 2, column 'params': 0 is not above 0"),
        ("name,accuracy_percent,params\na,90,", "line 2: 'a' has no cost: it takes one of params"),
        ("name,accuracy_percent,params,sd_points\na,90,1,-1", "line 2, column 'sd_points': .*not negative"),
        ('name,accuracy_percent,params\n"a,90,1', "line 2: not CSV"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(tmp_path, text, message):
    with pytest.raises(ReportError, match=message) as told:
        imported.read(written(tmp_path, text))
    assert str(tmp_path / "published.csv") in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"cannot read .*absent\.csv: No such file"):
        imported.read(tmp_path / "absent.csv")
    with pytest.raises(ReportError, match=r"cannot read .*: Is a directory"):
        imported.read(tmp_path)
    (tmp_path / "latin.csv").write_bytes("name,accuracy_percent,params\nMüller,90,1".encode("latin-1"))
    with pytest.raises(ReportError, match=r"latin\.csv is not UTF-8 text"):
        imported.read(tmp_path / "latin.csv")
