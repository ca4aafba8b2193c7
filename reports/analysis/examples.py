"""Where a component matters: which classes, which test images, and how much of it is what any two trainings do.

From the test logits of every run. Runs are in the order of the seeds; accuracies and differences come in percent and
points unless a name says otherwise. Nothing here is random, and nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.stats import descriptive
from zoo.stats.images import uncertainty
from zoo.stats.images.flips import Flips, flips
from zoo.stats.images.predictions import Calibration, ModelOutputs, VariantOutputs, churn, outputs_of_variants
from zoo.stats.power import ALPHA

GAINED, LOST = "gained", "lost"


@dataclass(frozen=True, eq=False)
class Examples:
    """Frames, in the order of the variants; the baseline has a row where a variant is described by itself.

    - ``per_class``: variant, label, images (of the class), accuracy_percent, difference_points to the baseline, and its
      interval low_points to high_points: of other trainings and other images both, and simultaneous (Bonferroni) for all
      classes of all variants, so that the chance that any of them is wrongly said to differ is 5 %. nan with one seed.
    - ``churn``: variant, churn_percent, floor_percent, excess_points (see ``predictions.churn``).
    - ``calibration``: variant, ece_percent_mean, ece_percent_sd, top5_percent_mean, top5_percent_sd, nll_mean, nll_sd (see
      ``predictions.calibration``), over the seeds.
    - ``flips``: variant, direction (``gained``: the variant is right more often; ``lost``), image (its index in the test
      set), label, baseline_right, variant_right (fractions of the seeds, 0 to 1), baseline_says, variant_says (the commonest
      prediction), p (see ``flips.flips``). The surest first, at most ``flips.FLIPS`` for a variant and direction.
    - ``flip_counts``: variant, direction, p (of the last one listed), images (that differ at least as surely),
      images_by_chance (how many would if the two did not differ at all).
    - ``uncertainty``: variant, accuracy_percent, its interval low_test_percent to high_test_percent over other images,
      sd_seeds_points, variance_distribution (points squared; may be negative), sd_distribution_points, its interval
      low_distribution_points to high_distribution_points, se_test_points,
      difference_points, low_test_points to high_test_points (other images, these trainings), low_both_points to
      high_both_points (other images and other trainings); see ``zoo.stats.images.uncertainty``.
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
    predictions: Mapping[str, Sequence[ModelOutputs]],
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
    outputs, notes = outputs_of_variants(predictions, baseline, len(classes), trainings or {})
    others = [name for name in outputs if name != baseline] if baseline in outputs else []
    pairs = {name: _pair(outputs[name], outputs[baseline]) for name in others}
    notes += [
        f"{name} and {baseline} share {len(pair.variant.keys)} trainings, and only these are compared."
        for name, pair in pairs.items()
        if pair.paired and len(pair.variant.keys) < max(len(outputs[name].keys), len(outputs[baseline].keys))
    ]
    flipped = [_flips(name, pair, classes) for name, pair in pairs.items()]
    return Examples(
        per_class=_per_class_frame(outputs, pairs, classes),
        churn=pd.DataFrame(
            [{"variant": name, **_churn_row(outputs[name], outputs[baseline])} for name in others],
            columns=["variant", "churn_percent", "floor_percent", "excess_points"],
        ),
        calibration=pd.DataFrame(
            [{"variant": name, **_calibration_row(variant)} for name, variant in outputs.items()], columns=_CALIBRATION
        ),
        flips=pd.DataFrame([row for rows, _ in flipped for row in rows], columns=_FLIPS),
        flip_counts=pd.DataFrame([row for _, rows in flipped for row in rows], columns=_FLIP_COUNTS),
        uncertainty=pd.DataFrame(
            [_uncertainty_row(name, variant, pairs.get(name)) for name, variant in outputs.items()],
            columns=_UNCERTAINTY,
        ),
        notes=tuple(notes),
    )


class _Pair(NamedTuple):
    """A variant's runs and the baseline's; of readouts only those of shared trainings, row by row."""

    variant: VariantOutputs
    baseline: VariantOutputs
    paired: bool


def _pair(variant: VariantOutputs, baseline: VariantOutputs) -> _Pair:
    row_of = {key: row for row, key in enumerate(baseline.keys)}
    shared = [row for row, key in enumerate(variant.keys) if key in row_of]
    if not shared:
        return _Pair(variant, baseline, False)
    return _Pair(variant.rows(shared), baseline.rows([row_of[variant.keys[row]] for row in shared]), True)


_UNCERTAINTY = [
    *("variant", "accuracy_percent", "low_test_percent", "high_test_percent"),
    *("sd_seeds_points", "variance_distribution", "sd_distribution_points", "low_distribution_points"),
    *("high_distribution_points", "se_test_points"),
    *("difference_points", "low_test_points", "high_test_points", "low_both_points", "high_both_points"),
]


def _uncertainty_row(name: str, variant: VariantOutputs, pair: _Pair | None) -> dict[str, object]:
    images, seeds = uncertainty.between_test_sets(variant.right), uncertainty.between_seeds(variant.right)
    row = {
        "variant": name,
        "accuracy_percent": images.accuracy_percent,
        "low_test_percent": images.low_percent,
        "high_test_percent": images.high_percent,
        "sd_seeds_points": seeds.sd_points,
        "variance_distribution": seeds.variance_distribution,
        "sd_distribution_points": seeds.sd_distribution_points,
        "low_distribution_points": seeds.low_distribution_points,
        "high_distribution_points": seeds.high_distribution_points,
        "se_test_points": images.error_points,
    }
    if pair is None:
        return row
    difference = uncertainty.difference(pair.variant.right, pair.baseline.right, pair.paired)
    return row | {
        "difference_points": difference.points,
        **{f"{name}_points": getattr(difference, name) for name in ("low_test", "high_test", "low_both", "high_both")},
    }


def _per_class_frame(
    outputs: Mapping[str, VariantOutputs], pairs: Mapping[str, _Pair], classes: Sequence[str]
) -> pd.DataFrame:
    columns = ["variant", "label", "images", "accuracy_percent", "difference_points", "low_points", "high_points"]
    rows = []
    for name, variant in outputs.items():
        order = np.argsort(variant.labels, kind="stable")
        edges = np.searchsorted(variant.labels, np.arange(len(classes) + 1), sorter=order)
        present = int((np.diff(edges) > 0).sum())
        alpha = ALPHA / (present * max(1, len(pairs)))
        pair, right = pairs.get(name), variant.right[:, order]
        for label, start, end in zip(classes, edges, edges[1:], strict=False):
            row = dict.fromkeys(columns, float("nan")) | {"variant": name, "label": label, "images": end - start}
            if end > start:
                row["accuracy_percent"] = 100 * float(right[:, start:end].mean())
            if end > start and pair:
                images = order[start:end]
                ours, theirs = pair.variant.right[:, images], pair.baseline.right[:, images]
                difference = uncertainty.difference(ours, theirs, pair.paired, alpha)
                row |= {
                    "difference_points": difference.points,
                    "low_points": difference.low_both,
                    "high_points": difference.high_both,
                }
            rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _churn_row(variant: VariantOutputs, baseline: VariantOutputs) -> dict[str, float]:
    percent = churn(variant.predicted, baseline.predicted, variant.keys, baseline.keys)
    floor = (variant.floor + baseline.floor) / 2
    return {"churn_percent": percent, "floor_percent": floor, "excess_points": percent - floor}


_CALIBRATION = [
    "variant",
    *(f"{what}_{of}" for what in ("ece_percent", "top5_percent", "nll") for of in ("mean", "sd")),
]


def _calibration_row(variant: VariantOutputs) -> dict[str, float]:
    row = {}
    for field in Calibration._fields:
        row[f"{field}_mean"], row[f"{field}_sd"], _ = descriptive.summary(
            [getattr(each, field) for each in variant.calibrations]
        )
    return row


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


def _flips(name: str, pair: _Pair, classes: Sequence[str]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of ``flips`` and of ``flip_counts`` of one variant."""
    ours, theirs = pair.variant, pair.baseline
    gap = ours.margins.mean(0) - theirs.margins.mean(0)
    by_direction = {
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
        for direction, flipped in by_direction.items()
        for image, p in zip(flipped.image, flipped.p, strict=True)
    ]
    counts = [
        dict(zip(_FLIP_COUNTS, (name, direction, *_last(flipped)), strict=True))
        for direction, flipped in by_direction.items()
    ]
    return rows, counts


def _last(flipped: Flips) -> Iterator[float]:
    yield float(flipped.p[-1]) if len(flipped.p) else float("nan")
    yield from flipped[2:]


def _commonest(predicted: NDArray[np.integer]) -> int:
    """Among equally common classes the lowest."""
    return int(np.bincount(predicted).argmax())
