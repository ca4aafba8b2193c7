"""What others edited in MLflow: a sentence with the sweep or run, the name and the value, or a report; no traceback."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from helpers.stores import Writer, costs, curve

import reports
from reports import ReportError
from reports.store.files import DamagedFile, parse_predictions

VARIANTS = ["on", "off"]
LEVELS = {"on": {"lrn": True, "flip": True}, "off": {"lrn": False, "flip": True}}
FIGURE = {"variant": "on", "against": "", "low": 80.0, "high": 81.0, "seeds": 1, "source": "a paper", "claim": ""}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, str]:
    """A store with everything that a report reads, and one run's id."""
    folder = tmp_path_factory.mktemp("whole")
    writer = Writer(f"sqlite:///{folder / 'mlflow.db'}", folder)
    tags = {"levels": json.dumps(LEVELS), "published": json.dumps([FIGURE]), "first_look": "2"}
    name = writer.sweep("pair", VARIANTS, [0, 1, 2], **tags)
    labels = np.arange(8) % 2
    for variant in VARIANTS:
        for seed in range(3):
            run = writer.run(name, variant, seed, curve(0.7 + 0.01 * seed), once=costs(1000, 2.0, 0.5))
            files = folder / "files"
            files.mkdir(exist_ok=True)
            np.savez(files / "predictions.npz", labels=labels, logits=np.eye(2, dtype=np.float32)[labels])
            (files / "environment.json").write_text(json.dumps({"cpu": "c", "packages": {"numpy": "2"}}))
            writer.client.log_artifacts(run, str(files))
    return folder, run


@pytest.fixture
def edit(whole, tmp_path):
    """Run an SQL statement on a copy of the store; returns its address."""

    def edited(statement: str, *values: object) -> str:
        path = tmp_path / "mlflow.db"
        shutil.copyfile(whole[0] / "mlflow.db", path)
        with sqlite3.connect(path) as database:
            assert database.execute(statement, values).rowcount
        database.close()
        return f"sqlite:///{path}"

    return edited


def made(uri: str, folder: Path, formats: tuple[str, ...] = ("md", "csv", "tex")) -> str:
    """The summary of the report, or the sentence that says why there is none."""
    try:
        return reports.write("pair", folder, formats, uri).summary
    except ReportError as error:
        assert len(str(error).splitlines()) == 1
        return f"refused: {error}"


TAG = "UPDATE experiment_tags SET value = ? WHERE key = ?"
WRONG = ["x", "{}", "[]", "-1", "NaN", "[1.5]", "[[]]", '["\\ud800"]', "[" * 5000, "[null]", "true", "1" * 400]
WRONG_LEVELS = ['{"on": 1}', '{"on": {"lrn": NaN}, "off": {}}', '{"on": {"lrn": [1]}, "off": {"flip": {}}, "x": {}}']
NAMES = ["margin", "seeds", "levels", "variants", "first_look", "published", "baseline"]


@pytest.mark.parametrize(
    ("name", "value"), [*itertools.product(NAMES, WRONG), *itertools.product(["levels"], WRONG_LEVELS)]
)
def test_an_edited_tag_of_the_experiment(name, value, edit, tmp_path):
    text = made(edit(TAG, value, name), tmp_path / "out", ("md",))
    if text.startswith("refused"):
        assert "sweep 'pair'" in text and repr(name) in text and "--sync" in text, text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("margin", "half", "tag 'margin' is not a number of points, 0 to 100: 'half'"),
        ("margin", "-0.5", "tag 'margin' is not a number of points, 0 to 100: '-0.5'"),
        ("seeds", '["a"]', """tag 'seeds' is not a JSON list of different whole numbers: '["a"]'"""),
        ("seeds", "[0, 0]", "tag 'seeds' is not a JSON list of different whole numbers: '[0, 0]'"),
        ("levels", '{"on": 1}', "tag 'levels' is not a JSON object of the levels of each variant's factors"),
        ("first_look", "7", "tag 'first_look' is not at most the number of seeds, which is 3: '7'"),
        ("published", '[{"variant": "on"}]', "tag 'published' is not a JSON list of published figures"),
        ("variants", '["on", "on"]', "tag 'variants' is not a JSON list of different names"),
    ],
)
def test_the_sentence_names_sweep_tag_and_value(name, value, words, edit, tmp_path):
    assert f"refused: sweep 'pair': the experiment's {words}" in made(edit(TAG, value, name), tmp_path)


@pytest.mark.parametrize("value", ["abc", "1.5", "", "9" * 30, "\u0661x", "NaN"])
def test_an_edited_seed_of_a_run(value, edit, whole, tmp_path):
    uri = edit("UPDATE tags SET value = ? WHERE key = 'seed' AND run_uuid = ?", value, whole[1])
    text = made(uri, tmp_path)
    assert text.startswith(f"refused: run {whole[1]} (off · seed 2): the tag 'seed' is not a whole number: {value!r}")
    with pytest.raises(ReportError, match="the tag 'seed'"):
        reports.load("pair", uri)


@pytest.mark.parametrize("value", ["x", "{}", "[0.0]", "[NaN]", "[-1]", "[[]]", "[1e400]"])
def test_edited_rounds_of_a_latency(value, edit, whole, tmp_path):
    rounds = (
        "INSERT INTO tags (key, value, run_uuid) VALUES ('latency_rounds_ms/tf', ?, ?), ('latency_session', 's', ?)"
    )
    text = made(edit(rounds, value, whole[1], whole[1]), tmp_path)
    expected = "the tag 'latency_rounds_ms/tf' is not a JSON list of numbers above 0"
    assert text.startswith(f"refused: run {whole[1]} (off · seed 2): {expected}: {value!r}")


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1.0, 10.5])
@pytest.mark.parametrize("metric", ["cost/params", "cost/ops"])
def test_an_edited_cost_of_a_run(value, metric, edit, whole, tmp_path):
    uri = edit("UPDATE latest_metrics SET value = ? WHERE key = ? AND run_uuid = ?", value, metric, whole[1])
    text = made(uri, tmp_path)
    assert f"refused: run {whole[1]} (off · seed 2): the metric {metric!r} is not a" in text and "--sync" in text


@pytest.mark.parametrize(
    "metric", ["test/accuracy", "test/accuracy_ema", "cost/train_s", "latency_ms/tf_p50", "latency_ms/tf_p90"]
)
@pytest.mark.parametrize("value", [1.7976931348623157e308, -1.0, 0.0, 1e300])
def test_another_edited_metric_is_a_report_or_a_sentence(metric, value, edit, whole, tmp_path):
    uri = edit("UPDATE latest_metrics SET value = ? WHERE key = ? AND run_uuid = ?", value, metric, whole[1])
    text = made(uri, tmp_path, ("html", "md"))
    assert not text.startswith("refused") or metric in text


@pytest.mark.parametrize(
    "address",
    ["file://[", "file:///a\0b", "file:///proc/1/environ", "nowhere://x/y", "", "relative", "s3://b/c", "file://h/x"],
)
def test_an_edited_address_of_a_runs_files(address, edit, whole, tmp_path):
    text = made(edit("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", address, whole[1]), tmp_path)
    assert not text.startswith("refused") or whole[1] in text or "takes the package" in text


@pytest.mark.parametrize("name", ["data", "steps"])
@pytest.mark.parametrize("value", ["", "²", "9" * 300, "../../x"])
def test_an_edited_parameter_is_shown_as_it_is(name, value, edit, whole, tmp_path):
    statement = "INSERT OR REPLACE INTO params (key, value, run_uuid) VALUES (?, ?, ?)"
    assert not made(edit(statement, name, value, whole[1]), tmp_path).startswith("refused")


LABELS, LOGITS = np.arange(8) % 2, np.zeros((8, 2), np.float32)


@pytest.mark.parametrize(
    ("labels", "logits", "words"),
    [
        (LABELS, LOGITS[:, 0], "its logits are float32 [8], not floats [8, classes]"),
        (LABELS, LOGITS[:7], "its logits are float32 [7, 2], not floats [8, classes]"),
        (LABELS, np.array(["x"] * 8), "its logits are <U1 [8], not floats [8, classes]"),
        (LABELS.astype(float), LOGITS, "its labels are float64 [8], not integers [N]"),
        (LABELS[None], LOGITS, "its labels are int64 [1, 8], not integers [N]"),
        (LABELS + 1, LOGITS, "its labels go from 1 to 2, and there are 2 classes"),
        (LABELS - 1, LOGITS, "its labels go from -1 to 0, and there are 2 classes"),
    ],
)
def test_predictions_of_another_form_are_named(labels, logits, words, tmp_path):
    np.savez(tmp_path / "p.npz", labels=labels, logits=logits)
    with pytest.raises(DamagedFile) as caught:
        parse_predictions((tmp_path / "p.npz").read_bytes())
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"packages": [1], "cpu": {"a": [2]}}', '"x"', "\\", '{"cpu": "\\ud800\\u202e"}']
)
def test_an_edited_environment_of_a_run(content, whole, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(whole[0], folder)
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, ?, ?)", (str(whole[0]), str(folder)))
    database.close()
    for path in folder.rglob("environment.json"):
        path.write_text(content)
    assert not made(f"sqlite:///{folder / 'mlflow.db'}", tmp_path / "out").startswith("refused")
