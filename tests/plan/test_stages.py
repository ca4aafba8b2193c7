"""Seeds until decided: who is given another seed, and what is planned, said and reported meanwhile."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.scripted_executor import Stage
from helpers.sweeps import sweep
from helpers.tracked import ask, begin, row, train

import reports
from reports.store import reader
from zoo.execution import scheduler
from zoo.execution.scheduler import Policy
from zoo.plan import stages, summary
from zoo.plan.stages import Standing

THREE = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
variants:
  small: {hidden: [8]}
  middle: {hidden: [16]}
  large: {hidden: [32]}
seeds: {min: 2, max: 4, until: decided}
"""


def open_until(**seeds: int):
    """A judge for whom a variant is open until it has so many values; it keeps what it was shown."""

    def judge(accuracies, paired):
        judge.shown.append({name: len(values) for name, values in accuracies.items()})
        return {
            name: Standing(len(accuracies[name]) < n, f"{name} with {len(accuracies[name])}")
            for name, n in seeds.items()
        }

    judge.shown = []
    return judge


def names(trainings) -> list[str]:
    return [training.name for training in trainings]


def test_only_what_is_open_and_the_baseline_go_on(tmp_path):
    plan = ask(tmp_path, THREE)
    judge, heard, asked = open_until(middle=2, large=3), [], []
    for stage in stages.stages(plan, judge, lambda n, found: heard.append((n, [each.text for each in found]))):
        asked.append(names(stage))
        for training in stage:
            train(training, 10, 20)
    assert asked == [
        [f"{size} · seed {seed}" for seed in (0, 1) for size in ("small", "middle", "large")],
        ["small · seed 2", "large · seed 2"],
    ]
    assert heard == [(2, ["middle with 2", "large with 2"]), (3, ["middle with 2", "large with 3"])]
    assert judge.shown[-1] == {"small": 3, "middle": 2, "large": 3}


def test_the_last_seed_is_looked_at_too(tmp_path):
    plan, heard = ask(tmp_path, THREE), []
    for stage in stages.stages(plan, open_until(middle=9), lambda n, found: heard.append(n)):
        for training in stage:
            train(training, 10, 20)
    assert heard == [2, 3, 4]


def test_a_run_without_a_result_is_no_value(tmp_path):
    plan, judge = ask(tmp_path, THREE), open_until(middle=2, large=2)
    for training in plan.trainings[:6]:
        train(training, *((10,) if training.name == "large · seed 0" else (10, 20)))
    list(stages.span(plan, judge))
    asked = stages.stages(plan, judge)
    next(asked)
    assert names(next(asked)) == ["small · seed 2", "large · seed 2"]
    assert judge.shown[-1] == {"small": 2, "middle": 2, "large": 1}


def test_the_span_goes_from_what_is_certain_to_the_worst_case(tmp_path):
    plan, judge = ask(tmp_path, THREE), open_until(middle=2, large=3)
    wanted, at_most = stages.span(plan, judge)
    assert len(wanted) == 6 and len(at_most) == 12
    for training in plan.trainings[:6]:
        train(training, 10, 20)
    wanted, at_most = stages.span(plan, judge)
    assert names(wanted)[6:] == ["small · seed 2", "large · seed 2"]
    assert names(at_most)[8:] == ["small · seed 3", "large · seed 3"]
    for training in wanted:
        train(training, 10, 20)
    wanted, at_most = stages.span(plan, judge)
    assert len(wanted) == len(at_most) == 8


def test_without_a_min_and_a_max_all_are_wanted_at_once(tmp_path):
    plan = ask(tmp_path, THREE.replace("{min: 2, max: 4, until: decided}", "2"))
    assert stages.span(plan, None) == (plan.trainings, plan.trainings)


@pytest.mark.parametrize("ema", [True, False])
def test_the_accuracy_is_the_one_that_the_recipe_reports(tmp_path, ema):
    plan = ask(tmp_path, THREE.replace("base: {", f"base: {{ema: {str(ema).lower()}, "))
    train(plan.trainings[0], 10, 20)
    assert stages.accuracy(plan, plan.runs[0]) == pytest.approx(95.0 if ema else 90.0)  # 1 - 1 / 20 and 1 - 2 / 20
    begin(plan.trainings[1])
    plan.trainings[1].record.write_history([row(20)])  # its predictions were never written
    assert stages.accuracy(plan, plan.runs[1]) is None


def test_the_scheduler_asks_for_a_stage_when_the_one_before_has_ended(tmp_path):
    plan = ask(tmp_path, THREE)
    stage = Stage(2, {})
    quiet = SimpleNamespace(**dict.fromkeys(
        ("started", "waiting", "beat", "stopping", "again", "ended", "left_out"), lambda *_: None
    ))  # fmt: skip
    with scheduler.Interrupt().caught() as interrupt:
        outcome = scheduler.execute(
            plan, stage, quiet, interrupt=interrupt, policy=Policy(0, 0),
            stages=stages.stages(plan, open_until(middle=2, large=3)),
        )  # fmt: skip
    assert outcome.is_whole and stage.begun == names(outcome.done)
    assert stage.begun[6:] == ["small · seed 2", "large · seed 2"]


def test_the_plan_says_the_worst_case(tmp_path):
    plan = ask(tmp_path, THREE)
    text = summary.text(plan, {training.key: 60.0 for training in plan.trainings}, tmp_path / "runs")
    assert "3 variants x 2 to 4 seeds = 6 to 12 runs, from at most 12 trainings; baseline small" in text
    assert "after 2 seeds of all, one seed at a time of the baseline and of what is undecided" in text
    assert "in the worst case: 240 steps to train, about 12 min here" in text


@pytest.fixture(scope="module")
def undecided(env, tmp_path_factory):
    """A sweep that no number of seeds decides: a directory, what was printed."""
    directory = tmp_path_factory.mktemp("until")
    question = THREE.replace("  large: {hidden: [32]}\n", "").replace("min: 2", "min: 3") + "margin: 0.000001\n"
    (directory / "size.yaml").write_text(question)
    return directory, sweep(directory, env, "size.yaml")


def test_a_sweep_goes_on_until_its_last_seed(undecided):
    directory, ended = undecided
    assert ended.returncode == 0, ended.stderr
    assert "6 to 8 runs" in ended.stdout and "[1/at most 8] small · seed 0" in ended.stdout
    looks = re.findall(r"^after (\d) seeds: middle (\w+)", ended.stdout, re.MULTILINE)
    assert looks == [("3", "undecided"), ("4", "undecided")]
    assert "8 of 8 trainings complete" in ended.stdout
    data = reader.read("size", f"sqlite:///{directory}/mlflow.db")
    assert data.schedule == (3, 4) and data.missing() == () and len(data.results()) == 8
    assert data.verdicts()["middle"].seeds == 4


def test_a_sweep_that_is_decided_trains_no_more(undecided, env):
    """With such a margin every difference is equivalent at the first look."""
    directory, _ = undecided
    (directory / "wide.yaml").write_text((directory / "size.yaml").read_text().replace("0.000001", "100"))
    ended = sweep(directory, env, "wide.yaml")
    assert ended.returncode == 0, ended.stderr
    assert "6 runs, all of them done already" in ended.stdout and "6 of 6 trainings complete" in ended.stdout
    assert "after 3 seeds: middle equivalent" in ended.stdout
    data = reader.read("wide", f"sqlite:///{directory}/mlflow.db")
    assert data.missing() == () and len(data.results()) == 6
    frame = reports.load("wide", f"sqlite:///{directory}/mlflow.db")
    values = frame.groupby("variant")["accuracy_percent"].mean()
    assert data.verdicts()["middle"].difference == pytest.approx(values["middle"] - values["small"])
    assert np.isfinite(values).all()
