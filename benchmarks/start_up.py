"""Where the seconds before the first step go, and how soon ``run_sweep.py`` and ``reports`` answer without TensorFlow.

Nothing in the product is changed for it. The process table says when each process began, the record of the run when
the first step did. In between, a thread that Python's ``sitecustomize`` starts in every forked process notes a hundred
times a second where in the code the main thread is.
"""

from __future__ import annotations

import collections
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import watched_sweep
from benchmarks.watched_sweep import OTHER, ROOT, SERVER, WORKER, Ended
from zoo.text.wording import table

_QUESTION = """\
question: How long until the first step?
base: {model: tuto, data: digits, batch: 128, steps: 200, evaluate_every: 200}
seeds: 1
"""
_MISTAKE = "question: ?\nbase: {model: tutu, data: digits}\n"
_EVERY_S = 0.01
_HEAVY = ("tensorflow", "tf_keras", "mlflow")  # what no quick answer may import

# The innermost of these that is on the worker's stack is what it is doing: (module, function) -> what that is.
ACTIVITIES = {
    ("zoo.execution.worker", "_train"): "TensorFlow's settings",
    ("zoo.execution.worker", "_arrays"): "data: verified and mapped",
    ("zoo.execution.worker", "_describe"): "the record: machine, versions",
    ("zoo.training.trainer", "train"): "images to tensors and the rest of the trainer",
    ("zoo.training.network", "default_strategy"): "strategy and devices",
    ("zoo.training.network", "create_network"): "network, averages, optimizer",
    ("zoo.training.trainer", "_write_samples"): "picture of the samples",
    ("zoo.training.steps", "call"): "first call of the step",
    ("tensorflow.python.framework.func_graph", "func_graph_from_py_func"): "step traced",
    ("zoo.training.trainer", "_advance"): "training",
    ("zoo.training.trainer", "_add_evaluation"): "evaluation",
}


class Sample(NamedTuple):
    """Where the main thread was at a moment (time.time()): (module, function), innermost first."""

    time: float
    stack: list[tuple[str, str]]


_SAMPLER = f"""\
import json, os, sys, threading, time

def sample():
    main = threading.main_thread().ident
    with open(os.path.join(os.environ["SAMPLES"], str(os.getpid())), "w") as file:
        while True:
            frame, stack = sys._current_frames().get(main), []
            while frame is not None:
                stack.append((frame.f_globals.get("__name__"), frame.f_code.co_name))
                frame = frame.f_back
            file.write(json.dumps([time.time(), stack]) + "\\n")
            file.flush()
            if any(function == "_advance" for _, function in stack):
                return  # it trains, and is not to be slowed
            time.sleep({_EVERY_S})

os.register_at_fork(after_in_child=lambda: threading.Thread(target=sample, daemon=True).start())
"""


def measure(rounds: int = 3) -> dict[str, Any]:
    """One run as on a first day, with empty caches, and ``rounds`` with costs and data cached; then the quick commands."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        env = {"ZOO_CACHE": str(directory / "cache")}
        first = _run(directory / "first", env)
        later = [_run(directory / f"later{number}", env) for number in range(rounds)]
        quick = {what: _answer(arguments, directory, env, rounds) for what, arguments in _commands(directory).items()}
    return {"first_day": first, "later": later, "quick": quick, "imports_of_the_server_s": _preload_s()}


def _commands(directory: Path) -> dict[str, list[str]]:
    question, mistake = directory / "again.yaml", directory / "mistake.yaml"
    question.write_text(_QUESTION, encoding="utf-8")
    mistake.write_text(_MISTAKE, encoding="utf-8")
    sweep = str(ROOT / "run_sweep.py")
    return {
        "run_sweep.py --help": [sweep, "--help"],
        "run_sweep.py with a mistake in the YAML": [sweep, str(mistake)],
        "run_sweep.py --plan, costs cached": [sweep, str(question), "--plan"],
        "python -m reports --help": ["-m", "reports", "--help"],
    }


# --- a run, taken apart -------------------------------------------------------------------------------------------


def _run(directory: Path, env: Mapping[str, str]) -> dict[str, Any]:
    samples, custom = directory / "samples", directory / "custom"
    for folder in (samples, custom):
        folder.mkdir(parents=True)
    (custom / "sitecustomize.py").write_text(_SAMPLER, encoding="utf-8")
    env = {**env, "PYTHONPATH": str(custom), "SAMPLES": str(samples)}
    ended = watched_sweep.run(directory, _QUESTION, lambda _: None, every_s=_EVERY_S, env=env)
    (record,) = (path.parent for path in directory.glob("runs/*/history.csv"))
    (worker,) = (pid for pid, seen in ended.seen.items() if seen.role == WORKER)
    return _taken_apart(ended, record, samples_of((samples / str(worker)).read_text(encoding="utf-8")))


def _taken_apart(ended: Ended, record: Path, samples: Sequence[Sample]) -> dict[str, Any]:
    """Seconds between the events that can be seen, and within the worker the share of the samples times its seconds."""
    with open(record / "history.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    first_step = float(row["time"]) - float(row["evaluate_s"]) - float(row["train_s"])
    (server,) = (seen.started_s for seen in ended.seen.values() if seen.role == SERVER)
    (worker,) = (seen.started_s for seen in ended.seen.values() if seen.role == WORKER)
    forked = min(seen.started_s for seen in ended.seen.values() if seen.role in (OTHER, WORKER))
    durations_s = {
        "driver: Python, imports, question, plan": server,
        "server of workers: imports TensorFlow, forks": forked - server,
        "other worker: counts the network": worker - forked,
    }
    activities = [activity(sample.stack) for sample in samples]
    before = activities[: activities.index("training")] if "training" in activities else activities
    each_s = (first_step - ended.began - worker) / max(1, len(before))
    for name, count in collections.Counter(before).items():
        durations_s[f"worker: {name}"] = count * each_s
    return {
        "wall_s": ended.wall_s,
        "first_step_s": first_step - ended.began,
        "before_the_first_step_s": durations_s,
        "training_s": float(row["train_s"]),
        "evaluation_s": float(row["evaluate_s"]),
        "samples": len(before),
    }


def samples_of(text: str) -> list[Sample]:
    """What the sampler of one process has written."""
    return [
        Sample(moment, [(module, function) for module, function in stack])
        for moment, stack in map(json.loads, text.splitlines())
    ]


def activity(stack: Sequence[tuple[str, str]]) -> str:
    """What of ``ACTIVITIES`` a process with this stack, innermost first, is doing."""
    return next((ACTIVITIES[frame] for frame in stack if frame in ACTIVITIES), "everything else")


# --- quick answers, and imports -----------------------------------------------------------------------------------


def _answer(arguments: Sequence[str], directory: Path, env: Mapping[str, str], rounds: int) -> dict[str, Any]:
    """How long a command takes, and what it imports."""

    def once(*options: str) -> tuple[float, str]:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *options, *arguments],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 2):
            raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return time.perf_counter() - began, done.stderr

    once()  # what is cached on the way is cached then
    seconds = [once()[0] for _ in range(rounds)]
    packages = imports_s(once("-X", "importtime")[1])
    return {
        "seconds": seconds,
        "imports": dict(packages.most_common(8)),
        "heavy": [name for name in _HEAVY if name in packages],
    }


def _preload_s() -> dict[str, float]:
    """Seconds that each package takes of what the server of workers imports; Python itself notes them."""
    # quiet_import throws away what is written meanwhile, and with TensorFlow's lines Python's own: so it is left out here.
    code = (
        "import contextlib; from zoo.host import quiet_import; quiet_import.quiet_import = contextlib.nullcontext; "
        "import zoo.execution.preload"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return dict(imports_s(done.stderr).most_common(10))


def imports_s(report: str) -> collections.Counter[str]:
    """Seconds of ``-X importtime`` by package, each module's own time summed up."""
    seconds: collections.Counter[str] = collections.Counter()
    for line in report.splitlines():
        own, bar, rest = line.removeprefix("import time:").partition("|")
        if bar and own.strip().isdigit():
            seconds[rest.rpartition("|")[2].strip().partition(".")[0]] += int(own) / 1e6
    return seconds


# --- for a person -------------------------------------------------------------------------------------------------


def text(results: dict[str, Any]) -> str:
    """The result for a person."""
    later = results["later"]
    names = list(
        dict.fromkeys(name for run in [results["first_day"], *later] for name in run["before_the_first_step_s"])
    )

    def seconds(run: Mapping[str, Any], name: str) -> float:
        return run["before_the_first_step_s"].get(name, 0.0)

    def line(name: str, first: float, others: Sequence[float]) -> tuple[str, str, str]:
        return name, f"{first:.2f}", f"{statistics.median(others):.2f}"

    rows = [line(name, seconds(results["first_day"], name), [seconds(run, name) for run in later]) for name in names]
    for name, key in (
        ("until the first step", "first_step_s"),
        ("200 steps", "training_s"),
        ("evaluation", "evaluation_s"),
        ("the whole command", "wall_s"),
    ):
        rows.append(line(name, results["first_day"][key], [run[key] for run in later]))
    runs = table(("200 steps of tuto on digits, s", "first day", "later (median)"), rows, left=1)
    quick = table(
        ("command", "s", "imports of", "slowest of its imports"),
        [
            (
                command,
                f"{statistics.median(answer['seconds']):.2f}",
                ", ".join(answer["heavy"]) or "nothing heavy",
                ", ".join(f"{name} {value:.2f}" for name, value in list(answer["imports"].items())[:3]),
            )
            for command, answer in results["quick"].items()
        ],
        left=1,
    )
    server = ", ".join(f"{name} {value:.2f}" for name, value in results["imports_of_the_server_s"].items())
    return f"{runs}\n\n{quick}\n\nthe server of workers imports, s: {server}"
