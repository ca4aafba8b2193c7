"""What a careful reader is told beside the verdicts."""

from __future__ import annotations

import pytest
from helpers.answered import answered
from helpers.questions import BASE

from reports.analysis import answer as analysis
from reports.analysis.details import CautionKind
from reports.analysis.validity import cautions
from reports.tables import tables
from zoo.config import load
from zoo.stats.validity.selection import exaggeration

THREE = [79.75, 80.0, 80.25]  # a spread of 0.25


def details_of(folder, margin: float = 0.5, **accuracies):
    variants = "".join(f"  {name}: {{steps: {10 + i}}}\n" for i, name in enumerate(accuracies))
    seeds = max(map(len, accuracies.values()))
    (folder / "q.yaml").write_text(f"{BASE}variants:\n{variants}seeds: {seeds}\nmargin: {margin}\n")
    answer = analysis.of(answered(load(folder / "q.yaml"), accuracies))
    return {each.kind: each.sentence for each in answer.details.cautions}, answer


def test_the_best_of_several_was_picked(tmp_path):
    """1.163 standard errors of 0.25 / sqrt(3) for five; of two nothing is picked."""
    told, _ = details_of(tmp_path, a=THREE, b=THREE, c=THREE, d=THREE, e=THREE)
    assert told[CautionKind.SELECTION] == (
        "The best of 5 variants was picked by its accuracy: were they all equal, it would look 0.17 points better than it "
        "is. What counts is confirmed on fresh seeds (seeds with start: 3)."
    )
    assert CautionKind.SELECTION not in details_of(tmp_path, a=THREE, b=THREE)[0]


def test_what_was_found_is_larger_than_the_truth(tmp_path):
    """A true 0.3 with a spread of 0.25 and three trainings is found as 1.74 times that (see ``test_selection``)."""
    told, _ = details_of(tmp_path, margin=0.3, a=THREE, b=[each + 2 for each in THREE])
    assert told == {
        CautionKind.EXAGGERATION: "A difference that was found is larger than the true one, on average: with 3 trainings "
        "on each side and a spread of 0.25 points, a true difference of 0.3 points is seen as 0.52 where it is found."
    }
    assert details_of(tmp_path, margin=0.3, a=THREE, b=THREE)[0] == {}


def test_in_a_factorial_it_is_the_effects_that_were_found(tmp_path):
    """Three cells a side would be asked of a variant; an effect has six trainings on each side, and is one of three."""
    (tmp_path / "q.yaml").write_text(
        f"{BASE}factors: {{lrn: [true, false], ema: [true, false]}}\nmargin: 0.3\nseeds: 3\n"
    )
    accuracies = {f"lrn={lrn}, ema={ema}": THREE for lrn in ("true", "false") for ema in ("true", "false")}
    accuracies |= {name: [each - 2 for each in THREE] for name in accuracies if "lrn=false" in name}
    details = analysis.of(answered(load(tmp_path / "q.yaml"), accuracies)).details
    (told,) = [each.sentence for each in details.cautions if each.kind is CautionKind.EXAGGERATION]
    seen = 0.3 * exaggeration(0.3, 0.25, 0.25, 6, 0.05 / 3)
    assert (
        f"with 6 trainings on each side and a spread of 0.25 points, a true difference of 0.3 points is seen as {seen:.2f}"
        in told
    )


def test_spreads_that_are_not_the_baselines(tmp_path):
    """Ten times the spread with four trainings: F of 100 with 3 and 3 degrees has a p of 0.003."""
    wide = [70.0, 80.0, 90.0, 80.0]
    told, _ = details_of(tmp_path, a=[each / 10 + 72 for each in wide], b=wide)
    assert told[CautionKind.SPREADS].startswith(
        "The spread between seeds is not that of the baseline: b (10.0 times as large)."
    )


def test_seeds_needed_come_as_a_range(tmp_path):
    _, answer = details_of(tmp_path, margin=0.3, a=THREE, b=[each + 0.2 for each in THREE])
    row = answer.variants.set_index("variant").loc["b"]
    assert row["seeds_needed_low"] < row["seeds_needed"] < row["seeds_needed_high"]
    assert answer.variants["seeds_needed_low"].isna().tolist() == [True, False]


def test_the_luck_is_not_known_without_a_spread(tmp_path):
    _, answer = details_of(tmp_path, a=[80.0], b=[81.0], c=[82.0])
    assert not cautions.luck(answer.variants) > 0


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.12, 0.031, 0.553), "0.12 (0.03 to 0.55)"),
        ((0.05, 0.0, 0.4), "not told apart from 0, up to 0.40"),
        ((0.05, float("nan"), float("nan")), "0.05"),
        ((float("nan"),) * 3, "-"),
    ],
)
def test_the_spread_of_the_networks_themselves(values, text):
    assert tables.of_the_networks(*values) == text
