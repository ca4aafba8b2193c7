"""The command line from end to end: real processes, real signals, a real MLflow store."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
from sweeps import PATIENCE_S, QUESTION, Running, command, environment, gone, sweep

from zoo.record import Record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the workers")

STOPPED = "stopped; nothing that was saved is lost, and the same command goes on from there:"

OWN = """
import numpy as np
from zoo.data import register as data_set
from zoo.models import register as model

@model("mine")
def mine(input_size: int = 24, classes: int = 10, width: int = 4):
    import tf_keras as keras
    image = keras.Input((input_size, input_size, 3))
    x = keras.layers.Conv2D(width, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.GlobalAveragePooling2D()(x)))

@data_set("halves", classes=("dark", "light"), image_size=12)
def halves(data_dir):
    labels = np.arange(64) % 2
    images = np.full((64, 12, 12, 3), 40, np.uint8) + (labels * 150).astype(np.uint8)[:, None, None, None]
    return {"train": (images, labels), "test": (images[:20], labels[:20])}
"""
OWN_QUESTION = """
question: Do averages and time matter for my own net on my own data?
imports: [own.py]
base: {model: mine, data: halves, input_size: 8, batch: 8, evaluate_every: 10}
factors: {ema: [true, false], steps: [10, 20]}
seeds: 1
"""
TROUBLE = """
import ctypes, os, signal, time
import numpy as np
from zoo.models import register as model

def act(trouble):
    trouble = trouble.numpy().decode()
    if trouble == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if trouble == "segfault":
        ctypes.string_at(0)
    while trouble == "hangs":
        time.sleep(1000)
    hoard = []
    while trouble == "eats":
        hoard.append(np.ones(10_000_000))

@model("troubled")
def troubled(input_size: int = 24, classes: int = 10, trouble: str = "nothing"):
    import tensorflow as tf
    import tf_keras as keras

    class Trouble(keras.layers.Layer):
        def macs_and_ops(self, input_shape, output_shape):
            return 0, 0

        def call(self, x, training=None):
            if trouble == "raises" and training:
                raise KeyError("no such wood")
            if trouble == "nothing" or not training:
                return x
            with tf.control_dependencies([tf.py_function(act, [trouble], [])]):
                return tf.identity(x)

    image = keras.Input((input_size, input_size, 3))
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(Trouble()(image))))
"""
TROUBLE_QUESTION = """
question: What becomes of a sweep whose trainings break?
imports: [own.py]
base: {model: troubled, data: halves, input_size: 8, batch: 8, steps: 20, evaluate_every: 10}
factors: {trouble: [hangs, nothing, killed, segfault, raises]}
baseline: {trouble: nothing}
seeds: 1
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    return environment(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, env):
    """A sweep run without any disturbance: its directory and what it printed."""
    directory = tmp_path_factory.mktemp("finished")
    (directory / "flip.yaml").write_text(QUESTION)
    return directory, sweep(directory, env, "flip.yaml")


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


def keys(directory: Path) -> set[str]:
    return {path.parent.name for path in directory.glob("runs/*/training.json")}


def predictions(directory: Path) -> dict[str, dict[str, np.ndarray]]:
    found = {}
    for path in directory.glob("runs/*/results/*.npz"):
        with np.load(path) as arrays:
            found[str(path.relative_to(directory))] = dict(arrays)
    return found


def statuses(directory: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(directory.glob("runs/*/status.json"))]


def records(directory: Path) -> list[Record]:
    return [Record(path.parent) for path in sorted(directory.glob("runs/*/training.json"))]


def record_of(directory: Path, variant: str) -> Record:
    (found,) = [one for one in records(directory) if one.read("training")["runs"] == [f"{variant} · seed 0"]]
    return found


def told(done) -> str:
    """What went wrong, in words: never a traceback."""
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text and "Exception" not in text, text
    return done.stderr


def test_a_sweep_from_end_to_end(finished):
    directory, done = finished
    assert done.returncode == 0 and done.stderr.count("\n") == 1, done.stderr  # "counting the parameters ..."
    assert "[1/2] augment.flip=true · seed 0: 240 steps" in done.stdout
    assert "[2/2] augment.flip=false · seed 0: 240 steps" in done.stdout
    assert "2 of 2 trainings complete" in done.stdout
    for name in ("report.md", "accuracy_vs_size.png", "learning_curves.png", "variants.csv", "runs.csv"):
        assert (directory / "results" / "flip" / name).stat().st_size > 0
        assert f"results/flip/{name}" in done.stdout
    with sqlite3.connect(directory / "mlflow.db") as store:
        rows = store.execute("select name, status from runs order by name").fetchall()
    assert rows == [("augment.flip=false · seed 0", "FINISHED"), ("augment.flip=true · seed 0", "FINISHED")]


def test_the_same_command_again_trains_nothing_and_still_reports(finished, env):
    directory, _ = finished
    before = {path: path.stat().st_mtime_ns for path in directory.glob("runs/*/**/*") if path.is_file()}
    (directory / "results" / "flip" / "report.md").unlink()
    again = sweep(directory, env, "flip.yaml")
    assert again.returncode == 0 and told(again) == ""
    assert "2 runs, all of them done already" in again.stdout and "[1/" not in again.stdout
    assert (directory / "results" / "flip" / "report.md").exists()
    assert {path: path.stat().st_mtime_ns for path in directory.glob("runs/*/**/*") if path.is_file()} == before


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, env, finished):
    """The same sweep with all that can happen to it: what was seen after each, and its directory at the end."""
    directory = tmp_path_factory.mktemp("disturbed")
    (directory / "flip.yaml").write_text(QUESTION)
    seen, arguments = {}, ["flip.yaml"]

    def mid_training(name: str, act) -> Running:
        running = Running(directory, env, *arguments)
        running.until("  loss ")  # of the first evaluation
        act(running)
        seen[name] = running
        return running

    def note(running: Running) -> None:
        running.code = running.end()
        running.results = set(predictions(directory))
        running.checkpoints = sorted(path.name for path in directory.glob("runs/*/checkpoints/step_*"))

    note(mid_training("ctrl-c", Running.interrupt))
    note(mid_training("sigterm", lambda running: running.process.send_signal(signal.SIGTERM)))

    def kill_driver(running: Running) -> None:
        worker = running.worker()
        running.process.kill()
        running.worker_gone = gone(worker)

    note(mid_training("driver killed", kill_driver))
    # One at a time until here, like the sweep that is compared with; two from here on give the same bits.
    arguments.extend(["--jobs", "2"])
    note(mid_training("worker killed", lambda running: os.kill(running.worker(), signal.SIGKILL)))
    return directory, seen


@pytest.mark.parametrize("name", ["ctrl-c", "sigterm"])
def test_a_stop_in_mid_training_keeps_a_checkpoint_and_says_one_thing(disturbed, name):
    _, seen = disturbed
    running = seen[name]
    assert running.code == 130
    assert running.errors == f"{STOPPED}\n  {' '.join(command('flip.yaml'))}\n"
    assert "  stopping after a checkpoint" in running.output and "  saved at step " in running.output
    assert "Traceback" not in running.errors + running.output
    assert running.checkpoints and not running.results


def test_a_stopped_sweep_goes_on_from_its_checkpoint(disturbed):
    assert ", going on from step " in disturbed[1]["sigterm"].output


def test_a_worker_whose_driver_is_killed_saves_a_checkpoint_and_ends(disturbed):
    killed = disturbed[1]["driver killed"]
    assert killed.code == -signal.SIGKILL and killed.worker_gone
    assert killed.checkpoints > disturbed[1]["sigterm"].checkpoints


def test_a_killed_worker_is_tried_again_by_the_same_command(disturbed):
    directory, seen = disturbed
    running = seen["worker killed"]
    reason = "its process was ended by SIGKILL (the system may have been out of memory)"
    assert running.code == 0 and running.errors == ""
    assert f" failed: {reason}; trying again from " in running.output
    assert "2 of 2 trainings complete" in running.output
    assert [status["state"] for status in statuses(directory)] == ["done", "done"]
    states = [attempt["state"] for record in records(directory) for attempt in record.attempts()]
    # The attempt whose driver was killed had nobody to write it down.
    assert sorted(states) == ["done", "done", "failed", "stopped", "stopped"]


def test_after_all_that_the_predictions_are_the_same_to_the_bit(disturbed, finished):
    """And with two at once as with one."""
    directory, _ = disturbed
    undisturbed, found = predictions(finished[0]), predictions(directory)
    assert not list(directory.glob("runs/*/checkpoints/.unfinished*"))
    assert len(undisturbed) == 2 and undisturbed.keys() == found.keys()
    for path, arrays in undisturbed.items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(found[path][name], values)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory, env):
    """A sweep of a network that breaks in every way there is: its directory and what it printed."""
    directory = tmp_path_factory.mktemp("troubled")
    (directory / "own.py").write_text(OWN + TROUBLE)
    (directory / "trouble.yaml").write_text(TROUBLE_QUESTION)
    # Long enough for a training to begin on a busy machine.
    return directory, sweep(directory, env, "trouble.yaml", "--jobs", 2, "--retries", 1, "--hang-after", "20s")


BROKEN = {  # how, why, what its output says, and how often it is tried
    "hangs": ("it hung: no sign of life for 20 s, so it was ended; its output says where", "in act", 2),
    "killed": ("its process was ended by SIGKILL (the system may have been out of memory)", "", 2),
    "segfault": ("its process was ended by SIGSEGV", "Fatal Python error: Segmentation fault", 2),
    "raises": ("no such wood", "no such wood", 1),
}


@pytest.mark.parametrize("trouble", BROKEN)
def test_what_breaks_again_and_again_is_given_up_with_its_reason(troubled, trouble):
    directory, done = troubled
    reason, output, tries = BROKEN[trouble]
    record = record_of(directory, f"trouble={trouble}")
    status, attempts = record.read("status"), record.attempts()
    assert status["state"] == "failed" and reason in status["reason"] and not status["repeats"]
    assert output in record.log.read_text() and output in status["output"]
    assert [attempt["state"] for attempt in attempts] == ["failed"] * tries
    assert f"  trouble={trouble} · seed 0: {status['reason']}\n" in done.stderr
    assert done.stdout.count(f"failed: {status['reason']}; trying again from the start (attempt 2 of 2)") == tries - 1
    with sqlite3.connect(directory / "mlflow.db") as store:
        found = store.execute(
            "select status, value from runs join tags using (run_uuid) where name = ? and key = 'status_detail'",
            (f"trouble={trouble} · seed 0",),
        ).fetchall()
    assert [state for state, _ in found] == ["FAILED"] and reason in found[0][1]


def test_what_breaks_costs_no_other_training(troubled):
    directory, done = troubled
    assert done.returncode == 1 and "1 of 5 trainings complete" in done.stdout
    assert record_of(directory, "trouble=nothing").read("status")["state"] == "done"
    again = " ".join(command("trouble.yaml", "--jobs", 2, "--retries", 1, "--hang-after", "20s"))
    assert done.stderr.count("\n4 trainings failed; the others are kept:\n") == 1
    assert f"To try them again:\n  {again}\n" in done.stderr and "--rerun-failed" not in done.stderr


@pytest.fixture
def small_memory():
    """A file: the process whose number is written there has 3 GB of memory, with all that it starts."""
    name = f"model-zoo-bench-{os.getpid()}"
    for base, limit in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        ("/sys/fs/cgroup", "memory.max"),
    ):
        group = Path(base) / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(3_000_000_000))
        except OSError:
            group.rmdir()
            continue
        yield group / "cgroup.procs"
        group.rmdir()
        return
    pytest.skip("this system lets the tests limit no memory")


def test_a_training_that_the_kernel_ends_for_want_of_memory(small_memory, tmp_path, env):
    (tmp_path / "own.py").write_text(OWN + TROUBLE)
    (tmp_path / "trouble.yaml").write_text(
        TROUBLE_QUESTION.replace("[hangs, nothing, killed, segfault, raises]", "[nothing, eats]")
    )
    # A shell that puts itself into the group first, and then becomes the sweep.
    words = ["sh", "-c", f'echo $$ > {small_memory} && exec "$@"', "sh", *command("trouble.yaml", "--retries", 0)]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    reason = "the kernel ended its process because memory was short (SIGKILL)"
    assert done.returncode == 1 and f"trouble=eats · seed 0: {reason}\n" in told(done)
    assert record_of(tmp_path, "trouble=eats").read("status")["reason"] == reason
    assert record_of(tmp_path, "trouble=nothing").read("status")["state"] == "done"


def test_two_ctrl_c_end_at_once(planned, env):
    running = Running(planned, env, "flip.yaml")
    running.until("  step ")
    worker = running.worker()
    os.kill(worker, signal.SIGSTOP)  # it will not answer a request to stop
    running.interrupt()
    running.until("stopping after a checkpoint")
    running.interrupt()
    assert running.end() == 130
    assert gone(worker) and "Traceback" not in running.errors


def test_a_diverging_run_names_its_step_and_is_not_repeated_unasked(tmp_path, env):
    text = QUESTION.replace("augment.flip: [true, false]", "optimizer.lr: [0.1, 1000]").replace(
        "steps: 240", "steps: 30"
    )
    (tmp_path / "rate.yaml").write_text(text.replace("  batch", "  optimizer.momentum: 0.9\n  batch"))
    first = sweep(tmp_path, env, "rate.yaml")
    assert first.returncode == 1
    assert "optimizer.lr=1000 · seed 0: the loss is not a number at step " in told(first)
    assert "is not repeated, unless you ask for it:" in first.stderr and "--rerun-failed" in first.stderr
    assert sorted(status["state"] for status in statuses(tmp_path)) == ["done", "failed"]
    log = next(
        path.parent / "worker.log" for path in tmp_path.glob("runs/*/status.json") if "failed" in path.read_text()
    )
    before = log.stat().st_mtime_ns
    again = sweep(tmp_path, env, "rate.yaml")
    assert again.returncode == 1 and "left out" in again.stdout and log.stat().st_mtime_ns == before
    asked = sweep(tmp_path, env, "rate.yaml", "--rerun-failed")
    assert asked.returncode == 1 and "left out" not in asked.stdout and log.stat().st_mtime_ns > before
    assert "--rerun-failed" not in told(asked).replace(" ".join(command("rate.yaml", "--rerun-failed")), "")


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


def test_a_plan_starts_nothing(planned, env):
    done = sweep(planned, env, "flip.yaml", "--plan")
    assert done.returncode == 0
    assert told(done) in ("", "timing a few steps of the network, once on this machine ...\n")  # at its first time
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
        (("flip.yaml", "--budget", "2"), "--budget: '2' is no length of time; write it like 2h, 90m, 1h30m or 45s"),
        (("flip.yaml", "--hang-after", "soon"), "--hang-after: 'soon' is no length of time"),
        (("flip.yaml", "--retries", "-1"), "--retries: "),
        (("flip.yaml", "--plan", "--gpus-per-run", "1"), "--gpus-per-run 1: this machine has no GPU"),
    ]:
        done = sweep(planned, env, *arguments)
        assert done.returncode == 2 and said in told(done), done.stderr
    assert sorted(path.name for path in planned.iterdir()) == ["bad.yaml", "flip.yaml"]


def test_a_model_that_cannot_be_built_is_a_mistake_at_its_line(planned, env):
    (planned / "own.py").write_text(
        OWN.replace("    import tf_keras as keras\n", "    raise OSError('no such wood')\n")
    )
    (planned / "own.yaml").write_text(OWN_QUESTION.replace("ema: [true, false], steps", "width: [2, 4], steps"))
    done = sweep(planned, env, "own.yaml", "--plan")
    assert done.returncode == 2
    lines = [line for line in told(done).splitlines() if not line.startswith("counting")]
    assert len(lines) == 4 and all(line.endswith("the model cannot be built: OSError: no such wood") for line in lines)
    assert all(line.startswith("own.yaml:5:") for line in lines)


def cifar(directory: Path) -> Path:
    text = QUESTION.replace("digits\n  ", "cifar10\n  ")
    (directory / "flip.yaml").write_text(text)
    return directory


def test_a_data_directory_that_is_not_there(planned, env):
    done = sweep(cifar(planned), env, "flip.yaml", "--data-dir", "nowhere")
    assert done.returncode == 1
    assert "the data directory cannot be used: nowhere does not exist. Looked for: " in told(done)
    assert not keys(planned)


def test_a_truncated_archive(planned, env):
    (planned / "got").mkdir()
    (planned / "got" / "cifar-10-binary.tar.gz").write_bytes(np.random.default_rng(0).bytes(1_000_000))
    done = sweep(cifar(planned), env, "flip.yaml", "--data-dir", "got")
    assert done.returncode == 1
    assert "got/cifar-10-binary.tar.gz is damaged or cut short: md5 " in told(done)
    assert "in 1,000,000 bytes" in done.stderr and not keys(planned)


def test_runs_is_a_file(planned, env):
    (planned / "runs").write_text("mine")
    done = sweep(planned, env, "flip.yaml")
    assert done.returncode == 1
    assert told(done) == "cannot go on: runs is a file, and results belong in a directory of that name\n"


def test_results_is_a_file(copied, env):
    (copied / "results").write_text("mine")
    done = sweep(copied, env, "flip.yaml")
    assert done.returncode == 1
    assert told(done).startswith("no report: cannot write results") and done.stderr.count("\n") == 1
    assert (copied / "results").read_text() == "mine"


def test_mlflow_db_is_a_directory(copied, env):
    (copied / "mlflow.db").mkdir()
    done = sweep(copied, env, "flip.yaml")
    assert done.returncode == 1
    assert "sqlite:///mlflow.db" in told(done) and "The results are safe in runs/" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_a_second_sweep_of_the_same_question_is_refused(planned, env):
    (planned / "runs").mkdir()
    with filelock.FileLock(planned / "runs" / ".flip.lock"):
        done = sweep(planned, env, "flip.yaml")
    assert done.returncode == 1
    assert told(done) == "another run_sweep.py is working on flip in this directory; wait for it or stop it\n"


@pytest.fixture
def small_disk(tmp_path):
    """A directory on a disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets the tests mount no small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_loses_nothing(small_disk, finished, env):
    (small_disk / "flip.yaml").write_text(QUESTION)
    store = f"sqlite:///{finished[0] / 'other.db'}"
    done = sweep(small_disk, env, "flip.yaml", "--tracking-uri", store)
    assert done.returncode == 1
    assert "disk is full" in told(done)
    assert "[2/2]" in done.stdout
    for path in small_disk.glob("runs/*/*.json"):
        json.loads(path.read_text())
    predictions(small_disk)
    for path in small_disk.glob("runs/*/checkpoints/step_*/progress.json"):
        json.loads(path.read_text())
    assert not list(small_disk.glob("runs/*/.*.json*"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = sweep(small_disk, env, "flip.yaml", "--tracking-uri", store)
    assert again.returncode == 0 and told(again) == ""
    for path, arrays in predictions(finished[0]).items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(predictions(small_disk)[path][name], values)


def test_a_database_that_is_locked_all_along_loses_nothing(place, env):
    (place / "own.py").write_text(OWN)
    (place / "own.yaml").write_text(OWN_QUESTION)
    store = "sqlite:///mlflow.db?timeout=0.1"
    holder = sqlite3.connect(place / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = sweep(place, env, "own.yaml", "--tracking-uri", store)
    assert done.returncode == 1 and "1 of 1 trainings complete" in done.stdout
    assert "another program has locked the database and does not let go; close it" in told(done)
    assert "The results are safe in runs/; this sends them when it is back:\n" in done.stderr
    assert done.stderr.endswith(
        f"  {' '.join(command('own.yaml', '--tracking-uri', store, '--sync'))}\n".replace(store, f"'{store}'")
    )
    holder.execute("ROLLBACK")
    holder.close()
    sent = sweep(place, env, "own.yaml", "--tracking-uri", store, "--sync")
    assert sent.returncode == 0
    with sqlite3.connect(place / "mlflow.db") as found:
        assert found.execute("select count(*) from runs where status = 'FINISHED'").fetchone() == (4,)
        steps = found.execute(
            "select name, group_concat(step) from (select * from metrics join runs using (run_uuid) order by step) "
            "where key = 'train/loss' group by run_uuid order by name"
        ).fetchall()
    assert [(name.split(" ")[0], found) for name, found in steps] == [
        ("ema=false,", "10"),
        ("ema=false,", "10,20"),
        ("ema=true,", "10"),
        ("ema=true,", "10,20"),
    ]
