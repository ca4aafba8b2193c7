"""The design of a sweep is written down before its first result, and changes of it with what was there by then."""

from __future__ import annotations

from helpers.tracked import TWO_SIZES, ask, train

from zoo.plan.seeds import declaration
from zoo.storage import designs


def declare(directory, seeds: str = "2", margin: str = "0.75", more: str = ""):
    text = TWO_SIZES.replace("seeds: 2", f"seeds: {seeds}").replace("margin: 0.75", f"margin: {margin}") + more
    return declaration.declare(ask(directory, text), directory / "runs")


def finish(plan, runs: int) -> None:
    for training in plan.trainings[:runs]:
        train(training, 10, 20)


def test_a_design_is_declared_before_its_first_result(tmp_path):
    plan = declare(tmp_path, "3")
    assert plan.design.is_before_runs and plan.design.changes == ()
    assert plan.design == designs.read(tmp_path / "runs", "size")
    assert declare(tmp_path, "3").design == plan.design
    finish(plan, 6)
    assert declare(tmp_path, "3").design == plan.design


def test_before_results_it_may_be_changed(tmp_path):
    declare(tmp_path, "3")
    design = declare(tmp_path, "{min: 3, max: 8, until: decided}", "0.5").design
    assert design.changes == () and design.judged.first_analysis == 3 and design.declared.margin == 0.5


def test_more_seeds_after_the_first_look_do_not_count(tmp_path):
    finish(declare(tmp_path, "3"), 6)
    design = declare(tmp_path, "10").design
    assert design.judged.seeds == (0, 1, 2) and design.current.results == 6
    (change,) = design.changes
    assert change.text.startswith(
        "The number of seeds was changed from 3 seeds to 10 seeds after variants could be compared"
    )


def test_fewer_seeds_after_the_first_look_do_not_count_either(tmp_path):
    finish(declare(tmp_path, "3"), 4)
    assert declare(tmp_path, "2").design.judged.seeds == (0, 1, 2)


def test_after_a_try_with_one_seed_more_may_be_declared(tmp_path):
    finish(declare(tmp_path, "1"), 2)
    design = declare(tmp_path, "4", "2").design
    assert len(design.judged.seeds) == 4 and design.declared.margin == 0.75
    assert [change.text for change in design.changes] == [
        "The number of seeds was changed from 1 seed to 4 seeds after the first result, and before two variants could be "
        "compared.",
        "The margin was changed from 0.75 to 2 points after the first result: equivalence is judged by the 0.75 points that "
        "were declared.",
    ]


def test_fresh_seeds_are_a_new_declaration(tmp_path):
    finish(declare(tmp_path, "3"), 6)
    plan = declare(tmp_path, "{start: 3, min: 3, max: 5, until: decided}")
    assert plan.question.seeds == (3, 4, 5, 6, 7)
    assert plan.design.is_before_runs and plan.design.changes == () and len(plan.design.earlier) == 1


def test_a_default_margin_is_known_to_be_one(tmp_path):
    text = TWO_SIZES.replace("margin: 0.75\n", "")
    assert not declaration.declare(ask(tmp_path, text), tmp_path / "runs").design.declared.margin_given
    assert declare(tmp_path).design.declared.margin_given


def test_a_plan_writes_nothing(tmp_path):
    plan = declaration.with_history(ask(tmp_path), tmp_path / "runs")
    assert plan.design.is_before_runs and not (tmp_path / "runs").exists()


def test_results_of_an_earlier_version_were_there_before_the_declaration(tmp_path):
    plan = ask(tmp_path)
    finish(plan, 3)
    design = declaration.declare(plan, tmp_path / "runs").design
    assert not design.is_before_runs and design.declared.results == 3


def test_a_damaged_history_is_set_aside_and_said(tmp_path, caplog):
    finish(declare(tmp_path), 4)
    path = designs.path_of(tmp_path / "runs", "size")
    path.write_text("[{")
    assert not declaration.with_history(ask(tmp_path), tmp_path / "runs").design.is_before_runs
    assert path.read_text() == "[{"
    assert not declare(tmp_path).design.is_before_runs
    assert "it is no list of designs" in caplog.text and "what was declared before is lost" in caplog.text
