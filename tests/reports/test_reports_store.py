"""From a real MLflow store with known numbers to frames, CSV and Markdown."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from helpers.stores import Writer, costs, curve

import reports
from reports import __main__ as command_line
from reports.analysis import variants
from reports.analysis.wording import sentences
from reports.store import client, histories, reader
from reports.tables import tables
from zoo.stats.verdicts import SeedSchedule

ROOT = Path(__file__).parents[2]
STEPS = (100, 200, 300)
LRN = {"lrn=true": (0.81, 0.82, 0.83), "lrn=false": (0.78, 0.80, 0.82)}  # final accuracies of seeds 0, 1, 2
TRAINING_S = {"lrn=true": (100.0, 110.0, 120.0), "lrn=false": (50.0, 56.0, 59.0)}


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    lrn = writer.sweep("lrn", list(LRN), [0, 1, 2])
    for place, (variant, finals) in enumerate(LRN.items()):
        for seed, final in enumerate(finals):
            # ops 1000 and 900; latency 0.8 and 0.4 ms
            once = costs(1000 - 100 * place, TRAINING_S[variant][seed], 0.8 / (1 + place))
            writer.run(lrn, variant, seed, curve(final), once=once)
    writer.run(lrn, "lrn=true", 3, curve(0.1), current="false")  # of an earlier form of the question
    writer.run(lrn, "lrn=true", 0, curve(0.2), status="FAILED", status_detail="out of memory")  # rerun has succeeded

    half = writer.sweep("half", ["a", "b|<b>", "c", "d"], [0, 1])
    writer.run(half, "a", 0, curve(0.5))
    writer.run(half, "a", 1, {100: 0.5}, status="FAILED", status_detail="loss is nan at step 173")
    writer.run(half, "b|<b>", 0, curve(0.6), once={"cost/params": 7, "latency_ms/tf_p50": math.nan})
    writer.run(half, "b|<b>", 1, {100: 0.1, 200: math.nan})
    writer.run(half, "c", 0, status="RUNNING")

    readout = writer.sweep("readout", ["ema=true", "ema=false"], [0, 1])
    for variant, loss in (("ema=true", 0.0), ("ema=false", 0.02)):
        for seed in (0, 1):
            writer.run(readout, variant, seed, curve(0.8 + seed / 100 - loss), run_key=f"shared-{seed}")

    writer.sweep("empty", ["x", "y"], [0])
    single = writer.sweep("single", ["x", "y"], [0])
    for variant, final in (("x", 0.7), ("y", 0.71)):
        writer.run(single, variant, 0, curve(final), once=costs(10, 1.0))
    return address


# --- reading -----------------------------------------------------------------------------------------------------


def test_load_gives_one_row_a_current_run_in_the_order_of_the_question(uri):
    frame = reports.load("lrn", uri)
    assert list(zip(frame["variant"], frame["seed"], strict=True)) == [
        (variant, seed) for variant in ("lrn=true", "lrn=false") for seed in (0, 1, 2)
    ]
    assert set(frame["status"]) == {"FINISHED"}  # the failed first attempt of lrn=true, seed 0, is not a row
    assert frame["accuracy_percent"].tolist() == pytest.approx([81, 82, 83, 78, 80, 82])
    assert frame["accuracy_raw_percent"].tolist() == pytest.approx([79, 80, 81, 76, 78, 80])
    assert frame["params"].tolist() == [1068298] * 6
    assert frame["train_s"].tolist() == pytest.approx([100, 110, 120, 50, 56, 59])
    assert frame["latency_tf_p90_ms"].tolist() == pytest.approx([1.6] * 3 + [0.8] * 3)
    assert set(frame["config.steps"]) == {"10000"}
    assert frame["run_id"].str.len().tolist() == [32] * 6


def test_what_was_not_measured_is_missing_and_its_column_is_there(uri):
    frame = reports.load("half", uri)
    assert frame["params"].tolist()[2] == 7
    assert frame["params"].isna().sum() == len(frame) - 1
    assert frame["latency_tf_p50_ms"].isna().all()
    assert frame["top5_percent"].isna().all()
    assert list(reports.load("empty", uri).columns)[:3] == ["sweep", "variant", "seed"]


def test_histories_by_sql_and_by_client_agree(uri):
    store = client.open_client(uri)
    experiment = store.get_experiment_by_name("half").experiment_id
    runs = reports.load("half", uri)["run_id"].tolist()
    fast = histories.histories(store, uri, experiment, runs)
    slow = histories.histories(store, "http://not-sqlite", experiment, runs)
    pd.testing.assert_frame_equal(fast, slow)
    # three curves of three points, one of one, one of two: four metrics each
    assert len(fast) == 4 * (3 + 1 + 3 + 2)
    assert fast["value"].isna().sum() == 4  # the nan at step 200


def test_missing_runs_are_named_with_their_reason(uri):
    missing = {(each.variant, each.seed): each.reason for each in reader.read("half", uri).missing()}
    assert missing == {
        ("a", 1): "failed: loss is nan at step 173",
        ("b|<b>", 1): "finished without a final test accuracy",
        ("c", 0): "still running, or its process died",
        ("c", 1): "not run yet",
        ("d", 0): "not run yet",
        ("d", 1): "not run yet",
    }
    assert reader.read("lrn", uri).missing() == ()


# --- the table of variants ---------------------------------------------------------------------------------------


def test_variants_by_hand(uri):
    frame = variants.frame(reader.read("lrn", uri)).set_index("variant")
    on, off = frame.loc["lrn=true"], frame.loc["lrn=false"]
    assert (on["baseline"], off["baseline"]) == (True, False)
    assert (on["accuracy_percent_mean"], on["accuracy_percent_sd"], on["n"]) == pytest.approx((82, 1, 3))
    assert (off["accuracy_percent_mean"], off["accuracy_percent_sd"]) == pytest.approx((80, 2))
    assert off["accuracy_raw_percent_mean"] == pytest.approx(78)
    assert off["difference_points"] == pytest.approx(-2)
    # error sqrt(1/3 + 4/3), 50/17 degrees of freedom: between the t table's 3.182 (3 degrees) and 4.303 (2 degrees)
    half = -2 - off["difference_low_points"]
    assert 3.182 * math.sqrt(5 / 3) < half < 4.303 * math.sqrt(5 / 3)
    assert off["difference_high_points"] == pytest.approx(-2 + half)
    assert math.isnan(on["difference_points"])
    assert (on["train_s"], off["train_s"]) == pytest.approx((110, 55))
    assert (on["ops"], off["ops"]) == (1000, 900)


def test_comparison_says_difference_interval_and_price(uri):
    (sentence,) = sentences.comparisons(variants.frame(reader.read("lrn", uri)), 0.5)
    assert sentence.startswith("lrn=false is undecided: -2.00 points (95 % interval -6.16 to +2.16) against lrn=true; ")
    # Logarithms of the ratios 0.5, 56 / 110 and 59 / 120: mean -0.69275, error 0.01006, 4.303 errors on each side.
    assert (
        "; training 2.0 times as fast (1.91 to 2.1), ops -10.0 %, the same parameters and MACs, the times of "
        in sentence
    )


def test_before_the_first_interim_analysis_there_is_no_interval_and_the_report_says_so(uri):
    waiting = replace(reader.read("lrn", uri), schedule=SeedSchedule(5, 10))
    (sentence,) = sentences.comparisons(variants.frame(waiting), 0.5)
    assert sentence.startswith("lrn=false has no verdict: -2.00 points (no interval before the first interim analysis)")


def test_one_seed_gives_no_interval_and_says_why(uri):
    sweep = reader.read("single", uri)
    frame = variants.frame(sweep)
    (sentence,) = sentences.comparisons(frame, 0.5)
    assert sentence.startswith("y has no verdict: +1.00 points (no interval: it takes two seeds of each) against x")
    assert "two seeds or more" in sentences.detectable(sweep, frame)
    assert tables.formatted(frame)[1][2] == "+1.00 [n/a]"


def test_readouts_of_the_same_trainings_are_said_to_be(uri):
    (sentence,) = sentences.shared_trainings(reader.read("readout", uri))
    assert sentence.startswith("ema=true and ema=false are read from the same trainings")
    assert sentences.shared_trainings(reader.read("lrn", uri)) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.25, "4.25 s"), (89, "89 s"), (90, "1.5 min"), (5399, "90.0 min"), (7200, "2.0 h"), (math.nan, "-")],
)
def test_durations(seconds, text):
    assert tables.duration(seconds) == text


# --- the files ---------------------------------------------------------------------------------------------------


def markdown_tables(text: str) -> dict[str, list[list[str]]]:
    """Section -> rows of its table, header and rule left out."""
    found, section = defaultdict(list), ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| "):
            found[section].append([cell.strip() for cell in line.strip("|").split(" | ")])
    return {name: rows[2:] for name, rows in found.items()}


def test_write_leaves_the_five_files_and_the_numbers_in_them(uri, tmp_path):
    report = reports.write("lrn", tmp_path / "new" / "out", tracking_uri=uri)
    names = [path.name for path in report.paths]
    assert names == [
        "report.html",
        "report.md",
        "accuracy_vs_size.png",
        "learning_curves.png",
        "variants.csv",
        "runs.csv",
    ]
    assert all(path.stat().st_size for path in report.paths)
    folder = tmp_path / "new" / "out"
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# lrn\n\n> Does it matter?\n")
    assert "2 variants x 3 seeds: 6 of 6 runs have a result; data digits, steps 10,000, precision float32." in text
    for picture in ("accuracy_vs_size.png", "learning_curves.png"):
        assert f"]({picture})" in text
    found = markdown_tables(text)
    assert found["Results"] == [
        ["lrn=true (baseline)", "82.00 ± 1.00 (3)", "-", "-", "1,068,298", "18,472,512", "1,000", "1.8 min",
         "0.8 (p90 1.6)"],
        ["lrn=false", "80.00 ± 2.00 (3)", "-2.00 [-6.16, +2.16]", "undecided", "1,068,298", "18,472,512", "900", "55 s",
         "0.4 (p90 0.8)"],
    ]  # fmt: skip
    assert found["Raw weights and averaged weights"][0] == ["lrn=true", "80.00 ± 1.00 (3)", "82.00 ± 1.00 (3)", "+2.00"]
    assert len(found["What ran"]) == 6
    assert found["What ran"][0][5:8] == ["abcdef0123", "CPU", "feedfeedfeed"]
    assert "Runs without a result" not in found
    assert "python run_sweep.py experiments/lrn.yaml" in text
    lines = report.summary.splitlines()
    assert lines[0] == "lrn: Does it matter?" and lines[2].startswith("It cannot be told yet whether to use lrn=false")
    assert max(map(len, lines)) <= 80
    assert "lrn=false            80.00 ± 2.00 (3)  -2.00 [-6.16, +2.16]  undecided" in lines

    runs = pd.read_csv(folder / "runs.csv")
    assert runs["accuracy_percent"].tolist() == pytest.approx([81, 82, 83, 78, 80, 82])
    assert runs["macs"].tolist() == [18472512] * 6
    variants = pd.read_csv(folder / "variants.csv")
    assert variants["difference_points"].tolist()[1] == pytest.approx(-2, abs=1e-9)


def test_not_significant_is_never_made_into_no_difference(uri, tmp_path):
    reports.write("lrn", tmp_path, ("md",), uri)
    text = (tmp_path / "report.md").read_text(encoding="utf-8").lower()
    assert "it cannot be told yet" in text and "undecided" in text
    for word in ("significant", "no difference", "makes no", "better", "worse"):
        assert word not in text


def test_a_half_run_sweep_reports_what_there_is(uri, tmp_path):
    report = reports.write("half", tmp_path, ("md", "csv"), uri)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    found = markdown_tables(text)
    assert [row[1] for row in found["Results"]] == ["50.00 (1) of 2", "60.00 (1) of 2", "-", "-"]
    assert found["Results"][1][0] == r"b\|\<b>"  # the user's text neither breaks the table nor becomes HTML
    assert ["a", "1", "failed: loss is nan at step 173"] in found["Runs without a result"]
    assert [row[4] for row in found["What ran"]] == ["50.00", "-", "60.00", "-", "-"]  # a failed run has no accuracy
    assert "missing: d, seed 1: not run yet" in report.summary
    assert "2 of 8 runs have a result" in report.summary


def test_an_empty_sweep_is_a_report_too_and_takes_old_pictures_away(uri, tmp_path):
    (tmp_path / "accuracy_vs_size.png").write_bytes(b"of an earlier report")
    report = reports.write("empty", tmp_path, tracking_uri=uri)
    assert [path.name for path in report.paths] == ["report.html", "report.md", "variants.csv", "runs.csv"]
    assert not (tmp_path / "accuracy_vs_size.png").exists()
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "There is no answer yet: no run has a result." in text
    assert "](" not in text


def test_several_sweeps_in_one_trade_off_picture(uri, tmp_path):
    report = reports.write_accuracy_vs_size(["lrn", "single", "half"], tmp_path, tracking_uri=uri)
    assert [path.name for path in report.paths] == ["accuracy_vs_size.png", "accuracy_vs_size.csv"]
    frame = pd.read_csv(tmp_path / "accuracy_vs_size.csv")
    assert frame["sweep"].value_counts().to_dict() == {"half": 4, "lrn": 2, "single": 2}
    marked = [line.split()[1] for line in report.summary.splitlines() if line.endswith("*")]
    assert marked == ["b|<b>", "lrn=true"]  # 60 % with 7 parameters, and the best of the large ones


# --- mistakes ----------------------------------------------------------------------------------------------------


def test_asking_never_creates_a_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(reports.ReportError, match=r"mlflow\.db.*run_sweep\.py"):
        reports.load("lrn")
    assert list(tmp_path.iterdir()) == []


def test_the_default_store_is_the_variable_of_mlflow(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert len(reports.load("lrn")) == 6
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_named_and_left_alone(tmp_path):
    path = tmp_path / "mlflow.db"
    for content in (b"", b"not a database, but long enough to be looked at" * 50):
        path.write_bytes(content)
        with pytest.raises(reports.ReportError, match=r"mlflow\.db is not a database that MLflow wrote"):
            reports.load("lrn", f"sqlite:///{path}")
        assert path.read_bytes() == content


def test_command_line_names_the_nearest_sweep(uri, capsys):
    assert command_line.main(["lnr", "--tracking-uri", uri]) == 2
    message = capsys.readouterr().err
    assert "no sweep 'lnr'" in message
    assert "did you mean 'lrn'?" in message
    assert "empty, half, lrn, readout, single" in message
    assert "Traceback" not in message


def test_command_line_writes_and_says_where(uri, tmp_path, capsys):
    arguments = ["lrn", "--out", str(tmp_path), "--format", "md,csv", "--tracking-uri", uri]
    assert command_line.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "82.00 ± 1.00 (3)" in printed
    assert f"wrote {tmp_path / 'report.md'}" in printed
    assert not (tmp_path / "learning_curves.png").exists()


def test_an_unknown_format_and_a_folder_that_cannot_be_are_refused(uri, tmp_path):
    with pytest.raises(reports.ReportError, match=r"unknown format 'cvs' \(did you mean 'csv'\?\)"):
        reports.write("lrn", tmp_path, ("cvs",), uri)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(reports.ReportError, match=r"cannot write .*taken.*--out"):
        reports.write("lrn", tmp_path / "taken", ("md",), uri)


def test_a_plain_path_is_not_an_address(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"")
    with pytest.raises(reports.ReportError, match="write sqlite:///"):
        reports.load("lrn", str(tmp_path / "mlflow.db"))


def test_no_module_of_the_reports_imports_mlflow_or_tensorflow_before_it_is_asked_for_something():
    code = (
        "import importlib, pkgutil, sys, reports\n"
        "for found in pkgutil.walk_packages(reports.__path__, 'reports.'): importlib.import_module(found.name)\n"
        "print(sorted(name for name in sys.modules if name in ('tensorflow', 'tf_keras', 'keras', 'mlflow', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
