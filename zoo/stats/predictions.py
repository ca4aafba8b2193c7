"""The runs of each variant, side by side: what each says of the test images, how surely, and where two disagree.

From the test logits of every run. Runs are in the order of the seeds; shares come in percent unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15  # of confidence, as in Guo et al. 2017
AT_A_TIME = 1 << 20  # logits; what is computed from them takes a few times as much memory


class Run(Protocol):
    """What one training says of the test set: labels [N], logits [N, classes]."""

    @property
    def labels(self) -> NDArray: ...

    @property
    def logits(self) -> NDArray: ...


class Calibration(NamedTuple):
    """How far a run's confidences can be believed."""

    ece_percent: float
    top5_percent: float  # nan with fewer than five classes
    nll: float  # nats per image


def calibration(labels: ArrayLike, logits: ArrayLike) -> Calibration:
    """Expected calibration error, top-5 accuracy and mean negative log-likelihood of ``logits`` [N, classes].

    Among equal logits the lower class comes first.
    """
    return _run(np.asarray(labels), np.asarray(logits)).calibration


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error, a fraction: the mean of abs(share right - mean confidence) over equal-width bins, weighted
    by their images; ``confidence`` [N] from 0 to 1, ``right`` [N]. Bin m holds ((m - 1) / bins, m / bins].

    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks" (arXiv:1706.04599), eq. 3.
    """
    confidence = np.asarray(confidence, float)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, np.asarray(right, float) - confidence, bins)
    return float(np.abs(gap).sum() / len(confidence))


class _Run(NamedTuple):
    predicted: NDArray  # [N]
    margin: NDArray  # [N], probability of the true class less that of the likeliest other
    calibration: Calibration


def _run(labels: NDArray, logits: NDArray) -> _Run:
    images, classes = logits.shape
    step = max(1, AT_A_TIME // classes)
    parts = [_part(labels[i : i + step], logits[i : i + step]) for i in range(0, images, step)]
    predicted, margin, confidence, rank, nll = (np.concatenate(column) for column in zip(*parts, strict=True))
    ece = calibration_error(confidence, predicted == labels)
    top5 = 100 * float((rank < 5).mean()) if classes >= 5 else float("nan")
    return _Run(predicted, margin, Calibration(100 * ece, top5, float(nll.mean(dtype=np.float64))))


def _part(labels: NDArray, logits: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
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
class Side:
    """A variant's runs."""

    labels: NDArray  # [N]
    keys: tuple[object, ...]  # of their trainings
    predicted: NDArray  # [n, N]
    margins: NDArray  # [n, N]
    calibrations: tuple[Calibration, ...]

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        return self.predicted == self.labels

    @cached_property
    def floor(self) -> float:
        return churn(self.predicted, self.predicted, self.keys, self.keys)

    def rows(self, rows: Sequence[int]) -> Side:
        """Of these trainings alone, in this order."""
        if list(rows) == list(range(len(self.keys))):
            return self
        keys, calibrations = (tuple(of[row] for row in rows) for of in (self.keys, self.calibrations))
        return Side(self.labels, keys, self.predicted[rows], self.margins[rows], calibrations)


def sides_of(
    predictions: Mapping[str, Sequence[Run]], baseline: str, classes: int, trainings: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Side], list[str]]:
    """The runs that can be compared, by variant, in the order given; and why others cannot."""
    labels: NDArray | None = None
    sides: dict[str, Side] = {}
    notes: list[str] = []
    for name in sorted(predictions, key=lambda name: name != baseline):  # its test set is the one that counts
        keys = trainings.get(name) or [(name, place) for place in range(len(predictions[name]))]
        if len(keys) != len(predictions[name]):
            raise ValueError(f"{name} has {len(predictions[name])} runs and {len(keys)} training keys")
        read, total, unknown, elsewhere = [], 0, 0, 0
        for key, run in zip(keys, predictions[name], strict=True):
            total += 1
            its, logits = np.asarray(run.labels), np.asarray(run.logits)
            if labels is None:
                labels = _checked(its, logits, classes)
            if not np.array_equal(its, labels) or logits.shape != (len(labels), classes):
                elsewhere += 1
            elif not np.isfinite(logits).all():
                unknown += 1
            else:
                read.append((key, _run(labels, logits)))
        for count, why in ((unknown, "logits that are not finite numbers"), (elsewhere, "another test set")):
            if count:
                notes.append(_left_out(name, count, total, why))
        if read:
            sides[name] = Side(
                labels,
                tuple(key for key, _ in read),
                np.stack([run.predicted for _, run in read]),
                np.stack([run.margin for _, run in read]),
                tuple(run.calibration for _, run in read),
            )
    return {name: sides[name] for name in predictions if name in sides}, notes


def _left_out(name: str, count: int, total: int, why: str) -> str:
    if count == total:
        return f"{name} is left out of what is told of single images: {why}."
    return f"{count} of {total} runs of {name} are left out of what is told of single images: {why}."


def _checked(labels: NDArray, logits: NDArray, classes: int) -> NDArray:
    if logits.shape != (len(labels), classes) or not len(labels):
        raise ValueError(f"{len(labels)} labels of {classes} classes do not fit logits {list(logits.shape)}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}, and names of {classes} classes")
    return labels.astype(np.int64)


def churn(a: NDArray, b: NDArray, keys_a: Sequence[object], keys_b: Sequence[object]) -> float:
    """Percent of the images of which two runs say different classes: the mean over all pairs of a run of ``a`` [n, N] and
    a run of ``b`` [m, N], predicted classes, that do not come from the same training (that is, whose keys differ); nan
    where there is no such pair.

    M. Milani Fard et al., "Launch and iterate: reducing prediction churn" (NeurIPS 2016). Two trainings of the same
    variant disagree too, so a variant's churn against the baseline is to be held against a floor: the mean of the two
    variants' own, ``churn(a, a)`` and ``churn(b, b)``. What goes beyond it, the component did.
    """
    shares = [
        np.count_nonzero(one != other) / one.size
        for one, key in zip(a, keys_a, strict=True)
        for other, its in zip(b, keys_b, strict=True)
        if key != its
    ]
    return 100 * float(np.mean(shares)) if shares else float("nan")
