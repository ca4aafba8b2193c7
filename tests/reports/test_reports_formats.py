"""What a report leaves behind: every format, each file whole or not there, and what can be asked wrongly."""

from __future__ import annotations

import errno
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from helpers.stores import Writer, costs, curve
from PIL import Image

import reports
from reports import __main__ as command_line
from reports.analysis import variants
from reports.figures import trade_off
from reports.html import page
from reports.store import connection, reader
from reports.writers import latex
from zoo.measure.metrics import cost_axes

ROOT = Path(__file__).parents[2]
ODD = r"a_b 50% & #1 {x} $y$ ~^\ <|> [z] ''`` --,, é λ ± 1" "\u00d72"
POINTS = "name,accuracy_percent,params,latency_ms,source\nResNet-20,91.25,272474,,He et al. 2016\ntiny,60,,0.1,\n"


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    pair = writer.sweep("pair", ["on", ODD], [0, 1])
    for place, (variant, finals) in enumerate({"on": (0.80, 0.82), ODD: (0.70, 0.74)}.items()):
        for seed, final in enumerate(finals):
            once = costs(1000 - 100 * place, 100 / (1 + place), 0.8 / (1 + place)) | {"size/onnx_bytes": 5e6}
            writer.run(pair, variant, seed, curve(final), once=once)
    writer.sweep("empty", ["x", "y"], [0], command="python run_sweep.py experiments/empty.yaml")
    writer.client.create_experiment("bare", artifact_location=(folder / "bare").as_uri())
    return address


@pytest.fixture(scope="module")
def written(uri, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "out"
    reports.write("pair", folder, ("csv", "parquet", "png", "svg", "tex", "md"), uri)
    return folder


def asked(uri: str, *arguments: str) -> int:
    return command_line.main([*arguments, "--tracking-uri", uri])


# --- the formats -------------------------------------------------------------------------------------------------


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


def test_the_report_links_to_the_pictures_that_were_asked_for(uri, tmp_path):
    reports.write("pair", tmp_path, ("md", "svg"), uri)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "](accuracy_vs_size.svg)" in text
    assert "](learning_curves.svg)" in text


def test_the_page_gets_a_picture_for_every_cost_that_was_measured(uri, tmp_path, monkeypatch):
    given = {}

    def render(sweep, frame, *, pictures, details=None):
        given.update(pictures)
        assert (sweep.name, len(frame)) == ("pair", 2)
        return "<!doctype html>ö"

    monkeypatch.setattr(page, "render", render)
    report = reports.write("pair", tmp_path, ("csv", "html"), uri)
    costs_measured = {f"accuracy_vs_size/{axis}" for axis in ("params", "macs", "ops", "latency", "train_s")}
    assert costs_measured <= set(given) <= {*costs_measured, "accuracy_vs_size/bytes", "learning_curves"}
    assert "learning_curves" in given
    assert all(text.startswith("<svg") and text.rstrip().endswith("</svg>") for text in given.values())
    assert report.paths[0] == tmp_path / "report.html"
    assert report.paths[0].read_bytes() == "<!doctype html>ö".encode()
    assert not (tmp_path / "accuracy_vs_size.png").exists()


def test_costs_of_the_command_line_are_those_that_can_be_drawn():
    assert tuple(cost_axes()) == reports.COSTS


def test_the_same_report_twice_is_the_same_bytes(uri, written, tmp_path):
    reports.write("pair", tmp_path, ("csv", "png", "svg", "tex", "md"), uri)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written / path.name).read_bytes(), path.name


# --- LaTeX -------------------------------------------------------------------------------------------------------


def printed(tex: str) -> str:
    """What LaTeX prints for text without environments: an own small reading of it, so that an escape can be wrong."""
    names = {
        **{"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">"},
        **{"textbar": "|", "textquotedbl": '"', "textasciigrave": "`", "textquotesingle": "'", "lambda": "λ"},
        **{"pm": "±", "times": "\u00d7", "ldots": "…"},
    }
    out, groups, place = [], 0, 0
    while place < len(tex):
        command = re.compile(r"\\([a-zA-Z]+)( *)").match(tex, place)
        if command and command[1] == "ensuremath":
            place = command.end()
        elif command:
            assert not command[2], "LaTeX eats the space after a command"
            out.append(names[command[1]])
            place = command.end()
        elif tex[place] == "\\":
            assert tex[place + 1] in "&%$#_{}", tex[place:]
            out.append(tex[place + 1])
            place += 2
        else:
            groups += {"{": 1, "}": -1}.get(tex[place], 0)
            assert groups >= 0
            assert tex[place] not in "&%$#_~^", f"{tex[place]} means something"
            assert tex[place : place + 2] not in ("--", ",,", "''", "``"), "two of them are one letter"
            out.append("" if tex[place] in "{}" else tex[place])
            place += 1
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


def test_the_latex_table_by_hand(written):
    text = (written / "report.tex").read_text(encoding="utf-8")
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


def test_letters_that_need_another_latex_are_announced(uri):
    data = reader.read("pair", uri)
    frame = variants.frame(data)
    assert "LuaLaTeX" not in latex.render(data, frame)
    assert "LuaLaTeX" in latex.render(data, frame.assign(variant=["日本", "b"]))


# --- whole or not at all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_what_interrupts_writing_leaves_the_file_that_was_there(uri, tmp_path, monkeypatch, error):
    (tmp_path / "variants.csv").write_text("of an earlier report")
    real = os.replace

    def replace(source, target):
        if Path(target).name == "variants.csv":
            raise error
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises((reports.ReportError, KeyboardInterrupt)) as told:
        reports.write("pair", tmp_path, ("md", "csv"), uri)
    if isinstance(error, OSError):
        assert re.search(r"cannot write .*variants\.csv: No space left.*--out", str(told.value))
    assert (tmp_path / "variants.csv").read_text() == "of an earlier report"
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "variants.csv"}


def test_what_cannot_be_drawn_leaves_no_folder(uri, tmp_path, monkeypatch):
    monkeypatch.setattr(trade_off, "accuracy_vs_size", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reports.write("pair", tmp_path / "new", ("md", "png"), uri)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reports, "write", interrupted)
    assert command_line.main(["pair"]) == 130
    assert capsys.readouterr().err.startswith("python -m reports: interrupted")


# --- several sweeps and published figures ------------------------------------------------------------------------


def test_published_figures_stand_in_the_picture_and_the_csv(uri, tmp_path, capsys):
    points = tmp_path / "published.csv"
    points.write_text(POINTS)
    out = tmp_path / "out"
    arguments = ("accuracy-vs-size", "pair", "--points", str(points), "--axis", "params,latency", "--out", str(out))
    assert asked(uri, *arguments) == 0
    names = {"accuracy_vs_size.png", "accuracy_vs_latency.png", "accuracy_vs_size.csv"}
    assert {path.name for path in out.iterdir()} == names
    frame = pd.read_csv(out / "accuracy_vs_size.csv").set_index("variant")
    assert frame["source"].to_dict() == {
        "on": np.nan,
        ODD: np.nan,
        "ResNet-20": "He et al. 2016",
        "tiny": "published.csv",
    }
    assert frame["imported"].tolist() == [False, False, True, True]
    assert frame["baseline"].tolist() == [True, False, False, False]
    by_size, by_latency = capsys.readouterr().out.split("\n\n")[:2]
    starred = [line.split()[1] for line in by_size.splitlines() if line.endswith("*")]
    assert starred == ["ResNet-20"]  # smaller and better than both
    # tiny 60 % at 0.1 ms, 72 % at 0.4 ms, 81 % at 0.8 ms: each better and slower than the one before
    assert [line.endswith("*") for line in by_latency.splitlines()[2:]] == [True, True, True]


def test_published_figures_alone_need_no_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "published.csv").write_text(POINTS)
    assert command_line.main(["accuracy-vs-size", "--points", "published.csv", "--axis", "all", "--format", "svg"]) == 0
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert names == {"accuracy_vs_size.svg", "accuracy_vs_latency.svg"}
    assert not (tmp_path / "mlflow.db").exists()
    capsys.readouterr()
    assert command_line.main(["accuracy-vs-size", "--points", "published.csv", "--axis", "macs"]) == 2
    assert "nothing of published.csv has both an accuracy and a value for macs" in capsys.readouterr().err


def test_a_bad_file_of_figures_leaves_nothing(uri, tmp_path, capsys):
    (tmp_path / "published.csv").write_text("name,accuracy_percent,parms\na,90,1\n")
    arguments = ("--points", str(tmp_path / "published.csv"), "--out", str(tmp_path / "out"))
    assert asked(uri, "accuracy-vs-size", "pair", *arguments) == 2
    message = capsys.readouterr().err
    assert "published.csv, line 1, column 'parms': no such column (did you mean 'params'?)" in message
    assert not (tmp_path / "out").exists()


# --- what can be asked wrongly -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pear",), r"no sweep 'pear' in .* \(did you mean 'pair'\?\)"),
        (("pair", "--format", "md,pgn"), r"unknown format 'pgn' \(did you mean 'png'\?\); there are: .*parquet, tex"),
        (("pair", "--format", ","), "no format was named"),
        (("accuracy-vs-size", "pair", "--format", "html"), "unknown format 'html'; there are: png, csv, svg, parquet"),
        (("accuracy-vs-size", "pair", "--axis", "latncy"), r"unknown axis 'latncy' \(did you mean 'latency'\?\)"),
        (("accuracy-vs-size", "pair", "emtpy"), r"no sweep 'emtpy' in .* \(did you mean 'empty'\?\)"),
        (("accuracy-vs-size", "empty"), "the sweep 'empty' has no result: 0 of 2 runs"),
        (("empty",), r"nothing to report: the sweep 'empty' has no result: 0 of 2 runs \(x, seed 0: not run yet; y, seed 0: "
                     r"not run yet\); run it with: python run_sweep\.py experiments/empty\.yaml"),
        (("bare",), "the sweep 'bare' has no run and names no variant"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_message_and_nothing_is_written(uri, tmp_path, capsys, arguments, message):
    assert asked(uri, *arguments, "--out", str(tmp_path / "out")) == 2
    told = capsys.readouterr()
    assert re.search(message, told.err), told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(uri, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    for out in (tmp_path / "taken", tmp_path / "taken" / "below"):
        assert asked(uri, "pair", "--out", str(out)) == 2
        assert re.search(r"cannot write .*taken: there is a file of that name; .*--out", capsys.readouterr().err)
    assert (tmp_path / "taken").read_text() == "a file"


def test_neither_sweep_nor_figures(capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(["accuracy-vs-size"])
    assert ended.value.code == 2
    assert "name a sweep" in capsys.readouterr().err


def test_a_half_written_database_is_named_and_left_as_it_is(uri, tmp_path, capsys):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE experiments (experiment_id INTEGER, name TEXT)")
    database.close()
    before = path.read_bytes()
    for arguments in (("pair",), ("diff", "abcdef", "fedcba"), ("accuracy-vs-size", "pair")):
        assert asked(f"sqlite:///{path}", *arguments) == 2
        assert re.search(r"mlflow\.db is only half written \(no table 'alembic_version'\)", capsys.readouterr().err)
    assert path.read_bytes() == before


def test_where_nobody_listens_is_said_at_once(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    assert asked(f"http://me:secret@127.0.0.1:{port}", "pair", "--out", str(tmp_path / "out")) == 2
    told = capsys.readouterr().err
    assert time.monotonic() - began < 20
    assert f"nobody answers at http://me:***@127.0.0.1:{port}: Connection refused" in told
    assert asked(f"postgresql://me:secret@127.0.0.1:{port}/runs", "diff", "abcdef", "fedcba") == 2
    assert f"nobody answers at postgresql://me:***@127.0.0.1:{port}/runs" in capsys.readouterr().err
    assert asked("http://host:port", "pair") == 2
    assert "not an address of a server: http://host:port" in capsys.readouterr().err


def test_a_server_that_accepts_and_says_nothing_is_given_up(monkeypatch, capsys):
    monkeypatch.setattr(connection, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert asked(f"http://127.0.0.1:{server.getsockname()[1]}", "pair") == 2
    assert "no answer within 0.2 s" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["accuracy-vs-size", "--help"], ["diff", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys\nfrom reports.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('pandas', 'numpy', 'matplotlib', 'mlflow', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "usage: python -m reports" in done.stdout
