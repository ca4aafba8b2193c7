"""Large questions: what is listed of many problems, and that no suggestion is looked for beyond it."""

from __future__ import annotations

import pickle

import pytest

from zoo.config import QuestionError, load, settings
from zoo.config.document import MAX_PROBLEMS, Document
from zoo.plan.runs import make_plan
from zoo.plan.seeds import stages

BASE = "question: What?\nbase:\n  model: alex2\n  data: digits\n  input_size: 16\n"


@pytest.fixture
def refusal(tmp_path):
    def refusal(text: str, *overrides: str) -> QuestionError:
        (tmp_path / "q.yaml").write_text(text)
        with pytest.raises(QuestionError) as raised:
            load(tmp_path / "q.yaml", overrides)
        return raised.value

    return refusal


@pytest.mark.parametrize("section", ["", "  "], ids=["sections", "fields"])
def test_of_many_unknown_keys_the_first_are_listed(refusal, monkeypatch, section):
    looked_for = []
    meant = settings._meant
    monkeypatch.setattr(settings, "_meant", lambda name, *rest: looked_for.append(name) or meant(name, *rest))
    error = refusal(BASE + "".join(f"{section}k{i}: 1\n" for i in range(2000)))
    assert len(error.problems) == MAX_PROBLEMS == 100 and error.are_more
    lines = str(error).splitlines()
    assert len(lines) == 101 and "unknown key 'k0'" in lines[0] and "unknown key 'k99'" in lines[99]
    assert lines[100] == "100 problems were found before the question was read to its end; mend these first"
    assert len(looked_for) <= 100


def test_many_duplicate_keys_too(refusal):
    assert len(refusal(BASE + "  steps: 10\n" * 2000).problems) == 100
    assert len(refusal(BASE, "base.optimizer={" + "lr: 1, " * 2000 + "}").problems) == 1


def test_fewer_problems_are_all_of_them(refusal):
    error = refusal(BASE + "".join(f"  k{i}: 1\n" for i in range(99)))
    assert len(error.problems) == 99 and not error.are_more and len(str(error).splitlines()) == 99


def test_a_refusal_survives_its_way_from_another_process(refusal):
    error = refusal(BASE + "".join(f"  k{i}: 1\n" for i in range(2000)))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_largest_question_is_planned_without_looking_through_all_trainings_for_each_run(tmp_path, monkeypatch):
    text = BASE + "  convs: [[3, 4]]\n  hidden: [8]\nseeds: 10\nfactors:\n  optimizer.lr: "
    (tmp_path / "q.yaml").write_text(text + str([(i + 1) / 10_000 for i in range(200)]))
    plan = make_plan(load(tmp_path / "q.yaml"), tmp_path / "runs")
    assert len(plan.trainings) == 2000
    assert plan.training_of(plan.runs[-1]) is plan.trainings[-1]
    assert len(stages.wanted_trainings(plan).at_most) == 2000
    object.__setattr__(plan, "trainings", ())  # what is looked up is not searched
    assert plan.training_of(plan.runs[0]).runs[0] == plan.runs[0]


def test_a_document_adds_a_problem_once():
    document = Document("q.yaml", "")
    for _ in range(200):
        document.report((), "the same")
    assert len(document.problems) == 1
