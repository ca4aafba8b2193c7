"""What the runs of each variant predict for the test images, how surely, and where two disagree.

From the test logits of every run, in the order of the seeds; fractions come in percent unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15  # of confidence, as in Guo et al. 2017
AT_A_TIME = 1 << 20  # logits; what is computed from them takes a few times as much memory


class ModelOutputs(Protocol):
    """Of one run on the test set: labels [N], logits [N, classes]."""

    @property
    def labels(self) -> NDArray[np.integer]: ...

    @property
    def logits(self) -> NDArray[np.floating]: ...


class Calibration(NamedTuple):
    """How far a run's confidences can be believed."""

    ece_percent: float
    top5_percent: float  # nan with fewer than five classes
    nll: float  # nats per image


def calibration(labels: ArrayLike, logits: ArrayLike) -> Calibration:
    """Expected calibration error, top-5 accuracy and mean negative log-likelihood of ``logits`` [N, classes].

    Among equal logits the lower class comes first.
    """
    return _evaluated(np.asarray(labels), np.asarray(logits)).calibration


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error, 0 to 1: the mean of abs(fraction right - mean confidence) over equal-width bins,
    weighted by their images; ``confidence`` [N] from 0 to 1, ``right`` [N]. Bin m holds ((m - 1) / bins, m / bins].

    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks" (arXiv:1706.04599), eq. 3.
    """
    confident = np.asarray(confidence, np.float64)
    bin_of = np.clip(np.ceil(confident * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, np.asarray(right, np.float64) - confident, bins)
    return float(np.abs(gap).sum() / len(confident))


class _Evaluated(NamedTuple):
    predicted: NDArray[np.integer]  # [N]
    margin: NDArray[np.floating]  # [N], probability of the true class less that of the likeliest other
    calibration: Calibration


def _evaluated(labels: NDArray[np.integer], logits: NDArray[np.floating]) -> _Evaluated:
    images, classes = logits.shape
    step = max(1, AT_A_TIME // classes)
    parts = [_part(labels[i : i + step], logits[i : i + step]) for i in range(0, images, step)]
    predicted, margin, confidence, rank, nll = (np.concatenate(column) for column in zip(*parts, strict=True))
    ece = calibration_error(confidence, predicted == labels)
    top5 = 100 * float((rank < 5).mean()) if classes >= 5 else float("nan")
    return _Evaluated(predicted, margin, Calibration(100 * ece, top5, float(nll.mean(dtype=np.float64))))


def _part(labels: NDArray[np.integer], logits: NDArray[np.floating]) -> tuple[NDArray[Any], ...]:
    """Predicted class, margin, confidence, rank of the true class, negative log-likelihood; each [images]."""
    predicted = logits.argmax(1).astype(np.int16 if logits.shape[1] < 2**15 else np.int32)
    z = np.ascontiguousarray(logits.T, dtype=np.float32)  # along the images everything is faster
    here = labels, np.arange(len(labels))
    true, top = z[here], z.max(0)
    rank = (z > true).sum(0)
    rank += ((z == true) & (np.arange(len(z))[:, None] < labels)).sum(0)
    nll = top - true
    np.exp(z - top, out=z)
    total, likely = z.sum(0), z[here]
    z[here] = 0.0
    nll += np.log(total)
    return predicted, (likely - z.max(0, initial=0.0)) / total, 1 / total, rank, nll


@dataclass(frozen=True, eq=False)
class VariantOutputs:
    """What a variant's n runs predict."""

    labels: NDArray[np.integer]  # [N]
    keys: tuple[Hashable, ...]  # of their trainings
    predicted: NDArray[np.integer]  # [n, N]
    margins: NDArray[np.floating]  # [n, N]
    calibrations: tuple[Calibration, ...]

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def floor(self) -> float:
        """Churn between its own trainings."""
        return churn(self.predicted, self.predicted, self.keys, self.keys)

    def rows(self, rows: Sequence[int]) -> VariantOutputs:
        """Of these trainings alone, in this order."""
        if list(rows) == list(range(len(self.keys))):
            return self
        keys, calibrations = tuple(self.keys[row] for row in rows), tuple(self.calibrations[row] for row in rows)
        return VariantOutputs(self.labels, keys, self.predicted[list(rows)], self.margins[list(rows)], calibrations)


def outputs_of_variants(
    predictions: Mapping[str, Sequence[ModelOutputs]],
    baseline: str,
    classes: int,
    trainings: Mapping[str, Sequence[str]],
) -> tuple[dict[str, VariantOutputs], list[str]]:
    """Those of the runs that can be compared, by variant, in the order given; and why others cannot."""
    if not any(predictions.values()):
        return {}, []
    first = next(iter(predictions.get(baseline) or [run for runs in predictions.values() for run in runs]))
    labels = _checked(
        np.asarray(first.labels), np.asarray(first.logits), classes
    )  # its test set is the one that counts
    outputs: dict[str, VariantOutputs] = {}
    notes: list[str] = []
    for name in sorted(predictions, key=lambda name: name != baseline):
        runs = predictions[name]
        keys: Sequence[Hashable] = trainings.get(name) or [(name, number) for number in range(len(runs))]
        if len(keys) != len(runs):
            raise ValueError(f"{name} has {len(runs)} runs and {len(keys)} training keys")
        read, not_finite, other_images = [], 0, 0
        for key, run in zip(keys, runs, strict=True):
            logits = np.asarray(run.logits)
            if not np.array_equal(np.asarray(run.labels), labels) or logits.shape != (len(labels), classes):
                other_images += 1
            elif not np.isfinite(logits).all():
                not_finite += 1
            else:
                read.append((key, _evaluated(labels, logits)))
        for count, why in ((not_finite, "logits that are not finite numbers"), (other_images, "another test set")):
            if count:
                notes.append(_left_out(name, count, len(runs), why))
        if read:
            outputs[name] = _stacked(labels, read)
    return {name: outputs[name] for name in predictions if name in outputs}, notes


def _stacked(labels: NDArray[np.int64], read: Sequence[tuple[Hashable, _Evaluated]]) -> VariantOutputs:
    return VariantOutputs(
        labels,
        tuple(key for key, _ in read),
        np.stack([run.predicted for _, run in read]),
        np.stack([run.margin for _, run in read]),
        tuple(run.calibration for _, run in read),
    )


def _left_out(name: str, count: int, total: int, why: str) -> str:
    if count == total:
        return f"{name} is left out of what is said of single images: {why}."
    return f"{count} of {total} runs of {name} are left out of what is said of single images: {why}."


def _checked(labels: NDArray[np.integer], logits: NDArray[np.floating], classes: int) -> NDArray[np.int64]:
    if logits.shape != (len(labels), classes) or not len(labels):
        raise ValueError(f"{len(labels)} labels of {classes} classes do not fit logits {list(logits.shape)}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}, and names of {classes} classes")
    return labels.astype(np.int64)


def churn(
    a: NDArray[np.integer], b: NDArray[np.integer], keys_a: Sequence[Hashable], keys_b: Sequence[Hashable]
) -> float:
    """Percent of the images of which two runs say different classes: the mean over all pairs of a run of ``a`` [n, N] and
    a run of ``b`` [m, N], predicted classes, that do not come from the same training (that is, whose keys differ); nan
    where there is no such pair.

    M. Milani Fard et al., "Launch and iterate: reducing prediction churn" (NeurIPS 2016). Two trainings of the same
    variant disagree too, so a variant's churn against the baseline is to be held against a floor: the mean of the two
    variants' own, ``churn(a, a)`` and ``churn(b, b)``. What goes beyond it, the component did.
    """
    fractions = [
        np.count_nonzero(one != other) / one.size
        for one, key in zip(a, keys_a, strict=True)
        for other, other_key in zip(b, keys_b, strict=True)
        if key != other_key
    ]
    return 100 * float(np.mean(fractions)) if fractions else float("nan")


class PairedAnswers(NamedTuple):
    """The answers of two networks to the same test images, counted, and McNemar's exact test of their accuracies."""

    images: int
    same: int  # images with the same prediction, right or wrong
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p: float


def compare_answers(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> PairedAnswers:
    """Of the true classes [N] and those that two networks say [N].

    The p-value is McNemar's exact one: of the images that exactly one gets right, either is as likely to be the one
    (McNemar, Psychometrika 12, 1947).
    """
    from scipy.stats import binomtest

    answers, others = np.asarray(first), np.asarray(second)
    one, two = answers == np.asarray(labels), others == np.asarray(labels)
    only_first, only_second = int((one & ~two).sum()), int((two & ~one).sum())
    split = only_first + only_second
    p = float(binomtest(only_first, split, 0.5).pvalue) if split else 1.0
    both = int((one & two).sum())
    same = int((answers == others).sum())
    return PairedAnswers(len(one), same, both, only_first, only_second, len(one) - both - split, p)
