"""Chaos: a sweep that is killed again and again, and what it must come to all the same.

    python tests/end_to_end/chaos.py [--kills 20] [--runs 8] [--jobs 2] [--seed 0] [--directory DIR]

A small question on the digits is answered twice: undisturbed, and while its processes are killed with SIGKILL at random
moments (one that trains, the driver, the server that workers are forked from, or all of them, as when a machine dies).
Whenever the driver is gone the same command is given again, until it ends with exit code 0. Then weights, predictions,
histories and MLflow must be those of the undisturbed sweep: to the bit, clocks aside, each point once.

``--retries`` is as high as there are kills, so that bad luck does not use it up; an exit code of 1 that is no crash (the
process that measured latencies was killed, say) is answered as a person would, with the same command again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where the helpers are, when this is run as a script
from helpers.launcher import ForkedProcess
from helpers.sweeps import PATIENCE_S, command, environment, start, sweep

from zoo.host.quiet_import import quiet_import
from zoo.storage.record import Record
from zoo.storage.states import TrainingState
from zoo.tracking.names import Artifacts

VARIANTS = {
    "plain": "{}",
    "dropout": "{dropout: 0.5}",
    "batch norm": "{batch_norm: true}",
    "adam": "{optimizer.name: adam, optimizer.lr: 0.002}",
}
QUESTION = """\
question: What does a sweep come to that is killed again and again?
base:
  model: alex2
  data: digits
  convs: [[3, 8], [3, 8]]
  hidden: [16]
  batch: 16
  steps: {steps}
  evaluate_every: {every}
variants:
{variants}
baseline: plain
seeds: {seeds}
"""
CLOCKS = {"time", "train_s", "evaluate_s", "train/images_per_s", "others_busy"}
TARGETS = {"worker": 8, "driver": 5, "server": 3, "machine": 4}  # with these odds
LATE_FRACTION = 0.2  # of the kills wait until the trainings are done: latency, MLflow, report
LATE_S = 1.5  # mean time from there to the kill
AFTER_TRAINING = "measuring the latency"


@dataclass
class Scenario:
    """The sweep of one directory: its command, and the driver that runs now."""

    directory: Path
    env: dict[str, str]
    arguments: list[str]
    process: subprocess.Popen | ForkedProcess | None = None
    outputs: list[Path] = field(default_factory=list)  # of each driver so far

    def start(self) -> None:
        path = self.directory / f"output-{len(self.outputs):02d}.txt"
        self.outputs.append(path)
        with open(path, "wb") as output:
            line = command(*self.arguments)
            self.process = start(self.directory, self.env, line, output.fileno(), output.fileno())

    def output(self) -> str:
        return self.outputs[-1].read_text(encoding="utf-8", errors="replace")

    def ended(self, timeout_s: float) -> bool:
        """Whether the driver ends within a time."""
        try:
            self.process.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            return False
        return True

    def late(self) -> bool:
        """Wait until the trainings are done; False when the driver ended before."""
        while AFTER_TRAINING not in self.output():
            if self.ended(0.05):
                return False
        return True

    def processes(self) -> dict[int, str]:
        """All processes at work here: the driver, the server of workers, and workers."""
        found = {}
        for pid, parent, line in _processes_in(self.directory):
            if self.process is not None and pid == self.process.pid:
                found[pid] = "driver"
            elif "resource_tracke" in line or "(spare)" in line:
                continue  # it ends with the driver
            elif self.process is not None and parent == self.process.pid and "forkserver" in line:
                found[pid] = "server"
            else:
                found[pid] = "worker"
        return found


def main(argv: list[str] | None = None, env: dict[str, str] | None = None) -> int:
    """0 when the killed sweep came to the same as the undisturbed one, else 1.

    ``env`` is the environment of the sweeps (default: a clean one with a cache in the directory).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runs", type=int, default=8, help=f"a multiple of {len(VARIANTS)}, or fewer than that")
    parser.add_argument("--steps", type=int, default=600, help="of each run")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="decides what is killed, and when")
    parser.add_argument("--every", type=float, help="mean seconds between kills (default: so that they are spread out)")
    parser.add_argument("--directory", type=Path, help="where to work; is kept (default: a temporary one)")
    options = parser.parse_args(argv)
    if options.directory:
        options.directory.mkdir(parents=True, exist_ok=True)
        return _compare_in(options.directory.resolve(), options, env)
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        return _compare_in(Path(directory).resolve(), options, env)


def _compare_in(directory: Path, options: argparse.Namespace, env: dict[str, str] | None) -> int:
    env = env or environment(directory / "cache")
    undisturbed = _prepare(directory / "undisturbed", options, env)
    began = time.monotonic()
    done = sweep(undisturbed.directory, undisturbed.env, *undisturbed.arguments)
    undisturbed_s = time.monotonic() - began
    if done.returncode:
        print(f"the undisturbed sweep ended with exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return 1
    print(f"undisturbed: {options.runs} runs in {undisturbed_s:.0f} s", flush=True)
    killed = _prepare(directory / "killed", options, env)
    began = time.monotonic()
    problems = kill_at_random(killed, options.kills, options.every or 3 * undisturbed_s / options.kills, options.seed)
    print(f"killed {options.kills} times: {time.monotonic() - began:.0f} s, {len(killed.outputs)} drivers", flush=True)
    problems += differences(undisturbed.directory, killed.directory) if not problems else []
    problems += left_over(killed)
    print("\n".join(problems) or "the same to the bit, every point once, nothing left over", flush=True)
    return 1 if problems else 0


def _prepare(directory: Path, options: argparse.Namespace, env: dict[str, str]) -> Scenario:
    directory.mkdir(parents=True)
    names = list(VARIANTS)[: options.runs]
    if options.runs % len(names):
        raise SystemExit(f"--runs {options.runs}: not a multiple of {len(VARIANTS)}")
    variants = "\n".join(f"  {name}: {VARIANTS[name]}" for name in names)
    seeds, every = options.runs // len(names), max(1, options.steps // 20)
    text = QUESTION.format(steps=options.steps, every=every, variants=variants, seeds=seeds)
    (directory / "chaos.yaml").write_text(text, encoding="utf-8")
    arguments = ["chaos.yaml", "--jobs", options.jobs, "--retries", options.kills]
    return Scenario(directory, env, [str(word) for word in arguments])


def kill_at_random(scenario: Scenario, kills: int, mean_s: float, seed: int) -> list[str]:
    """Run the sweep to its end through that many kills; returns what went wrong on the way."""
    chance = random.Random(seed)
    late = round(kills * LATE_FRACTION)
    problems: list[str] = []
    scenario.start()
    number = restarts = 0
    while number < kills:
        is_late = number >= kills - late
        wait_s = chance.expovariate(1 / (LATE_S if is_late else mean_s))
        target = chance.choices(list(TARGETS), TARGETS.values())[0]
        began = time.monotonic()
        in_time = scenario.late() if is_late else True
        if in_time and not scenario.ended(wait_s):
            number += 1
            _kill(scenario, target, chance, f"{number:3d}. after {time.monotonic() - began:4.1f} s")
        if scenario.process.poll() is not None:
            problems += _how_it_ended(scenario)
            # Once the sweep is complete the rest of the kills have only its last part to hit: soon, then.
            mean_s = min(mean_s, LATE_S) if scenario.process.returncode == 0 else mean_s
            late = 0 if scenario.process.returncode == 0 else late
            scenario.start()
    while scenario.process.wait(PATIENCE_S):
        problems += _how_it_ended(scenario)
        restarts += 1
        if restarts > 3:
            return [*problems, f"still exit code {scenario.process.returncode} when nothing is killed any more"]
        scenario.start()
    return problems + _how_it_ended(scenario)


def _kill(scenario: Scenario, target: str, chance: random.Random, when: str) -> None:
    running = scenario.processes()
    workers = sorted(pid for pid, role in running.items() if role == "worker")
    victims = sorted(running) if target == "machine" else sorted(pid for pid, role in running.items() if role == target)
    if target == "worker" and victims:
        victims = [chance.choice(victims)]
    if not victims:
        target, victims = "driver", [scenario.process.pid]  # there is no such process at this moment
    shown = [_doing(scenario, pid) for pid in (victims if target == "worker" else workers)]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            when += " (was just gone)"
    lines = scenario.output().strip().splitlines()
    print(f"{when}: {target:7} [{'; '.join(shown)}] last line: {lines[-1][:60] if lines else ''}", flush=True)
    if scenario.process.pid in victims:
        scenario.process.wait()


def _doing(scenario: Scenario, pid: int) -> str:
    """What a worker is at, by the log that it writes to."""
    try:
        log = Path(os.readlink(f"/proc/{pid}/fd/1"))
    except OSError:
        return "gone"
    if log.name != "worker.log":
        return "counts, measures or starts"
    record = Record(log.parent)
    newest = record.latest_checkpoint(10**8)
    described = record.description()
    runs = described.runs if described else [log.parent.name]
    unfinished = ", writing the next" if [*record.checkpoints.glob(".unfinished*")] else ""
    return f"{runs[0]} past {newest.name if newest else 'no checkpoint'}{unfinished}"


def _how_it_ended(scenario: Scenario) -> list[str]:
    code, output = scenario.process.returncode, scenario.output()
    if code not in (0, -signal.SIGKILL):
        print(f"     exit code {code}: {' | '.join(output.strip().splitlines()[-4:])}", flush=True)
    problems = [] if code in (0, 1, -signal.SIGKILL) else [f"exit code {code}"]
    if "Traceback" in output:
        problems.append(f"a traceback in {scenario.outputs[-1]}:\n{output[output.index('Traceback') :]}")
    return problems


def differences(undisturbed: Path, killed: Path) -> list[str]:
    """In what the results in two directories differ, clocks aside; and what is wrong in the second one's MLflow."""
    names = sorted(path.parent.name for path in undisturbed.glob("runs/*/status.json"))
    found = sorted(path.parent.name for path in killed.glob("runs/*/status.json"))
    if names != found:
        return [f"trainings {found} instead of {names}"]
    problems = _in_weights(undisturbed, killed)
    for name in names:
        expected, record = Record(undisturbed / "runs" / name), Record(killed / "runs" / name)
        if without_clocks(expected.history()) != without_clocks(record.history()):
            problems.append(f"{name}: another history")
        status = record.status()
        if status is None or status.state is not TrainingState.DONE:
            problems.append(f"{name}: status {status}")
        if record.latency() is None:
            problems.append(f"{name}: no latency")
        for path in sorted(expected.directory.glob("results/*.npz")):
            if not equal_arrays(path, record.directory / "results" / path.name):
                problems.append(f"{name}: other predictions in {path.name}")
    return problems + in_mlflow(killed)


def without_clocks(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key not in CLOCKS} for row in rows]


def equal_arrays(one: Path, other: Path) -> bool:
    if not other.exists():
        return False
    with np.load(one) as a, np.load(other) as b:
        return set(a) == set(b) and all(a[name].tobytes() == b[name].tobytes() for name in a)


def _in_weights(undisturbed: Path, killed: Path) -> list[str]:
    expected, found = _weights(undisturbed), _weights(killed)
    if not expected or expected.keys() != found.keys():
        return [f"other variables in the checkpoints: {sorted(expected.keys() ^ found.keys())[:5]}"]
    return [f"{name}: another value" for name, value in expected.items() if found[name] != value]


def _weights(directory: Path) -> dict[str, bytes]:
    """Every variable in every checkpoint."""
    with quiet_import():
        import tensorflow as tf

    found = {}
    for path in sorted(directory.glob("runs/*/checkpoints/step_*")):
        reader = tf.train.load_checkpoint(str(path / "state"))
        for name in reader.get_variable_to_shape_map():
            if name != "_CHECKPOINTABLE_OBJECT_GRAPH":
                found[f"{path.parent.parent.name}/{path.name}/{name}"] = reader.get_tensor(name).tobytes()
    return found


def in_mlflow(directory: Path) -> list[str]:
    """What is wrong in the MLflow store of a complete sweep: each run once, each row of its history once, all its files."""
    problems = []
    runs_by_name: dict[str, list[str]] = {}
    with closing(sqlite3.connect(directory / "mlflow.db")) as store:
        active = store.execute(
            "select run_uuid, name, status, artifact_uri from runs where lifecycle_stage = 'active'"
        ).fetchall()
        for run, name, status, artifacts in active:
            tags = dict(store.execute("select key, value from tags where run_uuid = ?", (run,)))
            points = store.execute("select key, step, value from metrics where run_uuid = ?", (run,)).fetchall()
            runs_by_name.setdefault(name, []).append(run)
            if status != "FINISHED" or tags.get("current") != "true":
                problems.append(f"MLflow: {name} is {status}, current: {tags.get('current')}")
            record = _record_of(directory, name)
            problems += [f"MLflow: {name}: {problem}" for problem in _in_points(points, record)]
            problems += [f"MLflow: {name}: {problem}" for problem in _in_files(artifacts, record)]
    names = sorted(run for path in directory.glob("runs/*/") for run in _runs(Record(path)))
    if sorted(runs_by_name) != names or any(len(runs) > 1 for runs in runs_by_name.values()):
        problems.append(
            f"MLflow has {sorted((name, len(runs)) for name, runs in runs_by_name.items())}; expected once: {names}"
        )
    return problems


def _record_of(directory: Path, run: str) -> Record:
    records = [Record(path) for path in directory.glob("runs/*/")]
    return next(record for record in records if run in _runs(record))


def _runs(record: Record) -> tuple[str, ...]:
    described = record.description()
    return described.runs if described else ()


def _in_points(points: list[tuple[str, int, float]], record: Record) -> Iterator[str]:
    rows = {int(row["step"]): row for row in record.history()}
    by_step: dict[str, list[tuple[int, float]]] = {}
    for metric, step, value in points:
        by_step.setdefault(metric, []).append((step, value))
    for metric in ("train/loss", "train/accuracy", "test/accuracy", "test/accuracy_raw", "test/accuracy_ema"):
        source = "test/accuracy_ema" if metric == "test/accuracy" else metric
        if sorted(by_step.get(metric, [])) != [(step, rows[step][source]) for step in sorted(rows)]:
            yield f"{metric} has {len(by_step.get(metric, []))} points for {len(rows)} evaluations, or others"
    for metric, found in by_step.items():
        steps = sorted(step for step, _ in found)
        if metric.startswith(("train/", "test/")) and steps != sorted(rows):
            yield f"{metric} at steps {steps}"
        elif len(found) != 1 and not metric.startswith(("train/", "test/")):
            yield f"{metric} has {len(found)} values"
    if by_step.keys().isdisjoint({"latency_ms/tf_p50"}):
        yield "no latency"


def _in_files(artifacts: str, record: Record) -> Iterator[str]:
    directory = Path(artifacts.removeprefix("file://"))
    missing = [name for name in Artifacts.ALL if not (directory / name).is_file()]
    if missing:
        yield f"lacks {missing}"
        return
    last = max(record.directory.glob("results/*.npz"))
    with np.load(directory / "predictions.npz") as sent, np.load(last) as kept:
        if sent["logits"].tobytes() != kept["logits_ema"].tobytes():
            yield "other predictions"


def left_over(scenario: Scenario) -> list[str]:
    """What a sweep should have cleared away: processes, and half written files beside its results."""
    deadline = time.monotonic() + PATIENCE_S / 10
    while _processes_in(scenario.directory) and time.monotonic() < deadline:
        time.sleep(0.1)
    problems = [f"left over: process {pid}: {line[:100]}" for pid, _, line in _processes_in(scenario.directory)]
    for path in sorted([*scenario.directory.glob(".*"), *(scenario.directory / "runs").rglob(".*")]):
        if not path.name.endswith((".lock", ".place", ".design.json")):
            problems.append(f"left over: {path.relative_to(scenario.directory)}")
    return problems


def _processes_in(directory: Path) -> list[tuple[int, int, str]]:
    """Process, parent and command line of all that work in a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(path / "cwd")) != directory:
                continue
            state, parent = (path / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[:2]
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            name = (path / "comm").read_text(encoding="utf-8").strip()  # tells forks apart, which share a command line
        except OSError:
            continue
        if state != "Z":
            found.append((int(path.name), int(parent), f"{line}({name})"))
    return found


if __name__ == "__main__":
    sys.exit(main())
