"""``--executor ray``: sweeps over two real nodes, one of which is lost; what is said where there is no cluster."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import clusters
from helpers.sweeps import PATIENCE_S, QUESTION, Running, command, has_ended, sweep, sweep_in_new_interpreter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="takes apart what Linux keeps together")


@pytest.fixture(scope="module")
def network(env):
    against = clusters.reason_against()
    if against:
        pytest.skip(f"no cluster can be tried out here: {against}")
    with clusters.two_nodes(env) as network:
        yield network


@pytest.fixture
def asked(tmp_path) -> Path:
    """A directory with the question."""
    (tmp_path / "flip.yaml").write_text(QUESTION)
    return tmp_path


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, add_store, network):
    """A sweep on the cluster with all that can happen to it: what was seen after each, and its directory at the end."""
    directory = add_store(tmp_path_factory.mktemp("disturbed"))
    (directory / "flip.yaml").write_text(QUESTION)
    seen = {}

    def going(name: str, act) -> None:
        running = seen[name] = Running(
            directory, network.env, "flip.yaml", "--executor", "ray", network=network.namespace
        )
        until_both_train(running, network, directory)
        act(running)
        running.code = running.end()
        running.steps = {path.parent.name: newest_step(path) for path in directory.glob("runs/*/checkpoints")}

    def kill_driver(running: Running) -> None:
        training = [pid for pid, _ in trainings(network, directory)]
        running.process.kill()
        running.trainings_ended = len(training), all(has_ended(pid) for pid in training)

    going("ctrl-c", Running.interrupt)
    going("driver killed", kill_driver)
    going("node lost", lambda running: clusters.kill_node(network.other))
    return directory, seen


def until_both_train(running: Running, network: clusters.Network, directory: Path) -> None:
    """Wait until both trainings have evaluated; the first one is held up so long, or it might be done already."""
    before = {record: evaluated(record) for record in directory.glob("runs/*/")}
    held, deadline = [], time.monotonic() + PATIENCE_S
    while True:
        under_way = [record for record in directory.glob("runs/*/") if evaluated(record) > before.get(record, 0)]
        if len(under_way) == 2:
            break
        if under_way and not held:
            held = [pid for pid, record in trainings(network, directory) if record == under_way[0]]
            for pid in held:
                os.kill(pid, signal.SIGSTOP)
        assert running.process.poll() is None and time.monotonic() < deadline, f"only {under_way} train"
        time.sleep(0.05)
    for pid in held:
        os.kill(pid, signal.SIGCONT)


def trainings(network: clusters.Network, directory: Path) -> list[tuple[int, Path]]:
    """The processes that train, told by their output, each with the directory of its training."""
    found = []
    for pid in network.processes():
        with contextlib.suppress(OSError):
            output = Path(os.readlink(f"/proc/{pid}/fd/1"))
            if output.name in ("worker.log", "worker.1.log") and output.parent.parent == directory / "runs":
                found.append((pid, output.parent))
    return found


def newest_step(checkpoints: Path) -> int:
    return max(int(path.name[5:]) for path in checkpoints.glob("step_*"))


def evaluated(record: Path) -> int:
    """How many evaluations a training has made."""
    with contextlib.suppress(OSError):
        return len((record / "history.csv").read_text().splitlines()) - 1
    return 0


def records(directory: Path, name: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(directory.glob(f"runs/*/{name}.json"))]


def test_one_run_over_two_nodes(network, env, tmp_path, add_store):
    """One of its processes is killed, which ends the other; both go on together. After 12 steps, before rounding has grown,
    it stands where one process alone does."""
    alone = QUESTION.replace("factors:\n  augment.flip: [true, false]\n", "").replace(
        "steps: 240", "precision: float32\n  optimizer: {lr: 0.01, momentum: 0.9}\n  steps: 12"
    )
    together = alone.replace("steps: 12\n", "steps: 120\n  milestones: [12]\n  strategy: multi_worker\n  workers: 2\n")
    (add_store(tmp_path) / "together.yaml").write_text(together.replace("evaluate_every: 10", "evaluate_every: 40"))
    running = Running(tmp_path, network.env, "together.yaml", "--executor", "ray", network=network.namespace)
    killed, deadline = 0, time.monotonic() + PATIENCE_S
    while not killed:
        assert running.process.poll() is None and time.monotonic() < deadline, running.errors
        time.sleep(0.02)
        pids = {pid for pid, record in trainings(network, tmp_path) if evaluated(record)}
        there = pids & set(clusters.descendants(network.other.pid))
        if len(pids) == 2 and len(there) == 1:
            killed = there.pop()
            os.kill(killed, signal.SIGKILL)
    assert running.end() == 0, running.errors
    reason = "its process was ended by SIGKILL (the system may have been out of memory)"
    assert f"failed: {reason}; trying again from step " in running.output

    (tmp_path / "here").mkdir()
    (add_store(tmp_path / "here") / "alone.yaml").write_text(alone)
    assert sweep(tmp_path / "here", env, "alone.yaml").returncode == 0
    (expected,) = tmp_path.glob("here/runs/*/results/step_00000012.npz")
    with np.load(expected) as one, np.load(tmp_path / expected.relative_to(tmp_path / "here")) as both:
        for name in ("logits_raw", "logits_ema"):
            np.testing.assert_allclose(both[name], one[name], rtol=0, atol=1e-4 * np.abs(one[name]).max())


def test_ctrl_c_leaves_a_checkpoint_on_each_node_and_says_one_thing(disturbed):
    running = disturbed[1]["ctrl-c"]
    said = " ".join(command("flip.yaml", "--executor", "ray"))
    stopped = "stopped; nothing that was saved is lost, and the same command goes on from there:"
    assert running.code == 130 and running.errors.splitlines()[-2:] == [stopped, f"  {said}"], running.errors
    assert len(running.errors.splitlines()) <= 3  # the networks are counted once on this machine
    assert "2 runs, 2 at once" in running.output
    assert running.output.count("] saved at step ") == 2 and len(running.steps) == 2


def test_trainings_whose_driver_is_killed_save_a_checkpoint_and_end(disturbed):
    killed = disturbed[1]["driver killed"]
    assert killed.code == -signal.SIGKILL and killed.trainings_ended == (2, True)
    assert all(step > disturbed[1]["ctrl-c"].steps[key] for key, step in killed.steps.items())


def test_a_lost_node_costs_an_attempt_and_the_sweep_finishes_on_the_other(disturbed):
    directory, seen = disturbed
    running = seen["node lost"]
    assert running.code == 0 and running.errors == "", running.errors
    assert "Ray could not" not in running.output
    assert f"failed: its node {clusters.OTHER} was lost; trying again from step " in running.output
    assert "2 of 2 trainings complete" in running.output
    attempts = [attempt for record in records(directory, "attempts") for attempt in record["attempts"]]
    lost = [attempt for attempt in attempts if attempt["state"] == "failed"]
    assert [attempt["reason"] for attempt in lost] == [f"its node {clusters.OTHER} was lost"]
    with sqlite3.connect(directory / "mlflow.db") as store:
        rows = store.execute("select name, status from runs order by name").fetchall()
    assert rows == [(f"augment.flip={flip} · seed 0", "FINISHED") for flip in ("false", "true")]


def test_after_all_that_the_predictions_are_those_of_this_machine_alone_to_the_bit(disturbed, finished):
    found, expected = (
        {path.relative_to(directory): path for path in directory.glob("runs/*/results/*.npz")}
        for directory in (disturbed[0], finished[0])
    )
    assert len(expected) == 2 and found.keys() == expected.keys()
    for name, path in expected.items():
        with np.load(path) as ours, np.load(found[name]) as theirs:
            for array in ours.files:
                np.testing.assert_array_equal(theirs[array], ours[array])
    assert [t["threads"] for t in records(disturbed[0], "training")] == [
        t["threads"] for t in records(finished[0], "training")
    ]


def refused(network, directory: Path, env: dict[str, str], script: str) -> str:
    """What the command says, on one end of the shell ``script``, which sets the scene."""
    line = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{script} && exec "$@"',
        "sh",
        *command("flip.yaml", "--executor", "ray"),
    ]
    done = subprocess.run(
        [*network.within, *line],
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr + done.stdout, done.stderr
    assert not list(directory.glob("runs/*/"))
    return done.stderr


def test_a_directory_that_the_nodes_do_not_share_is_refused(network, asked):
    said = refused(network, asked, network.env, "mkdir -p runs && mount -t tmpfs tmpfs runs")
    assert f"node 127.0.0.1 does not see {asked}/runs: a sweep on a cluster needs a directory that all" in said


def test_another_version_on_the_nodes_is_refused(network, asked, tmp_path):
    package = tmp_path / "own" / "tf_keras-2.0.1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: tf-keras\nVersion: 2.0.1\n")
    said = refused(network, asked, network.env | {"PYTHONPATH": str(package.parent)}, "true")
    assert "and the machine that leads the sweep has 2.0.1: results compare only when" in said


def test_no_cluster_is_said_at_once(asked, env):
    env = env | {"RAY_TMPDIR": str(asked)}
    done = sweep(asked, env, "flip.yaml", "--executor", "ray", "--ray-address", "127.0.0.1:1")
    assert done.returncode == 1
    said = "no Ray cluster answers at 127.0.0.1:1 (Connection refused): start one with `ray start --head` here"
    assert said in done.stderr and "--ray-address HOST:PORT" in done.stderr and "Traceback" not in done.stderr
    done = sweep(asked, env, "flip.yaml", "--executor", "ray", "--ray-address", "head")
    assert done.returncode == 1
    assert "--ray-address head: the address of a cluster is HOST:PORT, as `ray start` prints it\n" in done.stderr


def test_ray_that_is_not_installed_is_said_with_what_to_install(asked, env, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "ray.py").write_text("raise ModuleNotFoundError(\"No module named 'ray'\")\n")
    modules = env | {"PYTHONPATH": str(tmp_path / "own")}
    done = sweep_in_new_interpreter(asked, modules, "flip.yaml", "--executor", "ray")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Ray is not installed; it comes with: pip install '.[ray]'"
