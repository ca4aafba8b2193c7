"""What to do, in one sentence: each verdict with each kind of price."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.analysis.wording import advice

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
            row("equivalent", train_s=80.0),
            "Drop lrn: accuracy equivalent within 0.5 points, training 1.5 times as fast.",
        ),
        (row("equivalent"), "Take either: accuracy equivalent within 0.5 points, at the same price."),
        (
            row("equivalent", train_s=119.0, latency_tf_p50_ms=2.05),  # within what two measurements differ by
            "Take either: accuracy equivalent within 0.5 points, at the same price.",
        ),
        (
            row("equivalent", params=1100),
            "Do not drop lrn: accuracy equivalent within 0.5 points, and it costs more: parameters +10.0 %.",
        ),
        (
            row("equivalent", params=900, macs=450, ops=770),
            "Drop lrn if that trade suits you: accuracy equivalent within 0.5 points; parameters and MACs -10.0 %, "
            "but ops +10.0 %.",
        ),
        (row("helps", 0.6), "Drop lrn: 0.60 points more accurate, at no extra price."),
        (row("helps", 0.6, params=900), "Drop lrn: 0.60 points more accurate, and parameters -10.0 %."),
        (
            row("helps", 0.6, train_s=240.0),
            "Drop lrn if 0.60 points of accuracy are worth it: training takes 2 times as long.",
        ),
        (row("hurts", -0.6), "Do not drop lrn: 0.60 points less accurate."),
        (
            row("hurts", -0.6, latency_tf_p50_ms=1.0),
            "Do not drop lrn, unless the price matters more than 0.60 points of accuracy: one image 2 times as fast.",
        ),
        (
            row("undecided", needed=14, ops=693),
            "Do not decide yet whether to drop lrn: about 11 more seeds of each would be needed; known already: "
            "ops -1.0 %.",
        ),
        (
            row("undecided"),
            "Do not decide yet whether to drop lrn: no affordable number of seeds would settle a difference like this one.",
        ),
        (row("none", n=1), "Train two seeds or more of each before deciding whether to drop lrn."),
        (row("none"), "Train the seeds up to the first interim analysis before deciding whether to drop lrn."),
    ],
)  # fmt: skip
def test_what_to_do(given, said):
    assert advice.advice(given, BASELINE, 0.5, "drop lrn") == said


def test_without_factors_the_variants_are_named():
    assert advice.advice(row("helps", 0.6), BASELINE, 0.5).startswith("Use new instead of full: ")


def test_what_was_not_measured_is_not_spoken_of():
    unmeasured = row("equivalent", train_s=float("nan"), latency_tf_p50_ms=None, params=pd.NA)
    assert advice.price(unmeasured, BASELINE) == ((), ())
    assert advice.price(row("equivalent", size_onnx_bytes=50), BASELINE | {"size_onnx_bytes": 100}).saves == (
        "onnx file -50.0 %",
    )


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
    assert advice.change(levels, baseline) == change
