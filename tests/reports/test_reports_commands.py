"""python -m reports: several sweeps in one picture, mistakes in the arguments, and stores that cannot be read."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.stores import ODD

import reports
from reports import __main__ as command_line
from reports.store import connection

ROOT = Path(__file__).parents[2]
POINTS = "name,accuracy_percent,params,latency_ms,source\nResNet-20,91.25,272474,,He et al. 2016\ntiny,60,,0.1,\n"


def run_command(uri: str, *arguments: str) -> int:
    return command_line.main([*arguments, "--tracking-uri", uri])


def test_published_figures_stand_in_the_picture_and_the_csv(pair_store, tmp_path, capsys):
    points = tmp_path / "published.csv"
    points.write_text(POINTS)
    out = tmp_path / "out"
    arguments = ("accuracy-vs-size", "pair", "--points", str(points), "--axis", "params,latency", "--out", str(out))
    assert run_command(pair_store, *arguments) == 0
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


def test_a_bad_file_of_figures_leaves_nothing(pair_store, tmp_path, capsys):
    (tmp_path / "published.csv").write_text("name,accuracy_percent,parms\na,90,1\n")
    arguments = ("--points", str(tmp_path / "published.csv"), "--out", str(tmp_path / "out"))
    assert run_command(pair_store, "accuracy-vs-size", "pair", *arguments) == 2
    message = capsys.readouterr().err
    assert "published.csv, line 1, column 'parms': no such column (did you mean 'params'?)" in message
    assert not (tmp_path / "out").exists()


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
def test_a_mistake_is_one_message_and_nothing_is_written(pair_store, tmp_path, capsys, arguments, message):
    assert run_command(pair_store, *arguments, "--out", str(tmp_path / "out")) == 2
    output = capsys.readouterr()
    assert re.search(message, output.err), output.err
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(pair_store, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    for out in (tmp_path / "taken", tmp_path / "taken" / "below"):
        assert run_command(pair_store, "pair", "--out", str(out)) == 2
        assert re.search(r"cannot write .*taken: there is a file of that name; .*--out", capsys.readouterr().err)
    assert (tmp_path / "taken").read_text() == "a file"


def test_neither_a_sweep_nor_figures_are_named(capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(["accuracy-vs-size"])
    assert ended.value.code == 2
    assert "name a sweep" in capsys.readouterr().err


def test_a_half_written_database_is_named_and_left_as_it_is(pair_store, tmp_path, capsys):
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE experiments (experiment_id INTEGER, name TEXT)")
    database.close()
    before = path.read_bytes()
    for arguments in (("pair",), ("diff", "abcdef", "fedcba"), ("accuracy-vs-size", "pair")):
        assert run_command(f"sqlite:///{path}", *arguments) == 2
        assert re.search(r"mlflow\.db is only half written \(no table 'alembic_version'\)", capsys.readouterr().err)
    assert path.read_bytes() == before


def test_a_server_that_is_not_running_is_reported_at_once(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    assert run_command(f"http://me:secret@127.0.0.1:{port}", "pair", "--out", str(tmp_path / "out")) == 2
    output = capsys.readouterr().err
    assert time.monotonic() - began < 20
    assert f"nobody answers at http://me:***@127.0.0.1:{port}: Connection refused" in output
    assert run_command(f"postgresql://me:secret@127.0.0.1:{port}/runs", "diff", "abcdef", "fedcba") == 2
    assert f"nobody answers at postgresql://me:***@127.0.0.1:{port}/runs" in capsys.readouterr().err
    assert run_command("http://host:port", "pair") == 2
    assert "not an address of a server: http://host:port" in capsys.readouterr().err


def test_a_server_that_never_answers_is_given_up(monkeypatch, capsys):
    monkeypatch.setattr(connection, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert run_command(f"http://127.0.0.1:{server.getsockname()[1]}", "pair") == 2
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


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reports, "write", interrupted)
    assert command_line.main(["pair"]) == 130
    assert capsys.readouterr().err.startswith("python -m reports: interrupted")
