"""The command line from end to end: real processes, a real MLflow store."""

from __future__ import annotations

import base64
import io
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
from helpers.sweeps import (
    OWN,
    OWN_QUESTION,
    QUESTION,
    ROOT,
    Running,
    command,
    errors_of,
    keys,
    predictions,
    records,
    sweep,
    sweep_in_new_interpreter,
)
from PIL import Image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the workers")


@pytest.fixture
def planned(tmp_path, env, finished):
    """A directory with the question, whose networks have been counted already, and nothing else."""
    (tmp_path / "flip.yaml").write_text(QUESTION)
    return tmp_path


@pytest.fixture
def copied(tmp_path, finished):
    """A directory with the results of the finished sweep, but without MLflow's store and the report."""
    shutil.copytree(finished[0] / "runs", tmp_path / "runs")
    (tmp_path / "flip.yaml").write_text(QUESTION)
    return tmp_path


def test_a_sweep_from_end_to_end(finished):
    directory, done = finished
    assert done.returncode == 0, done.stderr
    assert done.stderr in (
        "",
        "loading TensorFlow to count the parameters and operations of the network, once on this machine ...\n",
    )
    assert "[1/2] augment.flip=true · seed 0: 240 steps" in done.stdout
    assert "[2/2] augment.flip=false · seed 0: 240 steps" in done.stdout
    assert "2 of 2 trainings complete" in done.stdout
    for name in ("report.md", "accuracy_vs_size.png", "learning_curves.png", "variants.csv", "runs.csv"):
        assert (directory / "results" / "flip" / name).stat().st_size > 0
        assert f"results/flip/{name}" in done.stdout
    with sqlite3.connect(directory / "mlflow.db") as store:
        rows = store.execute("select name, status from runs order by name").fetchall()
    assert rows == [("augment.flip=false · seed 0", "FINISHED"), ("augment.flip=true · seed 0", "FINISHED")]
    page = (directory / "results" / "flip" / "report.html").read_bytes()
    assert b'id="progress"' not in page  # it runs no more
    (kept,) = (directory / "mlruns").rglob("report.html")
    assert kept.read_bytes() == page


def test_the_same_command_again_trains_nothing_and_still_reports(finished, env):
    directory, _ = finished
    before = {path: path.stat().st_mtime_ns for path in directory.glob("runs/*/**/*") if path.is_file()}
    (directory / "results" / "flip" / "report.md").unlink()
    again = sweep(directory, env, "flip.yaml")
    assert again.returncode == 0 and errors_of(again) == ""
    assert "2 runs, all of them done already" in again.stdout and "[1/" not in again.stdout
    assert (directory / "results" / "flip" / "report.md").exists()
    assert {path: path.stat().st_mtime_ns for path in directory.glob("runs/*/**/*") if path.is_file()} == before


def test_own_model_own_data_and_readouts_that_share_one_training(tmp_path, env):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "own.yaml").write_text(OWN_QUESTION)
    done = sweep(tmp_path, env, "own.yaml")
    assert done.returncode == 0, done.stderr
    assert "4 runs from 1 training\n" in done.stdout and "1 of 1 trainings complete" in done.stdout
    assert len(keys(tmp_path)) == 1
    assert sorted(path.split("/")[-1] for path in predictions(tmp_path)) == ["step_00000010.npz", "step_00000020.npz"]
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        assert store.execute("select count(*) from runs where status = 'FINISHED'").fetchone() == (4,)


def test_the_report_shows_images_of_own_data_and_executes_no_file_of_the_user(tmp_path, env):
    """The file is gone before the report is written again. The images are grey, of 40 or 190."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "own.yaml").write_text(
        OWN_QUESTION.replace("ema: [true, false], steps: [10, 20]", "width: [2, 4]").replace("seeds: 1", "seeds: 3")
    )
    assert sweep(tmp_path, env, "own.yaml", "--executor", "instant").returncode == 0
    (tmp_path / "own.py").unlink()
    line = [sys.executable, "-m", "reports", "own", "--format", "html"]
    again = subprocess.run(line, cwd=tmp_path, env=env | {"PYTHONPATH": str(ROOT)}, check=False, capture_output=True)
    assert again.returncode == 0, again.stderr
    page = (tmp_path / "results" / "own" / "report.html").read_text()
    shown = re.findall(r'src="data:image/png;base64,([^"]+)"[^>]*labelled (dark|light)"', page)
    assert {label for _, label in shown} == {"dark", "light"}
    for image, label in shown:
        with Image.open(io.BytesIO(base64.b64decode(image))) as picture:
            assert picture.size == (12, 12) and picture.getpixel((0, 0)) == ({"dark": 40, "light": 190}[label],) * 3


def test_a_plan_starts_nothing(planned, env):
    done = sweep(planned, env, "flip.yaml", "--plan")
    assert done.returncode == 0
    assert errors_of(done) in ("", "timing a few steps of the network, once on this machine ...\n")  # at its first time
    assert "2 variants x 1 seed = 2 runs, from 2 trainings; baseline augment.flip=true" in done.stdout
    assert "480 steps to train" in done.stdout
    assert [path.name for path in planned.iterdir()] == ["flip.yaml"]


def imported(directory, env, *arguments) -> set[str]:
    """The packages that the command imports."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", *command(*arguments)[1:]],
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    names = {line.rsplit("|", 1)[1].strip() for line in seen.stderr.splitlines() if line.startswith("import time:")}
    return {name.split(".")[0] for name in names}


HEAVY = {"tensorflow", "tf_keras", "mlflow", "pandas", "scipy", "sklearn", "matplotlib"}


def test_help_and_a_mistake_import_nothing_heavy(planned, env):
    (planned / "bad.yaml").write_text(QUESTION.replace("alex2", "alex22"))
    assert not imported(planned, env, "--help") & {*HEAVY, "numpy", "pydantic"}
    assert not imported(planned, env, "bad.yaml") & HEAVY


def test_a_plan_with_known_costs_imports_neither_tensorflow_nor_mlflow(planned, env):
    assert imported(planned, env, "flip.yaml", "--plan") & HEAVY <= {"scipy"}


def test_bad_questions_and_bad_options_exit_with_2(planned, env):
    (planned / "bad.yaml").write_text(QUESTION.replace("alex2", "alex22"))
    for arguments, said in [
        (("bad.yaml",), "bad.yaml:3:10: "),
        (("none.yaml",), "none.yaml"),
        (("flip.yaml", "--set", "base.stepps=3"), "--set base.stepps=3: "),
        (("flip.yaml", "--sets", "base.steps=3"), "unrecognized arguments: --sets"),
        (("flip.yaml", "--jobs", "0"), "--jobs: '0' is no number of 1 or more"),
        (("flip.yaml", "--jobs", "many"), "--jobs: 'many' is no whole number"),
        (("flip.yaml", "--budget", "2"), "--budget: '2' is not a duration; write it like 2h, 90m, 1h30m or 45s"),
        (("flip.yaml", "--budget", "0s"), "--budget: no time is a budget for nothing; leave it out for no limit"),
        (("flip.yaml", "--hang-after", "soon"), "--hang-after: 'soon' is not a duration"),
        (("flip.yaml", "--retries", "-1"), "--retries: "),
        (("flip.yaml", "--plan", "--gpus-per-run", "1"), "--gpus-per-run 1: this machine has no GPU"),
    ]:
        done = sweep(planned, env, *arguments)
        assert done.returncode == 2 and said in errors_of(done), done.stderr
    assert sorted(path.name for path in planned.iterdir()) == ["bad.yaml", "flip.yaml"]
    assert sweep_in_new_interpreter(planned, env, "bad.yaml").returncode == 2


def test_a_model_that_cannot_be_built_is_a_mistake_at_its_line(planned, env):
    (planned / "own.py").write_text(
        OWN.replace("    import tf_keras as keras\n", "    raise OSError('no such wood')\n")
    )
    (planned / "own.yaml").write_text(OWN_QUESTION.replace("ema: [true, false], steps", "width: [2, 4], steps"))
    done = sweep(planned, env, "own.yaml", "--plan")
    assert done.returncode == 2
    lines = [line for line in errors_of(done).splitlines() if not line.startswith("loading TensorFlow")]
    assert len(lines) == 4 and all(line.endswith("the model cannot be built: OSError: no such wood") for line in lines)
    assert all(line.startswith("own.yaml:5:") for line in lines)


def cifar(directory: Path) -> Path:
    text = QUESTION.replace("digits\n  ", "cifar10\n  ")
    (directory / "flip.yaml").write_text(text)
    return directory


def test_a_data_directory_that_is_not_there(planned, env):
    done = sweep(cifar(planned), env, "flip.yaml", "--data-dir", "nowhere")
    assert done.returncode == 1
    assert "the data directory cannot be used: nowhere does not exist. Looked for: " in errors_of(done)
    assert not keys(planned)


def test_a_truncated_archive(planned, env):
    (planned / "got").mkdir()
    (planned / "got" / "cifar-10-binary.tar.gz").write_bytes(np.random.default_rng(0).bytes(1_000_000))
    done = sweep(cifar(planned), env, "flip.yaml", "--data-dir", "got")
    assert done.returncode == 1
    assert "got/cifar-10-binary.tar.gz is damaged or cut short: md5 " in errors_of(done)
    assert "in 1,000,000 bytes" in done.stderr and not keys(planned)


def test_runs_is_a_file(planned, env):
    (planned / "runs").write_text("mine")
    done = sweep(planned, env, "flip.yaml")
    assert done.returncode == 1
    assert errors_of(done) == "cannot go on: runs is a file, and results belong in a directory of that name\n"


def test_results_is_a_file(copied, env):
    (copied / "results").write_text("mine")
    done = sweep(copied, env, "flip.yaml")
    assert done.returncode == 1
    assert errors_of(done).startswith("no report: cannot write results") and done.stderr.count("\n") == 1
    assert (copied / "results").read_text() == "mine"


def test_mlflow_db_is_a_directory(copied, env):
    (copied / "mlflow.db").mkdir()
    done = sweep(copied, env, "flip.yaml")
    assert done.returncode == 1
    assert "sqlite:///mlflow.db" in errors_of(done) and "The results are safe in runs/" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_a_second_sweep_of_the_same_question_is_refused(planned, env):
    (planned / "runs").mkdir()
    with filelock.FileLock(planned / "runs" / ".flip.lock"):
        done = sweep(planned, env, "flip.yaml")
    assert done.returncode == 1
    assert errors_of(done) == "another run_sweep.py is working on flip in this directory; wait for it or stop it\n"


EDITED = """
question: Does the width matter?
imports: [own.py]
base: {model: mine, data: halves, input_size: 8, batch: 8, steps: 400, evaluate_every: 20}
factors: {width: [4, 6]}
seeds: 1
"""


def test_a_model_file_edited_while_its_sweep_runs_trains_nothing_under_the_old_key(tmp_path, env):
    """The first training is of the old file; the second is refused, and the same command plans both anew."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "own.yaml").write_text(EDITED)
    running = Running(tmp_path, env, "own.yaml")
    running.until("  loss ")
    (tmp_path / "own.py").write_text(OWN.replace("Conv2D(width, 3", "Conv2D(3 * width, 3"))
    assert running.end() == 1
    assert "1 of 2 trainings complete" in running.output
    assert "width=6 · seed 0: the files that mine and halves are made with have been edited since" in running.errors
    assert "Traceback" not in running.errors + running.output
    (old,) = [record for record in records(tmp_path) if record.description() is not None]
    again = sweep(tmp_path, env, "own.yaml")
    assert again.returncode == 0, again.stderr
    assert "2 of 2 trainings complete" in again.stdout
    made = [record.description() for record in records(tmp_path)]
    assert {one.source_sha256 for one in made if one.key != old.description().key} != {old.description().source_sha256}
    assert sorted(one.cost.params for one in made) == [4 * 28 + 10, 12 * 28 + 26, 18 * 28 + 38]


def test_another_question_of_one_name_is_refused_before_anything_is_trained(tmp_path, env, finished):
    """Its report would be written over the other's."""
    for folder, factor in (("x", "[true, false]"), ("y", "[false, true]")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "flip.yaml").write_text(QUESTION.replace("[true, false]", factor))
    arguments = ("--executor", "instant")
    assert sweep(tmp_path, env, "x/flip.yaml", *arguments).returncode == 0
    report = (tmp_path / "results/flip/report.md").read_bytes()
    for more in ((), ("--sync",)):
        refused = sweep(tmp_path, env, "y/flip.yaml", *arguments, *more)
        assert refused.returncode == 2 and refused.stdout == ""
        assert errors_of(refused) == (
            "the name flip is taken in sqlite:///mlflow.db by another question, x/flip.yaml; give this one a name of its "
            "own: name: NAME in the question, or --name NAME\n"
        )
    assert (tmp_path / "results/flip/report.md").read_bytes() == report
    named = sweep(tmp_path, env, "y/flip.yaml", *arguments, "--name", "flip of y")
    assert named.returncode == 0 and (tmp_path / "results/flip of y/report.md").exists(), named.stderr


def test_a_sweep_goes_on_in_a_directory_that_was_moved(tmp_path, env, finished):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "flip.yaml").write_text(QUESTION)
    assert sweep(old, env, "flip.yaml", "--executor", "instant").returncode == 0
    old.rename(new)
    again = sweep(new, env, "flip.yaml", "--executor", "instant", "--seeds", "2")
    assert again.returncode == 0 and "4 runs, 2 of them done already" in again.stdout, again.stderr
    assert not old.exists() and len(list(new.glob("mlruns/flip/*/artifacts/predictions.npz"))) == 4
