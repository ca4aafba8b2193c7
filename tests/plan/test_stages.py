"""Seeds until decided: which variants get another seed, and what the plan says of it."""

from __future__ import annotations

import pytest
from helpers.tracked import ask, begin, row, train

from zoo.plan import summary
from zoo.plan.seeds import stages

THREE = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
variants:
  small: {hidden: [8]}
  middle: {hidden: [16]}
  large: {hidden: [32]}
seeds: {min: 2, max: 4, until: decided}
"""


# Percent, seed by seed. The middle one differs so much that two seeds show it, the large one after three; with
# such a spread and no difference nothing is decided.
DECIDED = {"small": (70.0, 70.1, 70.05), "middle": (90.0, 90.1), "large": (75.0, 76.0, 75.5)}
EQUAL = dict.fromkeys(DECIDED, (70.0, 74.0, 72.0, 73.0))


def end(training, accuracies: dict[str, tuple[float, ...]]) -> None:
    """Leave on disk that it has ended with its accuracy."""
    train(training, 10, 20)
    fraction = accuracies[training.runs[0].variant.name][training.seed] / 100
    training.record.write_history([row(10), row(20) | {"test/accuracy_ema": fraction, "test/accuracy_raw": fraction}])


def names(trainings) -> list[str]:
    return [training.name for training in trainings]


def test_only_what_is_undecided_and_the_baseline_go_on(tmp_path):
    plan, analyses, wanted = ask(tmp_path, THREE), [], []
    for stage in stages.stages(
        plan, lambda n, verdicts: analyses.append((n, {k: v.word for k, v in verdicts.items()}))
    ):
        wanted.append(names(stage))
        for training in stage:
            end(training, DECIDED)
    assert wanted == [
        [f"{size} · seed {seed}" for seed in (0, 1) for size in ("small", "middle", "large")],
        ["small · seed 2", "large · seed 2"],
    ]
    assert analyses == [(2, {"middle": "helps", "large": "undecided"}), (3, {"middle": "helps", "large": "helps"})]


def test_the_last_seed_is_analysed_too(tmp_path):
    plan, analyses = ask(tmp_path, THREE), []
    for stage in stages.stages(plan, lambda n, found: analyses.append((n, found["middle"].seeds))):
        for training in stage:
            end(training, EQUAL)
    assert analyses == [(2, 2), (3, 3), (4, 4)]


def test_a_run_without_a_result_is_no_value(tmp_path):
    plan, seeds = ask(tmp_path, THREE), []
    for training in plan.trainings[:6]:
        if training.name == "large · seed 0":
            train(training, 10)
        else:
            end(training, DECIDED)
    asked = stages.stages(plan, lambda n, found: seeds.append({name: each.seeds for name, each in found.items()}))
    next(asked)
    assert names(next(asked)) == ["small · seed 2", "large · seed 2"]
    assert seeds == [{"middle": 2, "large": 1}]


def test_a_variant_that_has_no_result_at_all_gets_no_further_seed(tmp_path):
    plan = ask(tmp_path, THREE)
    for training in plan.trainings[:6]:
        if training.runs[0].variant.name != "large":
            end(training, DECIDED)
    asked = stages.stages(plan)
    next(asked)
    assert list(asked) == []


def test_what_is_wanted_goes_from_what_is_certain_to_the_worst_case(tmp_path):
    plan = ask(tmp_path, THREE)
    certain, at_most = stages.wanted_trainings(plan)
    assert len(certain) == 6 and len(at_most) == 12
    for training in plan.trainings[:6]:
        end(training, DECIDED)
    certain, at_most = stages.wanted_trainings(plan)
    assert names(certain)[6:] == ["small · seed 2", "large · seed 2"]
    assert names(at_most)[8:] == ["small · seed 3", "large · seed 3"]
    for training in certain:
        end(training, DECIDED)
    certain, at_most = stages.wanted_trainings(plan)
    assert len(certain) == len(at_most) == 8


def test_without_a_min_and_a_max_all_are_wanted_at_once(tmp_path):
    plan = ask(tmp_path, THREE.replace("{min: 2, max: 4, until: decided}", "2"))
    assert stages.wanted_trainings(plan) == (plan.trainings, plan.trainings)


@pytest.mark.parametrize("ema", [True, False])
def test_the_accuracy_is_the_one_that_the_recipe_reports(tmp_path, ema):
    plan = ask(tmp_path, THREE.replace("base: {", f"base: {{ema: {str(ema).lower()}, "))
    train(plan.trainings[0], 10, 20)
    assert stages.accuracy(plan, plan.runs[0]) == pytest.approx(95.0 if ema else 90.0)  # 1 - 1 / 20 and 1 - 2 / 20
    begin(plan.trainings[1])
    plan.trainings[1].record.write_history([row(20)])  # its predictions were never written
    assert stages.accuracy(plan, plan.runs[1]) is None


def test_the_plan_says_the_worst_case(tmp_path):
    plan = ask(tmp_path, THREE)
    text = summary.text(plan, {training.key: 60.0 for training in plan.trainings}, tmp_path / "runs")
    assert "3 variants x 2 to 4 seeds = 6 to 12 runs, from at most 12 trainings; baseline small" in text
    assert "after 2 seeds of all, one seed at a time of the baseline and of what is undecided" in text
    assert "in the worst case: 240 steps to train, about 12 min here" in text
