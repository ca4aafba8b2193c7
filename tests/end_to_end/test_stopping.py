"""Sweeps that are stopped or killed: what is said, what is kept, and that the end is the same to the bit."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest
from helpers.sweeps import QUESTION, Running, command, has_ended, predictions, records, statuses

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find the workers")

STOPPED = "stopped; nothing that was saved is lost, and the same command goes on from there:"


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory, add_store, env, finished):
    """The same sweep with all that can happen to it: what was seen after each, and its directory at the end."""
    directory = add_store(tmp_path_factory.mktemp("disturbed"))
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
        running.worker_ended = has_ended(worker)

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
    assert killed.code == -signal.SIGKILL and killed.worker_ended
    assert killed.checkpoints > disturbed[1]["sigterm"].checkpoints


def test_a_killed_worker_is_tried_again_by_the_same_command(disturbed):
    directory, seen = disturbed
    running = seen["worker killed"]
    reason = "its process was ended by SIGKILL (the system may have been out of memory)"
    assert running.code == 0 and running.errors == ""
    assert f" failed: {reason}; trying again from " in running.output
    assert "2 of 2 trainings complete" in running.output
    assert [status["state"] for status in statuses(directory)] == ["done", "done"]
    states = [attempt.state for record in records(directory) for attempt in record.attempts()]
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


def test_two_ctrl_c_end_at_once(workdir, env):
    (workdir / "flip.yaml").write_text(QUESTION)
    running = Running(workdir, env, "flip.yaml")
    running.until("  step ")
    worker = running.worker()
    os.kill(worker, signal.SIGSTOP)  # it will not answer a request to stop
    running.interrupt()
    running.until("stopping after a checkpoint")
    running.interrupt()
    assert running.end() == 130
    assert has_ended(worker) and "Traceback" not in running.errors
