"""Where a component matters: which classes, which test images, and how much of it is what any two trainings do.

From the test logits of every run. Runs are in the order of the seeds; accuracies, shares and differences come in percent and
points unless a name says otherwise. Nothing here is random, and nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from reports import statistics, uncertainty
from reports.power import ALPHA

BINS = 15  # of confidence, as in Guo et al. 2017
FLIPS = 12  # images told of, per variant and direction
AT_A_TIME = 1 << 20  # logits; what is computed from them takes a few times as much memory
GAINED, LOST = "gained", "lost"


class Run(Protocol):
    """What one training says of the test set: labels [N], logits [N, classes]."""

    @property
    def labels(self) -> NDArray: ...

    @property
    def logits(self) -> NDArray: ...


@dataclass(frozen=True, eq=False)
class Examples:
    """Frames, in the order of the variants; the baseline has a row where a variant is told of by itself.

    - ``per_class``: variant, label, images (of the class), accuracy_percent, difference_points to the baseline, and its
      interval low_points to high_points: of other trainings and other images both, and simultaneous (Bonferroni) for all
      classes of all variants, so that the chance that any of them is wrongly said to differ is 5 %. nan with one seed.
    - ``churn``: variant, churn_percent, floor_percent, excess_points (see ``churn``).
    - ``calibration``: variant, ece_percent_mean, ece_percent_sd, top5_percent_mean, top5_percent_sd, nll_mean, nll_sd (see
      ``calibration``), over the seeds.
    - ``flips``: variant, direction (``gained``: the variant is right more often; ``lost``), image (its index in the test
      set), label, baseline_right, variant_right (shares of the seeds, 0 to 1), baseline_says, variant_says (the commonest
      prediction), p (see ``flips``). The surest first, at most ``FLIPS`` for a variant and direction.
    - ``flip_counts``: variant, direction, p (of the last one told of), images (that differ at least as surely),
      images_by_chance (how many would if the two sides did not differ at all).
    - ``uncertainty``: variant, accuracy_percent, its interval low_test_percent to high_test_percent over other images,
      sd_seeds_points, variance_distribution (points squared; may be negative), sd_distribution_points, se_test_points,
      difference_points, low_test_points to high_test_points (other images, these trainings), low_both_points to
      high_both_points (other images and other trainings); see ``reports.uncertainty``.
    - ``notes``: sentences about runs and variants that were left out.
    """

    per_class: pd.DataFrame
    churn: pd.DataFrame
    calibration: pd.DataFrame
    flips: pd.DataFrame
    flip_counts: pd.DataFrame
    uncertainty: pd.DataFrame
    notes: tuple[str, ...] = ()


def of(
    predictions: Mapping[str, Sequence[Run]],
    baseline: str,
    classes: Sequence[str],
    trainings: Mapping[str, Sequence[str]] | None = None,
) -> Examples:
    """What the runs of each variant say of the test images, against the ``baseline``'s.

    ``classes`` are the names of the labels 0, 1, .... ``trainings`` has a key for each of a variant's runs, in the same
    order; runs of two variants with the same key are readouts of one training, and are compared with each other. A variant
    that is not in it has trainings of its own. Where two variants share only some trainings, these alone are compared.

    Raises:
        KeyError: no such baseline. ValueError: labels that ``classes`` does not name, or keys that do not fit the runs.
    """
    if baseline not in predictions:
        raise KeyError(baseline)
    sides, notes = _read(predictions, baseline, len(classes), trainings or {})
    others = [name for name in sides if name != baseline] if baseline in sides else []
    pairs = {name: _pair(sides[name], sides[baseline]) for name in others}
    notes += [
        f"{name} and {baseline} share {len(pair.variant.keys)} trainings, and only these are compared."
        for name, pair in pairs.items()
        if pair.paired and len(pair.variant.keys) < max(len(sides[name].keys), len(sides[baseline].keys))
    ]
    told = [_flips(name, pair, classes) for name, pair in pairs.items()]
    return Examples(
        per_class=_per_class_frame(sides, pairs, classes),
        churn=pd.DataFrame(
            [{"variant": name, **_churn_row(sides[name], sides[baseline])} for name in others],
            columns=["variant", "churn_percent", "floor_percent", "excess_points"],
        ),
        calibration=pd.DataFrame(
            [{"variant": name, **_calibration_row(side)} for name, side in sides.items()], columns=_CALIBRATION
        ),
        flips=pd.DataFrame([row for rows, _ in told for row in rows], columns=_FLIPS),
        flip_counts=pd.DataFrame([row for _, rows in told for row in rows], columns=_FLIP_COUNTS),
        uncertainty=pd.DataFrame(
            [_uncertainty_row(name, side, pairs.get(name)) for name, side in sides.items()], columns=_UNCERTAINTY
        ),
        notes=tuple(notes),
    )


# --- one run -----------------------------------------------------------------------------------------------------


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


# --- one variant -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Side:
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

    def rows(self, rows: Sequence[int]) -> _Side:
        """Of these trainings alone, in this order."""
        if list(rows) == list(range(len(self.keys))):
            return self
        keys, calibrations = (tuple(of[row] for row in rows) for of in (self.keys, self.calibrations))
        return _Side(self.labels, keys, self.predicted[rows], self.margins[rows], calibrations)


def _read(
    predictions: Mapping[str, Sequence[Run]], baseline: str, classes: int, trainings: Mapping[str, Sequence[str]]
) -> tuple[dict[str, _Side], list[str]]:
    """The runs that can be compared, by variant, in the order given; and why others cannot."""
    labels: NDArray | None = None
    sides: dict[str, _Side] = {}
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
            sides[name] = _Side(
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


_CALIBRATION = [
    "variant",
    *(f"{what}_{of}" for what in ("ece_percent", "top5_percent", "nll") for of in ("mean", "sd")),
]


def _calibration_row(side: _Side) -> dict[str, float]:
    row = {}
    for field in Calibration._fields:
        row[f"{field}_mean"], row[f"{field}_sd"], _ = statistics.summary(
            [getattr(each, field) for each in side.calibrations]
        )
    return row


# --- two variants ------------------------------------------------------------------------------------------------


class _Pair(NamedTuple):
    """A variant's runs and the baseline's; of readouts only those of shared trainings, row by row."""

    variant: _Side
    baseline: _Side
    paired: bool


def _pair(variant: _Side, baseline: _Side) -> _Pair:
    place = {key: row for row, key in enumerate(baseline.keys)}
    shared = [row for row, key in enumerate(variant.keys) if key in place]
    if not shared:
        return _Pair(variant, baseline, False)
    return _Pair(variant.rows(shared), baseline.rows([place[variant.keys[row]] for row in shared]), True)


_UNCERTAINTY = [
    *("variant", "accuracy_percent", "low_test_percent", "high_test_percent"),
    *("sd_seeds_points", "variance_distribution", "sd_distribution_points", "se_test_points"),
    *("difference_points", "low_test_points", "high_test_points", "low_both_points", "high_both_points"),
]


def _uncertainty_row(name: str, side: _Side, pair: _Pair | None) -> dict[str, object]:
    images, seeds = uncertainty.between_test_sets(side.right), uncertainty.between_seeds(side.right)
    row = {
        "variant": name,
        "accuracy_percent": images.accuracy_percent,
        "low_test_percent": images.low_percent,
        "high_test_percent": images.high_percent,
        "sd_seeds_points": seeds.sd_points,
        "variance_distribution": seeds.variance_distribution,
        "sd_distribution_points": seeds.sd_distribution_points,
        "se_test_points": images.error_points,
    }
    if pair is None:
        return row
    found = uncertainty.difference(pair.variant.right, pair.baseline.right, pair.paired)
    return row | {
        "difference_points": found.points,
        **{f"{name}_points": getattr(found, name) for name in ("low_test", "high_test", "low_both", "high_both")},
    }


def _per_class_frame(sides: Mapping[str, _Side], pairs: Mapping[str, _Pair], classes: Sequence[str]) -> pd.DataFrame:
    columns = ["variant", "label", "images", "accuracy_percent", "difference_points", "low_points", "high_points"]
    rows = []
    for name, side in sides.items():
        order = np.argsort(side.labels, kind="stable")
        edges = np.searchsorted(side.labels, np.arange(len(classes) + 1), sorter=order)
        present = int((np.diff(edges) > 0).sum())
        alpha = ALPHA / (present * max(1, len(pairs)))
        pair, right = pairs.get(name), side.right[:, order]
        ours, theirs = (pair.variant.right[:, order], pair.baseline.right[:, order]) if pair else (None, None)
        for label, start, end in zip(classes, edges, edges[1:], strict=False):
            row = dict.fromkeys(columns, float("nan")) | {"variant": name, "label": label, "images": end - start}
            if end > start:
                row["accuracy_percent"] = 100 * float(right[:, start:end].mean())
            if end > start and pair:
                found = uncertainty.difference(ours[:, start:end], theirs[:, start:end], pair.paired, alpha)
                row |= {"difference_points": found.points, "low_points": found.low_both, "high_points": found.high_both}
            rows.append(row)
    return pd.DataFrame(rows, columns=columns)


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


def _churn_row(side: _Side, baseline: _Side) -> dict[str, float]:
    found = churn(side.predicted, baseline.predicted, side.keys, baseline.keys)
    floor = (side.floor + baseline.floor) / 2
    return {"churn_percent": found, "floor_percent": floor, "excess_points": found - floor}


# --- flips -------------------------------------------------------------------------------------------------------

_FLIPS = [
    "variant",
    "direction",
    "image",
    "label",
    "baseline_right",
    "variant_right",
    "baseline_says",
    "variant_says",
    "p",
]
_FLIP_COUNTS = ["variant", "direction", "p", "images", "images_by_chance"]


class Flips(NamedTuple):
    """The images on which one side is right more often than the other, the surest first."""

    image: NDArray  # [k], indices
    p: NDArray  # [k]
    images: int  # that are as sure as the last of the k
    images_by_chance: float  # how many would be, if the two sides did not differ at all


def flips(right: ArrayLike, reference: ArrayLike, gap: ArrayLike, paired: bool = False, most: int = FLIPS) -> Flips:
    """The images on which ``right`` [n, N] is right more often than ``reference`` [m, N], the surest first.

    By the one-sided p of Fisher's exact test of the two counts of right trainings; of ``paired`` rows (readouts of the same
    trainings) by the exact sign test of those in which the two differ (McNemar). Both are valid with any number of seeds.
    Among equal p the largest ``gap`` [N] comes first (how much more probable the true class is to the first side), then
    the first image.

    ``images_by_chance`` is exact: were all trainings of both sides alike, then given in how many of them an image is right,
    which ones these are would be chance; the probabilities of a p as small as the last one's are added up over the images.
    It is the mean over all ways to exchange trainings between the sides, without drawing any.
    """
    a, b = np.asarray(right, bool), np.asarray(reference, bool)
    x, y = ((a & ~b).sum(0), (b & ~a).sum(0)) if paired else (a.sum(0), b.sum(0))
    n, m = (len(a), len(a)) if paired else (len(a), len(b))
    chances = _chances(n, m, paired)
    p = _tails(chances)
    more = np.arange(n + 1)[:, None] * m > np.arange(m + 1) * n  # of [x, y]: the first side is right more often
    found = np.flatnonzero(more[x, y])
    if not found.size:
        return Flips(found, np.empty(0), 0, float("nan"))
    order = np.lexsort((found, -np.asarray(gap)[found], p[x, y][found]))
    kept = found[order[:most]]
    sure = more & (p <= p[x, y][kept[-1]] * (1 + 1e-9))
    totals = np.add.outer(np.arange(n + 1), np.arange(m + 1))
    of_total = np.bincount(totals.ravel(), np.where(sure, chances, 0.0).ravel())
    return Flips(kept, p[x, y][kept], int(sure[x, y].sum()), float(of_total[x + y].sum()))


def _chances(n: int, m: int, paired: bool) -> NDArray:
    """[x, y]: the chance of just these counts, given x + y, where the sides do not differ."""
    from scipy import special

    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)
    if paired:
        return special.comb(x + y, x) / 2.0 ** (x + y)
    return special.comb(n, x) * special.comb(m, y) / special.comb(n + m, x + y)


def _tails(chances: NDArray) -> NDArray:
    """[x, y]: the chance of x or more, given x + y."""
    tails = chances.copy()
    for x in range(len(tails) - 2, -1, -1):
        tails[x, 1:] += tails[x + 1, :-1]
    return tails


def _flips(name: str, pair: _Pair, classes: Sequence[str]) -> tuple[list[dict], list[dict]]:
    """The rows of ``flips`` and of ``flip_counts`` of one variant."""
    ours, theirs = pair.variant, pair.baseline
    gap = ours.margins.mean(0) - theirs.margins.mean(0)
    found = {
        GAINED: flips(ours.right, theirs.right, gap, pair.paired),
        LOST: flips(theirs.right, ours.right, -gap, pair.paired),
    }
    rows = [
        {
            "variant": name,
            "direction": direction,
            "image": int(image),
            "label": classes[ours.labels[image]],
            "baseline_right": float(theirs.right[:, image].mean()),
            "variant_right": float(ours.right[:, image].mean()),
            "baseline_says": classes[_commonest(theirs.predicted[:, image])],
            "variant_says": classes[_commonest(ours.predicted[:, image])],
            "p": float(p),
        }
        for direction, each in found.items()
        for image, p in zip(each.image, each.p, strict=True)
    ]
    counts = [
        dict(zip(_FLIP_COUNTS, (name, direction, *_last(each)), strict=True)) for direction, each in found.items()
    ]
    return rows, counts


def _last(found: Flips) -> Iterator[float]:
    yield float(found.p[-1]) if len(found.p) else float("nan")
    yield from found[2:]


def _commonest(predicted: NDArray) -> int:
    """Among equally common classes the lowest."""
    return int(np.bincount(predicted).argmax())
