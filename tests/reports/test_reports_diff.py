"""Two runs side by side: found by every way to name them, compared by numbers counted by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from helpers.stores import Writer, costs, curve

import reports
from reports import __main__ as command_line
from reports.tables import difference
from zoo.stats.images import predictions

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
# Of ten images: six right by both, three by the first only, none by the second only, one by neither (and differently).
FIRST = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 0])
SECOND = np.array([0, 0, 0, 0, 1, 1, 2, 2, 0, 1])
ENVIRONMENT = {"cpu": "a", "cores": 2, "packages": {"numpy": "2.0", "mlflow": "3.17"}}


def logits(classes: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[classes]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The address, and the runs' ids by name."""
    folder = tmp_path_factory.mktemp("store")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(uri, folder)
    lrn = writer.sweep("lrn", ["lrn=true", "lrn=false"], [0, 1])
    ids = {
        "on": writer.run(lrn, "lrn=true", 0, curve(0.82), once=costs(1000, 100, 0.8), run_key="aaaaaa11"),
        "off": writer.run(
            lrn, "lrn=false", 0, curve(0.80), once=costs(900, 50), run_key="aaaaaa22", git_commit="other"
        ),
        "on 1": writer.run(lrn, "lrn=true", 1, curve(0.81), once=costs(1000, 100), run_key="bbbbbb11"),
        "first try": writer.run(lrn, "lrn=false", 1, {100: 0.5}, status="FAILED", run_key="bbbbbb22"),
        "off 1": writer.run(lrn, "lrn=false", 1, curve(0.79), run_key="bbbbbb22"),
    }
    odd = writer.sweep("a:b", ["x:1"], [0])
    ids["odd"] = writer.run(odd, "x:1", 0, curve(0.5), run_key="cc%cc_cc")
    for name, classes, environment in (
        ("on", FIRST, ENVIRONMENT),
        ("off", SECOND, ENVIRONMENT | {"packages": {"numpy": "2.1", "mlflow": "3.17"}}),
        ("on 1", FIRST, ENVIRONMENT),
    ):
        there = folder / name
        there.mkdir()
        labels = LABELS if name != "on 1" else LABELS[::-1]
        np.savez(there / "predictions.npz", labels=labels, logits=logits(classes))
        (there / "environment.json").write_text(json.dumps(environment))
        writer.client.log_artifacts(ids[name], str(there))
    (folder / "predictions.npz").write_bytes(b"not a zip file")
    writer.client.log_artifact(ids["off 1"], str(folder / "predictions.npz"))
    return uri, ids


# --- numbers -----------------------------------------------------------------------------------------------------


def test_what_differs_and_what_came_out(store):
    uri, _ = store
    found = reports.compare("lrn:lrn=true:0", "lrn:lrn=false:0", uri)
    assert found.names == ("lrn:lrn=true:0", "lrn:lrn=false:0")
    assert found.configuration == {"variant": ("lrn=true", "lrn=false")}
    assert found.provenance == {"commit": ("abcdef0123456789", "other"), "packages.numpy": ("2.0", "2.1")}
    assert found.metrics["test accuracy, %"] == pytest.approx((82, 80))
    assert found.metrics["raw weights, %"] == pytest.approx((80, 78))
    assert found.metrics["operations"] == (1000, 900)
    assert found.metrics["latency, ms (median)"] == pytest.approx((0.8, float("nan")), nan_ok=True)
    assert found.agreement == predictions.compare_answers(LABELS, FIRST, SECOND)


def test_the_text_says_it_in_order(store):
    uri, ids = store
    text = difference.text(reports.compare("lrn:lrn=true:0", "lrn:lrn=false:0", uri))
    assert f"A  lrn:lrn=true:0  ({ids['on'][:12]}, finished)" in text
    places = [text.index(word) for word in ("Configuration", "Provenance", "metric", "Predictions", "McNemar")]
    assert places == sorted(places)
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert lines["test accuracy, %"][-4:] == ["82.00", "80.00", "-2.00", "points"]
    assert lines["parameters"][-2:] == ["the", "same"]
    assert lines["training, s"][-2:] == ["50", "-50"]  # of one training each: no ratio is made of them
    assert lines["latency, ms (median)"][-2:] == ["-", "-"]
    assert lines["A right"][-2:] == ["6", "3"]
    assert lines["A wrong"][-2:] == ["0", "1"]
    assert "the same for 60.00 % of 10 test images" in text
    assert "p = 0.25 that A and B are right equally often" in text
    assert "says nothing about what another training" in text


def test_json_has_every_number_and_null_for_what_is_not_there(store, capsys):
    uri, ids = store
    assert command_line.main(["diff", ids["on"], ids["off"], "--json", "--tracking-uri", uri]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in found["runs"]] == [ids["on"], ids["off"]]
    assert found["metrics"]["latency, ms (median)"] == {"a": pytest.approx(0.8), "b": None, "difference": None}
    assert found["metrics"]["test accuracy, %"]["difference"] == pytest.approx(-2)
    assert found["predictions"]["p"] == pytest.approx(0.25)
    assert found["predictions"]["agreement"] == 0.6
    assert found["provenance"]["packages.numpy"] == ["2.0", "2.1"]


def test_what_cannot_be_compared_is_said_and_the_rest_is_told(store):
    uri, _ = store
    other_images = reports.compare("lrn:lrn=true:0", "lrn:lrn=true:1", uri)
    assert other_images.agreement == "the two were evaluated on different test images"
    assert other_images.provenance == {}
    assert other_images.configuration == {"seed": ("0", "1")}
    assert "Provenance: the same" in difference.text(other_images)
    damaged = reports.compare("lrn:lrn=true:0", "lrn:lrn=false:1", uri)
    assert damaged.agreement.startswith("lrn:lrn=false:1 has a predictions.npz that is damaged")
    assert "Predictions cannot be compared: lrn:lrn=false:1 has" in difference.text(damaged)
    absent = reports.compare("lrn:lrn=true:0", "a:b:x:1:0", uri)
    assert absent.agreement == "a:b:x:1:0 has no predictions.npz in MLflow"


# --- names of runs -----------------------------------------------------------------------------------------------


def test_every_way_to_name_a_run(store):
    uri, ids = store
    for reference in (ids["on"], ids["on"][:8], "aaaaaa11", "aaaaaa1", "lrn:lrn=true:0"):
        assert reports.compare(reference, ids["off"], uri).run_ids == (ids["on"], ids["off"]), reference
    for reference in ("cc%cc_cc", "a:b:x:1:0"):  # colons, and letters that mean something in a search
        assert reports.compare(ids["on"], reference, uri).run_ids[1] == ids["odd"], reference


def test_of_one_place_the_run_that_the_reports_count(store):
    uri, ids = store
    for reference in ("lrn:lrn=false:1", "bbbbbb22"):
        assert reports.compare(reference, ids["on"], uri).run_ids[0] == ids["off 1"]
    assert reports.compare(ids["first try"], ids["on"], uri).statuses == ("FAILED", "FINISHED")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("aaaaaa", r"'aaaaaa' is more than one run; .*lrn:lrn=true:0, finished\), .*lrn:lrn=false:0|"
                   r"'aaaaaa' is more than one run; .*lrn:lrn=false:0, finished\), .*lrn:lrn=true:0"),
        ("aaaa", r"'aaaa' is too short to name a run; a run is .* \(6 characters or more\), or SWEEP:VARIANT:SEED"),
        ("ffffffffffff", r"no run 'ffffffffffff' in sqlite.*; there are: .*lrn:lrn="),
        ("______", "no run '______'"),
        ("lnr:lrn=true:0", r"no sweep 'lnr' \(did you mean 'lrn'\?\); known sweeps: a:b, lrn"),
        ("lrn:lrn=tru:0", r"'lrn' has no variant 'lrn=tru' \(did you mean 'lrn=true'\?\); it has lrn=false, lrn=true"),
        ("lrn:lrn=true:7", "of 'lrn=true' there are the seeds 0, 1"),
        ("lrn:lrn=true", r"'lrn' has no variant 'lrn=true'.* a run is SWEEP:VARIANT:SEED"),
        ("lrn:lrn=true:1", "are the same run, .*; name two"),
    ],
)  # fmt: skip
def test_a_name_of_no_run_or_of_several_is_one_message(store, capsys, reference, message):
    uri, _ = store
    assert command_line.main(["diff", "lrn:lrn=true:1", reference, "--tracking-uri", uri]) == 2
    told = capsys.readouterr()
    assert re.search(message, told.err), told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
