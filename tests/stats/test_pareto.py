"""Probabilities of being on the Pareto front: against probabilities worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zoo.stats.costs import pareto

ERROR = 3 * 0.5 / 20_000**0.5  # three errors of a fraction of 20,000 draws


def probabilities(*args, **kwargs) -> dict[str, float]:
    return pareto.membership(*args, draws=20_000, **kwargs).probabilities


@pytest.mark.parametrize("other", [78.8, 80.5, 75.0])
def test_two_variants_by_hand(other):
    """The cheap one is always on the front; the dear one when its mean is higher: 80, with an error of 1 and one degree of
    freedom. So not even a mean five errors away is sure."""
    found = probabilities({"cheap": [other, other], "dear": [79.0, 81.0]}, {"cheap": 1, "dear": 2})
    assert found["cheap"] == 1.0
    assert found["dear"] == pytest.approx(stats.t.sf(other - 80, 1), abs=ERROR)


def test_many_seeds_are_nearly_normal():
    """P(N(80.1, 1/25) > N(80, 2/25)) with samples that have just these means and variances."""
    z = stats.norm.ppf((np.arange(50) + 0.5) / 50)
    a, b = ((z / z.std(ddof=1)) * (50 * v) ** 0.5 for v in (2 / 25, 1 / 25))
    found = probabilities({"cheap": 80 + a, "dear": 80.1 + b}, {"cheap": 1, "dear": 2})
    assert found["dear"] == pytest.approx(stats.norm.cdf(0.1 / (3 / 25) ** 0.5), abs=ERROR + 0.005)


def test_equal_accuracies_are_rounded_ones():
    """On 100 images: a mean of two has the error 1 / sqrt(12 * 2) of their rounding."""
    found = probabilities(
        {"cheap": [80.0, 80.0], "dear": [81.0, 81.0]}, {"cheap": 1, "dear": 2}, least={"dear": 1 / 12}
    )
    assert found["dear"] == pytest.approx(stats.t.cdf(24**0.5, 1), abs=ERROR)


TIMES = {"a": {0: 100.0, 1: 130.0, 2: 90.0}, "b": {0: 101.0, 1: 131.0, 2: 91.5}}


def test_times_are_drawn_without_what_a_seed_adds_to_all():
    """b takes 1.2 percent longer in every block; the logarithms of the ratios are a paired sample."""
    values = {"a": [90.0, 91.0, 92.0], "b": [90.0, 91.0, 92.0]}  # equally accurate, so the faster one is on the front
    keys = {"a": "stu", "b": "xyz"}
    costs = {name: float(np.mean([*its.values()])) for name, its in TIMES.items()}
    alone = probabilities(values, costs, keys)
    assert alone["b"] == pytest.approx(0.5, abs=0.02)  # exact costs: whenever it is the more accurate one
    drawn = probabilities(values, costs, keys, times=TIMES)
    assert 0.5 < drawn["b"] < 0.55  # and sometimes it is the faster one


def test_a_training_s_accuracy_and_time_are_drawn_as_a_pair():
    """Of a sweep over one network: what takes longer is better, to the bit. The baseline lies on that line."""
    slow = {0: 90.0, 1: 100.0, 2: 111.0, 3: 123.0}
    accuracy = [80 + 10 * float(np.log(time)) for time in slow.values()]
    middle = float(np.exp(np.mean(np.log([*slow.values()]))))
    fixed = 80 + 10 * float(np.log(middle))
    values, costs = {"base": [fixed] * 9, "new": accuracy}, {"base": middle, "new": middle}
    times = {"base": {seed: middle for seed in range(10, 19)}, "new": slow}
    # Drawn as pairs each is the faster or the more accurate one, never both: both are on the front.
    assert probabilities(values, costs, times=times) == {"base": 1.0, "new": 1.0}
    assert probabilities(values, costs)["new"] == pytest.approx(0.5, abs=0.02)


def test_rounds_are_drawn_together():
    """The rounds differ by a third from one to the next, and the ratio in each is 1.02: sure."""
    noise = np.random.default_rng(0).lognormal(0, 0.3, 64)
    values = {"a": [90.0, 91.0], "b": [90.0, 91.0]}
    rounds = {"a": noise, "b": 1.02 * noise}
    found = probabilities(values, {"a": 1.0, "b": 1.02}, {"a": "st", "b": "st"}, rounds=rounds)
    assert found == {"a": 1.0, "b": 0.0}
    wide = {"a": noise, "b": 1.02 * np.random.default_rng(1).permutation(noise)}
    error = np.std(np.log(wide["b"] / wide["a"]), ddof=1) / 8
    found = probabilities(values, {"a": 1.0, "b": 1.02}, {"a": "st", "b": "st"}, rounds=wide)
    assert found["b"] == pytest.approx(stats.norm.cdf(-np.log(1.02) / error), abs=ERROR + 0.005)


def test_readouts_draw_the_same_trainings():
    """The averaged weights are 0.1 better in every training: sure, however much the trainings differ."""
    raw = np.array([75.0, 80.0, 85.0])
    values, costs = {"raw": raw, "averaged": raw + 0.1}, {"raw": 1.0, "averaged": 1.0}
    assert probabilities(values, costs, {"raw": "abc", "averaged": "abc"}) == {"raw": 0.0, "averaged": 1.0}
    assert probabilities(values, costs)["raw"] == pytest.approx(0.5, abs=0.1)


def test_equal_points_are_both_on_the_front():
    assert probabilities({"a": [80.0, 80.0], "b": [80.0, 80.0]}, {"a": 1, "b": 1}) == {"a": 1.0, "b": 1.0}


def test_a_time_that_was_taken_once_tells_nothing():
    found = pareto.membership(
        {"a": [80.0, 81.0], "b": [81.0]}, {"a": 1, "b": 2}, times={"a": {0: 1.0, 1: 1.0}, "b": {0: 2.0}}
    )
    assert np.isnan(list(found.probabilities.values())).all() and "taken once" in found.notes[0]


def test_one_seed_takes_the_pooled_spread_of_the_others():
    """Pooled variance (0 + 2 + 8 + 0) / 4: the one is drawn from N(80, 2.5), and above 79 with Phi(1 / sqrt 2.5)."""
    values = {"cheap": [79.0, 79.0], "x": [10.0, 12.0], "y": [10.0, 14.0], "one": [80.0], "z": [1.0, 1.0]}
    found = pareto.membership(values, {"cheap": 1, "x": 2, "y": 2, "one": 3, "z": 9}, draws=20_000)
    assert found.probabilities["one"] == pytest.approx(stats.norm.cdf(1 / 2.5**0.5), abs=ERROR)
    assert found.notes == ("one has one seed: the pooled spread of the others (1.58 points) is taken.",)


def test_one_seed_of_each_tells_nothing():
    found = pareto.membership({"a": [80.0], "b": [81.0]}, {"a": 1, "b": 2})
    assert np.isnan(list(found.probabilities.values())).all() and "no spread" in found.notes[0]


def test_what_is_not_known_is_nan_and_beats_nobody():
    values = {"a": [80.0, 81.0], "b": [], "c": [99.0, 99.0]}
    found = probabilities(values, {"a": 1, "b": 0, "c": float("nan")}, {"a": "st", "b": ()})
    assert found["a"] == 1.0 and np.isnan([found["b"], found["c"]]).all()
    assert pareto.membership({}, {}).probabilities == {}


def test_the_same_seed_gives_the_same_probabilities():
    rng = np.random.default_rng(0)
    values = {str(i): rng.normal(80 + i / 10, 0.3, 5) for i in range(6)}
    costs = {str(i): i for i in range(6)}
    assert pareto.membership(values, costs, seed=3) == pareto.membership(values, costs, seed=3)
    assert pareto.membership(values, costs, seed=3) != pareto.membership(values, costs, seed=4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no cost of b"):
        pareto.membership({"a": [80.0], "b": [81.0]}, {"a": 1})
    with pytest.raises(ValueError, match="a has 2 accuracies and 1 times"):
        pareto.membership({"a": [80.0, 81.0]}, {"a": 1}, times={"a": {0: 1.0}})
    with pytest.raises(ValueError, match="a has 1 accuracies and 2 training keys"):
        pareto.membership({"a": [80.0]}, {"a": 1}, {"a": "st"})
