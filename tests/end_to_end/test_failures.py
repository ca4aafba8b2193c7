"""Sweeps in which something fails: a training, the memory, the disk, the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.sweeps import (
    OWN,
    OWN_QUESTION,
    PATIENCE_S,
    QUESTION,
    command,
    errors_of,
    predictions,
    record_of,
    statuses,
    sweep,
)

from zoo.storage.states import TrainingState

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the workers")

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
def troubled(tmp_path_factory, add_store, env):
    """A sweep of a network that breaks in every way there is: its directory and what it printed."""
    directory = add_store(tmp_path_factory.mktemp("troubled"))
    (directory / "own.py").write_text(OWN + TROUBLE)
    (directory / "trouble.yaml").write_text(TROUBLE_QUESTION)
    return directory, sweep(directory, env, "trouble.yaml", "--jobs", 2, "--retries", 0, "--hang-after", "6s")


BROKEN = {  # how, why, and what its output says
    "hangs": ("it hung: no heartbeat for 6 s, so it was ended; its output says where", "in act"),
    "killed": ("its process was ended by SIGKILL (the system may have been out of memory)", ""),
    "segfault": ("its process was ended by SIGSEGV", "Fatal Python error: Segmentation fault"),
    "raises": ("no such wood", "no such wood"),
}


@pytest.mark.parametrize("trouble", BROKEN)
def test_what_breaks_is_given_up_with_its_reason(troubled, trouble):
    directory, done = troubled
    reason, output = BROKEN[trouble]
    record = record_of(directory, f"trouble={trouble}")
    status, attempts = record.status(), record.attempts()
    assert status.state is TrainingState.FAILED and reason in status.reason and not status.repeats
    assert output in record.log.read_text() and output in status.output
    assert [attempt.state for attempt in attempts] == [TrainingState.FAILED]
    assert f"  trouble={trouble} · seed 0: {status.reason}\n" in done.stderr
    with sqlite3.connect(directory / "mlflow.db") as store:
        found = store.execute(
            "select status, value from runs join tags using (run_uuid) where name = ? and key = 'status_detail'",
            (f"trouble={trouble} · seed 0",),
        ).fetchall()
    assert [state for state, _ in found] == ["FAILED"] and reason in found[0][1]


def test_what_breaks_costs_no_other_training(troubled):
    directory, done = troubled
    assert done.returncode == 1 and "1 of 5 trainings complete" in done.stdout
    assert record_of(directory, "trouble=nothing").status().state is TrainingState.DONE
    again = " ".join(command("trouble.yaml", "--jobs", 2, "--retries", 0, "--hang-after", "6s"))
    assert done.stderr.count("\n4 trainings failed; the others are kept:\n") == 1
    assert f"To try them again:\n  {again}\n" in done.stderr and "--rerun-failed" not in done.stderr


@pytest.fixture
def small_memory():
    """The directory of a control group: the processes in it have 3 GB of memory together."""
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
        yield group
        deadline = time.monotonic() + PATIENCE_S
        while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.1)  # a large process that was killed takes a moment to be gone
        group.rmdir()
        return
    pytest.skip("this system lets the tests limit no memory")


def test_a_training_that_the_kernel_ends_for_want_of_memory(small_memory, workdir, env):
    (workdir / "own.py").write_text(OWN + TROUBLE)
    (workdir / "trouble.yaml").write_text(
        TROUBLE_QUESTION.replace("[hangs, nothing, killed, segfault, raises]", "[nothing, eats]")
    )
    done = sweep(workdir, env, "trouble.yaml", "--retries", 0, control_group=small_memory)
    reason = "the kernel ended its process because memory was short (SIGKILL)"
    assert done.returncode == 1 and f"trouble=eats · seed 0: {reason}\n" in errors_of(done)
    assert record_of(workdir, "trouble=eats").status().reason == reason
    assert record_of(workdir, "trouble=nothing").status().state is TrainingState.DONE


def test_a_diverging_run_names_its_step_and_is_not_repeated_unasked(workdir, env):
    text = QUESTION.replace("augment.flip: [true, false]", "optimizer.lr: [0.1, 1000]").replace(
        "steps: 240", "steps: 30"
    )
    (workdir / "rate.yaml").write_text(text.replace("  batch", "  optimizer.momentum: 0.9\n  batch"))
    first = sweep(workdir, env, "rate.yaml")
    assert first.returncode == 1
    assert "optimizer.lr=1000 · seed 0: the loss is not a number at step " in errors_of(first)
    assert "is not repeated, unless you ask for it:" in first.stderr and "--rerun-failed" in first.stderr
    assert sorted(status["state"] for status in statuses(workdir)) == ["done", "failed"]
    log = next(
        path.parent / "worker.log" for path in workdir.glob("runs/*/status.json") if "failed" in path.read_text()
    )
    before = log.stat().st_mtime_ns
    again = sweep(workdir, env, "rate.yaml")
    assert again.returncode == 1 and "left out" in again.stdout and log.stat().st_mtime_ns == before
    asked = sweep(workdir, env, "rate.yaml", "--rerun-failed")
    assert asked.returncode == 1 and "left out" not in asked.stdout and log.stat().st_mtime_ns > before
    assert "--rerun-failed" not in errors_of(asked).replace(" ".join(command("rate.yaml", "--rerun-failed")), "")


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
    assert "disk is full" in errors_of(done)
    assert "[2/2]" in done.stdout
    for path in small_disk.glob("runs/*/*.json"):
        json.loads(path.read_text())
    predictions(small_disk)
    for path in small_disk.glob("runs/*/checkpoints/step_*/progress.json"):
        json.loads(path.read_text())
    assert not list(small_disk.glob("runs/*/.*.json*"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = sweep(small_disk, env, "flip.yaml", "--tracking-uri", store)
    assert again.returncode == 0 and errors_of(again) == ""
    for path, arrays in predictions(finished[0]).items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(predictions(small_disk)[path][name], values)


def test_a_database_that_is_locked_all_along_loses_nothing(workdir, env):
    (workdir / "own.py").write_text(OWN)
    (workdir / "own.yaml").write_text(OWN_QUESTION)
    store = "sqlite:///mlflow.db?timeout=0.1"
    holder = sqlite3.connect(workdir / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = sweep(workdir, env, "own.yaml", "--tracking-uri", store)
    assert done.returncode == 1 and "1 of 1 trainings complete" in done.stdout
    assert "another program has locked the database and does not let go; close it" in errors_of(done)
    assert "The results are safe in runs/; this sends them when it is back:\n" in done.stderr
    assert done.stderr.endswith(
        f"  {' '.join(command('own.yaml', '--tracking-uri', store, '--sync'))}\n".replace(store, f"'{store}'")
    )
    holder.execute("ROLLBACK")
    holder.close()
    sent = sweep(workdir, env, "own.yaml", "--tracking-uri", store, "--sync")
    assert sent.returncode == 0
    with sqlite3.connect(workdir / "mlflow.db") as found:
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
