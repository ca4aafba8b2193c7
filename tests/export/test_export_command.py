"""``python -m zoo.export`` on real trainings: what it names, writes and refuses."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile

import numpy as np
import pytest

from zoo.export import __main__ as command
from zoo.export import sources, writing
from zoo.export.manifest import Manifest, beside
from zoo.measure.accuracy import accuracy
from zoo.plan.identity import run_key
from zoo.storage.record import Record


@pytest.fixture(scope="module")
def runs(finished):
    """The directory of two finished trainings on the digits."""
    return finished[0] / "runs"


@pytest.fixture(scope="module")
def record(runs):
    return next(Record(path.parent) for path in sorted(runs.glob("*/training.json")))


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


def test_a_run_by_its_key_in_two_formats(runs, record, tmp_path, capsys):
    key = record.description().key
    assert run(key[:8], "--runs-dir", runs, "--out", tmp_path, "--format", "tflite_float32", "--format", "onnx") == 0
    printed = capsys.readouterr().out
    assert "at step 240, averaged weights" in printed
    predictions = np.load(record.results_file(240))
    recorded = accuracy(predictions["logits_ema"], predictions["labels"])
    for path in (*tmp_path.glob("*.tflite"), *tmp_path.glob("*.onnx")):
        made = Manifest.model_validate_json(beside(path).read_bytes())
        assert made.provenance.training == key and made.provenance.run_key == run_key(key, 240)
        assert made.size_bytes == path.stat().st_size
        assert made.check.images == len(predictions["labels"]) == 360
        assert made.check.accuracy == made.check.network_accuracy
        assert abs(made.check.accuracy - recorded) <= 2 / 360  # it was evaluated in bfloat16 where that is fast
    assert len(list(tmp_path.iterdir())) == 4


def test_the_names_that_a_run_has(runs, record):
    key = record.description().key
    names = [key[:6], run_key(key, 240)[:10], str(record.directory), str(record.checkpoints / "step_00000240")]
    [name] = record.description().runs
    variant, seed = name.split(" · seed ")
    names.append(f"flip:{variant}:{seed}")
    assert {sources.find(name, runs).provenance.training for name in names} == {key}


def test_raw_and_averaged_weights_differ_as_the_training_recorded(runs, record):
    predictions = np.load(record.results_file(240))
    for weights, name in ((sources.RAW, "logits_raw"), (sources.AVERAGED, "logits_ema")):
        prepared = writing.prepare(sources.find(str(record.directory), runs, weights))
        apart = np.abs(prepared.expected - predictions[name]).max()
        assert apart < 0.05 * np.abs(predictions[name]).max()  # bfloat16 has 8 bits
    assert not np.array_equal(predictions["logits_raw"], predictions["logits_ema"])


def test_pixels_in_and_probabilities_out(runs, record, tmp_path):
    source = sources.find(str(record.directory), runs)
    logits = writing.prepare(source).expected
    whole = writing.prepare(source, is_whole=True)
    assert whole.images.test.dtype == np.uint8 and whole.images.test.shape[1:] == (32, 32, 3)
    np.testing.assert_allclose(whole.expected.sum(axis=1), 1, rtol=1e-5)
    assert np.array_equal(whole.expected.argmax(1), logits.argmax(1))
    _, made = writing.export(whole, "tflite_float32", tmp_path)
    assert (made.input.kind, made.input.size, made.output) == ("pixels", 32, "probabilities")
    assert made.check.largest_difference < 1e-4


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_memory_of_a_process(runs, record, tmp_path, capsys):
    arguments = (record.directory, "--out", tmp_path, "--format", "tflite_int8", "--memory")
    assert run(*arguments) == 0
    assert "peak of a process" in capsys.readouterr().out
    memory = Manifest.model_validate_json(next(tmp_path.glob("*.json")).read_bytes()).memory
    assert 20e6 < memory.runtime_bytes < memory.peak_bytes < 500e6  # Python and NumPy; TensorFlow alone takes more
    assert memory.maps_bytes <= memory.arena_bytes < memory.peak_bytes


def test_the_size_by_deflate_is_that_of_a_zip_file(runs, record, tmp_path):
    prepared = writing.prepare(sources.find(str(record.directory), runs))
    path, made = writing.export(prepared, "tflite_int8", tmp_path)
    archive = tmp_path / "by_hand.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        zipped.write(path, path.name)
    assert made.zipped_bytes == archive.stat().st_size
    assert "calibrated with 500 training images" in made.notes


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tuto2"], 2, "did you mean 'tuto'"),
        (["abc"], 2, "'abc' is too short for a key"),
        (["0123456789"], 2, "no training in"),
        (["tuto", "--format", "tflit"], 2, "no export format is named 'tflit'"),
        ([], 2, "name a run or a model to export"),
    ],
)
def test_what_does_not_exist(runs, tmp_path, capsys, arguments, code, message):
    assert run(*arguments, "--runs-dir", runs, "--out", tmp_path / "out") == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_step_no_overwriting_no_directory(runs, record, tmp_path, capsys):
    arguments = (record.directory, "--out", tmp_path, "--format", "tflite_float32")
    assert run(*arguments, "--step", "7") == 1
    assert "has no checkpoint at step 7; it has: 240" in capsys.readouterr().err
    assert run(*arguments) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert run(*arguments) == 1
    assert "exists already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert run(*arguments, "--replace") == 0
    (tmp_path / "file").write_text("")
    assert run(record.directory, "--out", tmp_path / "file" / "below", "--format", "onnx") == 1
    assert "cannot be written to" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named_and_left_alone(runs, record, tmp_path, capsys):
    copy = tmp_path / "runs" / record.directory.name
    shutil.copytree(record.directory, copy)
    state = next((copy / "checkpoints" / "step_00000240").glob("state.data*"))
    state.write_bytes(state.read_bytes()[:-10])
    assert run(copy, "--out", tmp_path / "out") == 1
    assert "step_00000240 is damaged: the contents of state.data" in capsys.readouterr().err
    assert state.exists() and not (tmp_path / "out").exists()


def test_other_data_than_it_was_trained_on(runs, record, tmp_path, capsys):
    copy = tmp_path / "runs" / record.directory.name
    shutil.copytree(record.directory, copy)
    description = json.loads((copy / "training.json").read_text())
    (copy / "training.json").write_text(json.dumps(description | {"data_sha256": "0" * 64}))
    (copy / "checksums.json").unlink()
    assert run(copy, "--out", tmp_path / "out") == 1
    assert "the data set digits is not the one that was trained on" in capsys.readouterr().err


def test_an_untrained_model_says_so(tmp_path, capsys):
    assert run("nin0", "--out", tmp_path, "--format", "tflite_int8", "--json") == 0
    [made] = json.loads(capsys.readouterr().out)
    assert made["provenance"]["weights"] == "initial weights"
    assert made["check"]["accuracy"] is None
    assert made["notes"] == ["calibrated with 200 images of noise: the model is not trained"]
