"""Seeds until decided: which variants get another seed, and what the plan says of it."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.tracked import LABELS, ask, begin, row, train

from zoo.plan import summary
from zoo.plan.seeds import declaration, stages

THREE = """\
question: Does the size matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
variants:
  small: {hidden: [8]}
  middle: {hidden: [16]}
  large: {hidden: [32]}
seeds: {min: 3, max: 5, until: decided}
"""


# Percent, seed by seed. The middle one differs so much that three seeds show it, the large one after four; with
# such a spread and no difference nothing is decided.
DECIDED = {"small": (70.0, 70.1, 70.05, 70.0), "middle": (90.0, 90.1, 90.05), "large": (75.0, 78.5, 77.5, 77.0)}
EQUAL = dict.fromkeys(DECIDED, (70.0, 74.0, 72.0, 73.0, 71.0))


def end(training, accuracies: dict[str, tuple[float, ...]]) -> None:
    """Leave on disk that it has ended with its accuracy, and with answers of its own."""
    train(training, 10, 20)
    answers = np.full((3, 10), int(training.key[:6], 16), np.float32)
    np.savez(training.record.results_file(20), labels=LABELS, logits_raw=answers, logits_ema=answers)
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
        [f"{size} · seed {seed}" for seed in (0, 1, 2) for size in ("small", "middle", "large")],
        ["small · seed 3", "large · seed 3"],
    ]
    assert analyses == [(3, {"middle": "helps", "large": "undecided"}), (4, {"middle": "helps", "large": "helps"})]


def test_variants_that_are_tested_otherwise_are_judged_by_themselves(tmp_path):
    """At an input of 20 the large one is far below the baseline, and not told apart from the small one at 20, which counts:
    these two go on, and what is tested at 24 does not."""
    question = THREE[: THREE.index("variants:")] + "factors: {hidden: [[8], [16]], input_size: [24, 20]}\n"
    plan, analyses, wanted = ask(tmp_path, question + "seeds: {min: 3, max: 4, until: decided}\n"), [], []
    accuracies = {
        "hidden=[8], input_size=24": (70.0, 70.1, 70.05, 70.0),
        "hidden=[16], input_size=24": (90.0, 90.1, 90.05),
        "hidden=[8], input_size=20": (40.0, 44.0, 42.0, 43.0),
        "hidden=[16], input_size=20": (41.0, 44.5, 42.0, 43.0),
    }
    for stage in stages.stages(plan, lambda n, found: analyses.append({k: v.word for k, v in found.items()})):
        wanted.append(names(stage))
        for training in stage:
            end(training, accuracies)
    assert analyses[0] == {"hidden=[16], input_size=24": "helps", "hidden=[16], input_size=20": "undecided"}
    assert wanted[1:] == [["hidden=[8], input_size=20 · seed 3", "hidden=[16], input_size=20 · seed 3"]]


def test_the_last_seed_is_analysed_too(tmp_path):
    plan, analyses = ask(tmp_path, THREE), []
    for stage in stages.stages(plan, lambda n, found: analyses.append((n, found["middle"].seeds))):
        for training in stage:
            end(training, EQUAL)
    assert analyses == [(3, 3), (4, 4), (5, 5)]


def test_a_run_without_a_result_is_no_value(tmp_path):
    plan, seeds = ask(tmp_path, THREE), []
    for training in plan.trainings[:9]:
        if training.name == "large · seed 0":
            train(training, 10)
        else:
            end(training, DECIDED)
    asked = stages.stages(plan, lambda n, found: seeds.append({name: each.seeds for name, each in found.items()}))
    next(asked)
    assert names(next(asked)) == ["small · seed 3", "large · seed 3"]
    assert seeds == [{"middle": 3, "large": 2}]


def test_a_variant_that_has_no_result_at_all_gets_no_further_seed(tmp_path):
    plan = ask(tmp_path, THREE)
    for training in plan.trainings[:9]:
        if training.runs[0].variant.name != "large":
            end(training, DECIDED)
    asked = stages.stages(plan)
    next(asked)
    assert list(asked) == []


def test_what_is_wanted_goes_from_what_is_certain_to_the_worst_case(tmp_path):
    plan = ask(tmp_path, THREE)
    certain, at_most = stages.wanted_trainings(plan)
    assert len(certain) == 9 and len(at_most) == 15
    for training in plan.trainings[:9]:
        end(training, DECIDED)
    certain, at_most = stages.wanted_trainings(plan)
    assert names(certain)[9:] == ["small · seed 3", "large · seed 3"]
    assert names(at_most)[11:] == ["small · seed 4", "large · seed 4"]
    for training in certain:
        end(training, DECIDED)
    certain, at_most = stages.wanted_trainings(plan)
    assert len(certain) == len(at_most) == 11


def test_without_a_min_and_a_max_all_are_wanted_at_once(tmp_path):
    plan = ask(tmp_path, THREE.replace("{min: 3, max: 5, until: decided}", "2"))
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
    assert "3 variants x 3 to 5 seeds = 9 to 15 runs, from at most 15 trainings; baseline small" in text
    assert "after 3 seeds of all, one seed at a time of the baseline and of what is undecided" in text
    assert "in the worst case: 300 steps to train, about 15 min here" in text


GRID = """\
question: Do the size and the flip matter?
base: {model: alex2, data: digits, convs: [[3, 8]], steps: 20, evaluate_every: 10, precision: float32}
factors: {hidden: [[8], [16]], augment.flip: [false, true]}
seeds: {min: 3, max: 5, until: decided}
margin: 2
"""


def test_a_grid_goes_on_in_all_its_cells_until_its_effects_are_decided(tmp_path):
    """The size adds 20 points everywhere and the flip nothing: with a spread of 0.1 points the main effects and the
    interaction are decided at once. Where the four cells spread by 2 points, nothing but the size is."""
    for spread, expected in ((0.1, ["helps", "equivalent", "equivalent"]), (2.0, ["helps", "undecided", "undecided"])):
        (tmp_path / str(spread)).mkdir()
        plan, analyses, wanted = ask(tmp_path / str(spread), GRID), [], []
        for stage in stages.stages(plan, lambda n, found, seen=analyses: seen.append((n, found))):
            wanted.append(len(stage))
            for training in stage:
                at = (60.0, 61.0, 59.5, 60.5, 60.2)[training.seed]
                name = training.runs[0].variant.name
                value = 60 + spread * (at - 60) + 20 * (training.config.flat()["hidden"] == [16])
                end(training, {name: dict(enumerate([value] * 5))})
        n, found = analyses[0]
        assert n == 3 and list(found) == ["hidden=[16]", "augment.flip=true", "hidden=[16] x augment.flip=true"]
        assert [str(each.word) for each in found.values()] == expected
        assert wanted == ([12] if spread == 0.1 else [12, 4, 4])


def test_results_that_are_the_same_to_the_bit_get_no_more_seeds(tmp_path):
    plan, analyses, wanted = ask(tmp_path, THREE), [], []
    for stage in stages.stages(plan, lambda n, found: analyses.append({k: v.word for k, v in found.items()})):
        wanted.append(names(stage))
        for training in stage:
            end(training, EQUAL)
            if training.runs[0].variant.name == "middle":  # the answers of the baseline, whatever they are
                path = plan.trainings[3 * training.seed].record.results_file(20)
                training.record.results_file(20).write_bytes(path.read_bytes())
    assert analyses[0] == {"middle": "identical", "large": "undecided"}
    assert wanted[1:] == [["small · seed 3", "large · seed 3"], ["small · seed 4", "large · seed 4"]]


def test_a_maximum_that_was_raised_after_the_first_look_decides_nothing(tmp_path):
    first = declaration.declare(ask(tmp_path, THREE), tmp_path / "runs")
    for stage in stages.stages(first):
        for training in stage:
            end(training, EQUAL)
    later = {"small": (*EQUAL["small"], 70.0, 70.1), "middle": (*EQUAL["small"], 99.0, 99.1)}
    later["large"] = later["small"]
    raised = declaration.declare(ask(tmp_path, THREE.replace("max: 5", "max: 7")), tmp_path / "runs")
    words = []
    for stage in stages.stages(raised, lambda n, found: words.append((n, str(found["middle"].word)))):
        for training in stage:
            if not training.is_done():
                end(training, later)
    assert words == [*((n, "undecided") for n in (3, 4, 5)), (6, "withheld"), (7, "withheld")]
