"""From a store with predictions, levels and published figures to all that a report says of them."""

from __future__ import annotations

import dataclasses
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from helpers.stores import Writer
from PIL import Image

import reports
from reports import ReportError
from reports.analysis import answer, provenance
from reports.analysis import images as images_of
from reports.store import files, reader
from zoo import data
from zoo.stats.verdicts import SeedSchedule, VerdictWord

LABELS = np.arange(40) % 2
CELLS = {"flip=false, ema=false": 4, "flip=false, ema=true": 3, "flip=true, ema=false": 2, "flip=true, ema=true": 0}
LEVELS = {
    name: {part.split("=")[0]: part.endswith("true") for part in name.split(", ")} for name in CELLS
}  # factor -> whether it is on


def logits(wrong: int, seed: int) -> np.ndarray:
    """Right for all 40 images but the first ``wrong``, and one more of another seed's own."""
    missed = {*range(wrong), 20 + seed}
    says = np.array([1 - label if i in missed else label for i, label in enumerate(LABELS)])
    return np.where(np.arange(2)[None] == says[:, None], 2.0, -1.0).astype(np.float32)


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("answer")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)
    claim = {
        "variant": "flip=true, ema=true",
        "against": "",
        "low": 97.0,
        "high": 97.0,
        "seeds": 1,
        "source": "a paper",
    }
    grid = writer.sweep("grid", list(CELLS), [0, 1, 2], levels=json.dumps(LEVELS), published=json.dumps([claim]))
    for variant, wrong in CELLS.items():
        for seed in range(3):
            run = writer.run(grid, variant, seed, {100: 1 - (wrong + 1) / 40}, once={"cost/params": 100 + wrong})
            facts = {"python": "3.11.7", "cpu": "a processor", "cores": 2, "packages": {"numpy": "2.0"}}
            _log(writer, folder / "files", run, {"labels": LABELS, "logits": logits(wrong, seed)}, facts)
    growing = writer.sweep("growing", ["a", "b", "c"], list(range(6)), first_look="3")
    finals = {"a": [0.80, 0.81, 0.82, 0.81, 0.80], "b": [0.90, 0.91, 0.92], "c": [0.805, 0.81, 0.82, 0.812]}
    for variant, its in finals.items():
        for seed, final in enumerate(its):
            writer.run(growing, variant, seed, {100: final})
    damaged = writer.sweep("damaged", ["a", "b"], [0])
    run = writer.run(damaged, "a", 0, {100: 0.5})
    (folder / "files" / "predictions.npz").write_bytes(b"no archive")
    writer.client.log_artifact(run, str(folder / "files" / "predictions.npz"))
    return address


def _log(writer, folder, run, predictions, environment) -> None:
    folder.mkdir(exist_ok=True)
    np.savez(folder / "predictions.npz", **predictions)
    (folder / "environment.json").write_text(json.dumps(environment))
    writer.client.log_artifacts(run, str(folder))


@pytest.fixture(scope="module")
def grid(uri) -> answer.Answer:
    return answer.of(reader.read("grid", uri))


def test_predictions_come_back_as_they_were_logged(uri):
    sweep = reader.read("grid", uri)
    found = files.read_predictions(sweep)
    assert list(found) == list(sweep.runs["run_id"]) and len(found) == 12
    first = found[sweep.runs["run_id"][0]]
    np.testing.assert_array_equal(first.labels, LABELS)
    np.testing.assert_array_equal(first.logits, logits(4, 0))


def test_a_store_without_a_file_system_is_asked_for_its_files(uri):
    sweep = reader.read("grid", uri)
    run_id = sweep.runs["run_id"][0]
    content = files.download(uri, run_id, "predictions.npz")
    with np.load(io.BytesIO(content)) as arrays:
        np.testing.assert_array_equal(arrays["labels"], LABELS)
    assert files.download(uri, run_id, "nothing.txt") is None


def test_damaged_predictions_are_named(uri):
    with pytest.raises(ReportError, match=r"predictions\.npz of run \w+ is damaged"):
        answer.of(reader.read("damaged", uri))


def test_both_uncertainties_of_a_grid(grid):
    """With 4 + 1 of 40 wrong in every run: no spread between seeds on these images, and the error of a mean of 40."""
    row = grid.details.uncertainty.set_index("variant").loc["flip=false, ema=false"]
    assert row["accuracy_percent"] == pytest.approx(87.5) and row["sd_seeds_points"] == pytest.approx(0.0, abs=1e-9)
    right = np.array([0.0] * 4 + [1.0] * 33 + [2 / 3] * 3)  # shares of the three seeds
    assert row["se_test_points"] == pytest.approx(100 * right.std(ddof=1) / np.sqrt(40))
    frame = grid.variants.set_index("variant")
    assert frame.loc["flip=false, ema=false", "se_test_points"] == pytest.approx(row["se_test_points"])


def test_the_interaction_of_a_grid(grid):
    """Wrong of 40: 4, 3, 2, 0. With averages the flip is worth 3, without 2: one image more, 2.5 points."""
    found = grid.details.interactions
    (row,) = found[found["kind"] == "interaction"].to_dict("records")
    assert (row["factors"], row["levels"]) == ("flip x ema", "true x true")
    assert row["difference_points"] == pytest.approx(2.5)
    assert set(found[found["kind"] == "main"]["factors"]) == {"flip", "ema"}


def test_the_front_the_claim_and_where_it_ran(grid):
    """The best one is the smallest, too, and every seed says so."""
    assert list(grid.variants["front_probability_params"]) == [0, 0, 0, 1]
    (claim,) = grid.details.claims.to_dict("records")
    assert (claim["ours"], claim["published"]) == ("97.50 %", "97 %")
    assert grid.details.provenance == {"machine": "a processor, 2 cores", "versions": "Python 3.11.7, numpy 2.0"}
    assert grid.details.run_links == {}, "a database here opens nowhere else"


@pytest.mark.parametrize("host", ["mlflow.example:5000", "10.0.0.7", "bob:secret@mlflow.example"])
def test_a_server_that_others_reach_is_linked_without_its_password(grid, host):
    sweep = dataclasses.replace(grid.sweep, uri=f"https://{host}/")
    run_id, link = next(iter(provenance.links(sweep).items()))
    server = re.escape(host.rpartition("@")[2])
    assert re.fullmatch(rf"https://{server}/#/experiments/\d+/runs/{run_id}", link)


@pytest.mark.parametrize(
    "host", ["localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]:5000", "0.0.0.0", "a.localhost"]
)
def test_a_server_of_this_machine_alone_is_not_linked(grid, host):
    assert provenance.links(dataclasses.replace(grid.sweep, uri=f"http://{host}")) == {}


def test_what_to_do_follows_from_the_factors_and_not_from_the_cells(grid):
    headlines = {each.variant: each for each in grid.details.headlines}
    assert list(headlines) == list(CELLS)[1:]
    assert {each.word for each in headlines.values()} == {VerdictWord.DESCRIPTIVE}
    assert {each.advice for each in headlines.values()} == {""}
    assert headlines["flip=true, ema=true"].sentence.startswith("flip=true, ema=true: +10.00 points (95 % interval ")
    effects = grid.details.interactions
    assert effects["p_adjusted"].min() == pytest.approx(3 * effects["p"].min())  # of a family of three


def test_the_formats_agree(uri, tmp_path):
    report = reports.write("grid", tmp_path, reports.ALL_FORMATS, uri)
    names = {path.name for path in report.paths}
    assert {
        "report.html",
        "report.md",
        "report.tex",
        "variants.csv",
        "variants.parquet",
        "learning_curves.svg",
    } <= names
    markdown, page = (tmp_path / "report.md").read_text(), (tmp_path / "report.html").read_text()
    assert "## Two uncertainties" in markdown and "## Published figures" in markdown
    for text in (markdown, page, report.summary):
        assert "flip=true, ema=true" in text
    frame = pd.read_csv(tmp_path / "variants.csv", dtype={"beyond_margin": "boolean"})
    texts = ["verdict", *(name for name in frame if name.endswith(("_ratio_word", "_ratio_note")))]
    frame[texts] = frame[texts].astype(object).fillna("")  # the baseline has none
    pd.testing.assert_frame_equal(frame, pd.read_parquet(tmp_path / "variants.parquet"), check_dtype=False)
    assert list(frame["accuracy_percent_mean"]) == pytest.approx([87.5, 90.0, 92.5, 97.5])


def test_seeds_until_decided_as_an_onlooker_saw_them(uri):
    """b is decided at the first interim analysis; c goes on, for which the baseline has what it takes already."""
    sweep = reader.read("growing", uri)
    assert sweep.schedule == SeedSchedule(3, 6)
    found = sweep.verdicts()
    assert (found["b"].word, found["b"].seeds) == ("helps", 3)
    assert (found["c"].word, found["c"].seeds) == ("undecided", 4)
    assert sweep.wanted() == {"a": (0, 1, 2, 3, 4), "b": (0, 1, 2), "c": (0, 1, 2, 3, 4)}
    assert [(each.variant, each.seed) for each in sweep.missing()] == [("c", 4)]


def test_images_are_shown_only_of_the_data_set_that_was_used(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    digest = data.digest("digits")
    assert data.cached_test_images("digits", digest) is None  # nothing is made or fetched for this
    images, _ = data.load("digits", "test")
    np.testing.assert_array_equal(data.cached_test_images("digits", digest), images)
    assert data.cached_test_images("digits", "0" * 64) is None
    assert data.cached_test_images("nobody's", digest) is None
    found = images_of.png_files(images, [0, 3])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(found[3]))), images[3].squeeze())
