"""What to do, in one sentence: each verdict with each kind of price."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.analysis.prices import words
from reports.analysis.wording import advice, names
from zoo.stats.costs.ratios import NotCompared, RatioWord

BASELINE = {
    "variant": "full",
    "n": 3,
    "params": 1000,
    "macs": 500,
    "ops": 700,
    "train_s": 120.0,
    "latency_tf_p50_ms": 2.0,
}
SAME = {name: value for name, value in BASELINE.items() if name not in ("variant", "n")}


def ratio(
    metric: str, word: RatioWord, ratio: float = 1.0, low: float = 0.98, high: float = 1.02, note: str = ""
) -> dict:
    """The columns of a ratio, as ``variants.frame`` has them."""
    values = {"": ratio, "_low": low, "_high": high, "_word": word, "_note": note}
    return {f"{metric}_ratio{end}": value for end, value in values.items()}


SAME |= ratio("train_s", RatioWord.SAME) | ratio("latency_tf_p50_ms", RatioWord.SAME)


def row(verdict: str, difference: float = 0.1, needed=pd.NA, **prices) -> dict:
    return (
        {"variant": "new", "verdict": verdict, "difference_points": difference, "n": 3, "seeds_needed": needed}
        | SAME
        | prices
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            row("equivalent", **ratio("train_s", RatioWord.FASTER, 2 / 3, 0.625, 0.71)),
            "Drop lrn: training 1.50 times as fast (1.41 to 1.60).",
        ),
        (row("equivalent"), "Take either, at the same price."),
        (
            row("equivalent", **ratio("train_s", RatioWord.CANNOT_BE_TOLD, 0.93, 0.82, 1.06)),
            "Take either; the times of training cannot be told apart "
            "(0.82 to 1.06 times as long).",
        ),
        (
            row("equivalent", ops=700.1),  # +0.01 %
            "Take either, at the same price.",
        ),
        (
            row("equivalent", params=1100),
            "Do not drop lrn: it costs more: parameters +10.0 %.",
        ),
        (
            row("equivalent", params=900, macs=450, ops=770),
            "Drop lrn if that trade suits you: parameters and MACs -10.0 %, "
            "but ops +10.0 %.",
        ),
        (row("helps", 0.6), "Drop lrn, at no extra price."),
        (row("helps", 0.6, params=900), "Drop lrn: it saves, too: parameters -10.0 %."),
        (
            row("helps", 0.6, **ratio("train_s", RatioWord.SLOWER, 1.05, 1.004, 1.098)),
            "Drop lrn if the accuracy is worth it: training takes 1.05 times as long (1.004 to 1.10).",
        ),
        (
            row("helps", 0.6, params=15_950),
            "Drop lrn if the accuracy is worth it: parameters 16 times as many.",
        ),
        (row("hurts", -0.6), "Do not drop lrn."),
        (
            row("hurts", -0.6, **ratio("latency_tf_p50_ms", RatioWord.FASTER, 0.5, 0.4, 0.625)),
            "Do not drop lrn, unless the price matters more than the accuracy: one image 2.0 times as fast "
            "(1.60 to 2.5).",
        ),
        (
            row("undecided", needed=14, ops=693),
            "Do not decide yet whether to drop lrn: it would take about 14 seeds of each; known already: "
            "ops -1.0 %.",
        ),
        (
            row("undecided"),
            "Do not decide yet whether to drop lrn: no affordable number of seeds would settle a difference like this one.",
        ),
        (row("none", n=1), "Train two seeds or more of each before deciding whether to drop lrn."),
        (row("none"), "Train the seeds that the first verdict takes before deciding whether to drop lrn."),
    ],
)  # fmt: skip
def test_what_to_do(given, said):
    assert advice.advice(given, BASELINE, "drop lrn") == said


def test_without_factors_the_variants_are_named():
    assert advice.advice(row("helps", 0.6), BASELINE).startswith("Use new instead of full")


def test_what_was_not_measured_is_not_spoken_of():
    unmeasured = ratio("train_s", RatioWord.NOT_COMPARED, note=NotCompared.UNMEASURED)
    assert words.price({"params": pd.NA, "train_s": float("nan")} | unmeasured, BASELINE) == ((), (), (), ())
    assert not words.price({"params": pd.NA}, BASELINE).is_the_same
    assert words.price({"size_onnx_bytes": 50}, {"size_onnx_bytes": 100}).saves == ("onnx file -50.0 %",)


def test_what_is_not_compared_says_why():
    busy = row("equivalent", **ratio("train_s", RatioWord.NOT_COMPARED, note=NotCompared.BUSY))
    assert words.price(busy, BASELINE).untold == (
        "the times of training are not compared: measured while something else ran",
    )
    assert not words.price(busy, BASELINE).is_the_same


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.05, "1.05"), (1.14, "1.14"), (2.04, "2.0"), (15.95, "16"), (0.5, "0.50"), (1495.2, "1495")],
)
def test_times_as_they_are_read(value, text):
    assert words.times(value) == text


@pytest.mark.parametrize(
    ("levels", "baseline", "change"),
    [
        ({"lrn": False}, {"lrn": True}, "drop lrn"),
        ({"augment.flip": True}, {"augment.flip": False}, "add augment.flip"),
        ({"model": "nin2"}, {"model": "tuto"}, "use model nin2 instead of tuto"),
        ({"hidden": [192]}, {"hidden": [384, 192]}, "use hidden [192] instead of [384, 192]"),
        ({"a": False, "b": True, "c": 3}, {"a": True, "b": True, "c": 2}, "drop a and use c 3 instead of 2"),
        ({"dropout": 1}, {"dropout": True}, "use dropout 1 instead of true"),
        ({}, {}, ""),
    ],
)
def test_what_changes(levels, baseline, change):
    assert names.steps(levels, baseline) == change
