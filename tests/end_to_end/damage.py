"""Damage: a sweep whose files are damaged one after the other, and what it must come to all the same.

    python tests/end_to_end/damage.py [--rounds 0] [--seed 0] [--directory DIR]

A small question on the digits is answered undisturbed. Then copies of its directory, as it is at each stage (stopped in the
middle, complete, complete without MLflow's database), have one file of each kind in ``runs/`` emptied, cut in half, changed
by a bit, or deleted, and the same command is given. It must end with the numbers of the undisturbed sweep, to the bit,
clocks aside, and keep the damaged file beside, with a word. Files that only people read, and a bit in the times and names of
JSON files that no result rests on, may be overwritten unnoticed.

``--rounds N`` draws N cases at random (0: all, which takes a quarter of an hour or so).
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where the helpers are, when this is run as a script
from chaos import equal_arrays, without_clocks
from helpers.sweeps import Running, environment, sweep

from zoo.storage.record import Record
from zoo.storage.states import TrainingState

QUESTION = """\
question: What does a sweep come to whose files are damaged?
base:
  {model: alex2, data: digits, convs: [[3, 4]], hidden: [8], input_size: 16, batch: 32, evaluate_every: 10, augment: false}
factors:
  dropout: [0.0, 0.5]
  steps: [20, 400]
seeds: 1
"""


def _flipped(contents: bytes) -> bytes:
    middle = len(contents) // 2
    return contents[:middle] + bytes([contents[middle] ^ 4]) + contents[middle + 1 :] if contents else b"\x04"


DAMAGES: Mapping[str, Callable[[bytes], bytes] | None] = {
    "emptied": lambda contents: b"",
    "cut in half": lambda contents: contents[: len(contents) // 2],
    "changed by a bit": _flipped,
    "deleted": None,
}
KINDS = (
    "status.json",
    "training.json",
    "attempts.json",
    "latency.json",
    "checksums.json",
    "environment.json",
    "history.csv",
    "samples.png",
    "worker.log",
    "results/step_*.npz",
    "checkpoints/step_*/state.data-*",
    "checkpoints/step_*/state.index",
    "checkpoints/step_*/progress.json",
    "checkpoints/step_*/checksums.json",
)
FOR_PEOPLE = ("environment.json", "samples.png", "worker.log")  # no number comes from them, and nothing reads them
JSON = (
    "status.json",
    "attempts.json",
    "latency.json",
    "checksums.json",
)  # a bit may leave them readable
STAGES = ("stopped", "complete", "without mlflow.db")
STOPPED_AFTER = "step     100"


@dataclass(frozen=True)
class Case:
    """One file to be damaged in one way at one stage."""

    stage: str
    kind: str
    how: str


CASES = [Case(stage, kind, how) for stage in STAGES for kind in KINDS for how in DAMAGES]


def main(argv: list[str] | None = None, env: dict[str, str] | None = None) -> int:
    """0 when every damaged sweep came to the same as the undisturbed one, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=0, help="how many cases, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="decides which cases, and which of several files")
    parser.add_argument("--directory", type=Path, help="where to work; is kept (default: a temporary one)")
    options = parser.parse_args(argv)
    chance = random.Random(options.seed)
    cases = chance.sample(CASES, options.rounds) if options.rounds else CASES
    if options.directory:
        options.directory.mkdir(parents=True, exist_ok=True)
        return damage_each(options.directory.resolve(), cases, chance, env)
    with tempfile.TemporaryDirectory(prefix="damage-") as directory:
        return damage_each(Path(directory).resolve(), cases, chance, env)


def damage_each(directory: Path, cases: list[Case], chance: random.Random, env: dict[str, str] | None = None) -> int:
    """Try the cases, each in a copy of the directory of its stage."""
    env = env or environment(directory / "cache")
    stages = _stages(directory, env)
    failed = 0
    for number, case in enumerate(cases, start=1):
        place = directory / "damaged"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(stages[case.stage], place)
        problems, path = _try(place, case, chance, env, stages["complete"])
        file = path.relative_to(place) if path else f"no {case.kind}"
        print(f"{number:3d}. {case.stage}: {file} {case.how}: {'; '.join(problems) or 'the same'}", flush=True)
        if problems:
            failed += 1
            place.rename(directory / f"failed-{number}")
    print(f"{failed} of {len(cases)} went wrong" if failed else f"the same to the bit in all {len(cases)} cases")
    return 1 if failed else 0


def _stages(directory: Path, env: dict[str, str]) -> dict[str, Path]:
    """The undisturbed sweep's directory at each stage."""
    stages = {stage: directory / stage.replace(" ", "-") for stage in STAGES}
    stages["stopped"].mkdir()
    (stages["stopped"] / "damage.yaml").write_text(QUESTION, encoding="utf-8")
    running = Running(stages["stopped"], env, "damage.yaml")
    running.until(STOPPED_AFTER)
    running.interrupt()
    assert running.end() == 130, running.errors
    shutil.copytree(stages["stopped"], stages["complete"])
    done = sweep(stages["complete"], env, "damage.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(stages["complete"], stages["without mlflow.db"])
    (stages["without mlflow.db"] / "mlflow.db").unlink()
    return stages


def _try(
    place: Path, case: Case, chance: random.Random, env: dict[str, str], undisturbed: Path
) -> tuple[list[str], Path | None]:
    """What went wrong, and the file that was damaged, None when there is none of its kind at this stage."""
    paths = sorted(place.glob(f"runs/*/{case.kind}"))
    if not paths:
        return [], None
    path, change = chance.choice(paths), DAMAGES[case.how]
    before = b"" if change is None else change(path.read_bytes())
    if change is None:
        path.unlink()
    else:
        path.write_bytes(before)
    done = sweep(place, env, "damage.yaml")
    output = done.stdout + done.stderr
    problems = [] if done.returncode == 0 else [f"exit code {done.returncode}: {output[-600:]}"]
    if "Traceback" in output:
        problems.append("a traceback")
    problems += _differences(undisturbed, place)
    kept = [each for each in place.rglob(".damaged-*") if each.is_file() or (each / path.name).is_file()]
    contents = [(each if each.is_file() else each / path.name).read_bytes() for each in kept]
    if kept and not any(each.name in output.replace("\n", "") for each in kept):
        problems.append("set aside without a word")
    is_as_left = path.exists() and path.read_bytes() == before  # a checkpoint that was not needed
    may_be_unnoticed = case.kind in FOR_PEOPLE or (case.kind in JSON and case.how == "changed by a bit")
    if change is not None and not may_be_unnoticed and not is_as_left and before not in contents:
        problems.append("the damaged file was not kept")
    return problems, path


def _differences(undisturbed: Path, damaged: Path) -> list[str]:
    problems = []
    for directory in sorted(path.parent for path in undisturbed.glob("runs/*/status.json")):
        expected, record = Record(directory), Record(damaged / "runs" / directory.name)
        if without_clocks(expected.history()) != without_clocks(record.history()):
            problems.append(f"{directory.name}: another history")
        status = record.status()
        if status is None or status.state is not TrainingState.DONE:
            problems.append(f"{directory.name}: status {status}")
        for path in sorted(expected.directory.glob("results/*.npz")):
            if not equal_arrays(path, record.directory / "results" / path.name):
                problems.append(f"{directory.name}: other predictions in {path.name}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
