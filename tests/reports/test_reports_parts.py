"""Variants that are not all tested alike: each part is answered by itself, and nothing is advised about the data."""

from __future__ import annotations

from helpers.answered import answered

from reports.analysis import answer as analysis
from reports.analysis.wording import answer_text
from reports.html import page
from reports.writers import markdown, report, summary
from zoo.config import load

ONE, OTHER = [81.3, 81.4, 81.5, 81.4], [97.0, 97.2, 97.1, 97.1]


def asked(folder, factors: str, accuracies):
    (folder / "q.yaml").write_text(
        f"question: Does it matter?\nbase: {{model: tuto, steps: 10, data: digits}}\nfactors: {factors}\nseeds: 4\n"
    )
    sweep = answered(load(folder / "q.yaml"), accuracies)
    return sweep, analysis.of(sweep)


def test_a_grid_over_data_sets_is_answered_for_each(tmp_path):
    sweep, answer = asked(
        tmp_path,
        "{lrn: [true, false], data: [cifar10, digits]}",
        {
            "lrn=true, data=cifar10": ONE,
            "lrn=false, data=cifar10": [value - 2 for value in ONE],
            "lrn=true, data=digits": OTHER,
            "lrn=false, data=digits": OTHER,
        },
    )
    frame = answer.variants.set_index("variant")
    assert list(frame["verdict"]) == ["", "", "hurts", "equivalent"]
    assert list(frame["baseline"]) == [True, True, False, False]
    assert abs(frame.loc["lrn=false, data=digits", "difference_points"]) < 1e-9
    first, *said = [each.text for each in answer_text.paragraphs(sweep, answer.variants, answer.details)]
    assert first == "Accuracies with different data are not compared; each is answered by itself."
    assert said[0].startswith("With data cifar10: Yes. Keep lrn: 79.40 % without it, 81.40 % with it.")
    assert said[1].startswith("With data digits: No. You can drop lrn: 97.10 % without it, 97.10 % with it.")
    html = page.render(sweep, answer.variants, details=answer.details)
    for text in (summary.summary(answer), markdown.render(answer, {}), html):
        assert "use data" not in text and "instead of cifar10" not in text
    assert "This part could not be made" not in html and "corrected for 2" not in html  # one comparison each
    assert [each.sentence.split(" against ")[1].split(";")[0] for each in answer.details.headlines] == [
        "lrn=true, data=cifar10.",
        "lrn=true, data=digits.",
    ]
    assert {name: each.word for name, each in sweep.verdicts().items()} == {
        "lrn=false, data=cifar10": "hurts",
        "lrn=false, data=digits": "equivalent",
    }


def test_data_sets_alone_are_not_compared(tmp_path):
    sweep, answer = asked(tmp_path, "{data: [cifar10, digits]}", {"data=cifar10": ONE, "data=digits": OTHER})
    assert answer.variants["difference_points"].isna().all() and not answer.details.headlines
    said = [each.text for each in answer_text.paragraphs(sweep, answer.variants, answer.details)]
    assert said[1] == (
        "With data cifar10 there is one variant, and nothing to compare it with. Mean accuracies: data=cifar10 81.40 %."
    )


def test_every_format_of_a_split_sweep(tmp_path):
    _, answer = asked(
        tmp_path,
        "{lrn: [true, false], ema: [true, false], input_size: [20, 24]}",
        {
            f"lrn={lrn}, ema={ema}, input_size={size}": [each + size / 10 for each in ONE]
            for lrn in ("true", "false")
            for ema in ("true", "false")
            for size in (20, 24)
        },
    )
    assert [part.label for part in answer.details.parts] == ["input_size 20", "input_size 24"]
    contents = report._contents(answer, ("html", "md", "csv", "tex"))
    assert set(contents) == {"report.html", "report.md", "report.tex", "variants.csv", "runs.csv"}
    assert "With input_size 24: " in contents["report.md"].decode()


def test_seeds_until_decided_are_wanted_part_by_part(tmp_path):
    """What is tested at 24 is decided after three seeds; what is tested at 20 is not, and goes on with its own baseline."""
    (tmp_path / "q.yaml").write_text(
        "question: q\nbase: {model: tuto, steps: 10, data: digits}\n"
        "factors: {lrn: [true, false], input_size: [24, 20]}\nseeds: {min: 3, max: 5, until: decided}\n"
    )
    accuracies = {
        "lrn=true, input_size=24": [70.0, 70.1, 70.05],
        "lrn=false, input_size=24": [90.0, 90.1, 90.05],
        "lrn=true, input_size=20": [40.0, 44.0, 42.0],
        "lrn=false, input_size=20": [41.0, 44.5, 42.0],
    }
    sweep = answered(load(tmp_path / "q.yaml"), accuracies)
    assert {name: len(seeds) for name, seeds in sweep.wanted().items()} == {
        "lrn=true, input_size=24": 3,
        "lrn=true, input_size=20": 4,
        "lrn=false, input_size=24": 3,
        "lrn=false, input_size=20": 4,
    }
    assert [(each.variant, each.seed) for each in sweep.missing()] == [
        ("lrn=true, input_size=20", 3),
        ("lrn=false, input_size=20", 3),
    ]
