"""The terms that a page uses, each explained in a sentence or two for somebody who has not met it."""

from __future__ import annotations

from typing import NamedTuple

from zoo.measure.metrics import METRICS


class Term(NamedTuple):
    term: str
    meaning: str
    topic: str = ""  # that must be on the page for it; always where there is none


COMPARISON_TERMS = (
    Term("accuracy", "The fraction of the test images that the network classifies correctly, in percent."),
    Term("point", "One percent of the test images: from 81 % to 82 % is one point."),
    Term(
        "baseline",
        "The variant that all others are compared with, named in the question before anything was trained.",
    ),
    Term(
        "seed",
        "The number that a training's randomness starts from: first weights, order of the images, augmentation. Two "
        "trainings that differ in nothing else end with different accuracies; several seeds show by how much.",
    ),
    Term(
        "95 % interval",
        "The differences that fit the runs. An interval made like this covers the true difference in 95 of 100 sweeps. "
        "Each is that of its comparison alone (Welch's, which does not assume that both sides spread alike).",
    ),
    Term(
        "margin",
        "The difference that the person who asked does not care about: it belongs into the question before the runs.",
    ),
    Term(
        "helps, hurts",
        "The mean accuracy differs from the baseline's, by Welch's two-sided t-test at 5 %, corrected for the number of "
        "comparisons.",
    ),
    Term(
        "equivalent",
        "The difference is smaller than the margin, by two one-sided Welch tests at 5 % each (TOST), corrected for the "
        "number of comparisons. A real but smaller difference is equivalent too.",
    ),
    Term(
        "undecided",
        "The runs show neither a difference nor equivalence. More seeds may; it does not mean that there is no difference.",
    ),
    Term("failed", "Trainings of the variant diverged or crashed, and none or too few are left to compare."),
    Term("did not learn", "The accuracy of the variant cannot be told from that of always naming the largest class."),
    Term(
        "descriptive",
        "A cell of a grid: its difference is shown, and no verdict is passed on it. The verdicts are on the effects of the "
        "factors, to which all cells contribute.",
    ),
    Term("no verdict", "The variant or the baseline has fewer than two trainings, so there is no spread to go by."),
    Term(
        "p, adjusted",
        "The probability of runs at least as extreme as these if there were no effect; increased by Holm's method where "
        "several comparisons share one sweep, so that the chance of any false alarm stays below 5 %.",
    ),
    Term(
        "80 % power",
        "With this many seeds, four of five such sweeps would reach a verdict, if the truth is what was observed so far.",
    ),
    Term(
        "schedule",
        "Seeds are added until a verdict is decided. Testing again and again would raise the false alarms, so each interim "
        "analysis has a level of its own that keeps all of them together at 5 % (alpha spending).",
        "schedule",
    ),
)
DETAIL_TERMS = (
    Term(
        "raw and averaged weights",
        "A training ends with its last weights; their exponential moving average over the steps is often more accurate "
        "and always steadier.",
    ),
    Term(
        "Pareto front",
        "The variants that no other beats at both: as cheap, and more accurate.",
        "front",
    ),
    Term(
        "how many times as long",
        "Times are measured, so a ratio of two has an interval. It is spoken of only where the interval leaves out 1 and "
        "the ratio is 5 % or more; what ran beside other work, or on another device, is not compared.",
        "ratios",
    ),
    Term(
        "between trainings, by the choice of images",
        "Two sources of chance. Train again and another network results; draw other test images and the same network "
        "scores differently. A comparison on the same images cancels part of the second, not of the first.",
        "uncertainty",
    ),
    Term(
        "interaction",
        "How much the effect of one factor changes with the level of another: zero where effects simply add.",
        "interactions",
    ),
    Term(
        "churn",
        "The fraction of test images that two trainings answer differently, correctly or not. Its floor is the churn "
        "between two trainings of the same variant.",
        "churn",
    ),
    Term(
        "calibration error",
        "How far confidence and accuracy lie apart on average over bins of confidence (ECE); 0 is perfect.",
        "calibration",
    ),
    Term(
        "negative log-likelihood",
        "The loss on the test images: small where the right answer was thought likely; it punishes confident mistakes.",
        "calibration",
    ),
)


def terms() -> list[Term]:
    """Those of the comparison, of the metrics that have a meaning, and of the details."""
    explained = [Term(metric.term, metric.meaning) for metric in METRICS.values() if metric.meaning]
    return [*COMPARISON_TERMS, *explained, *DETAIL_TERMS]
