"""What the analysis of a sweep found, for the report's formats to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import pandas as pd

from reports.store.sweep import Sweep
from zoo.stats.verdicts import VerdictWord


class Headline(NamedTuple):
    """The verdict on one compared variant, for somebody in a hurry."""

    variant: str
    word: VerdictWord
    sentence: str
    advice: str  # what to do


class Alert(NamedTuple):
    """What stands above everything, in red: a sentence about failures, variants that learned nothing, the design."""

    word: str  # that of the verdict, or what is wrong
    variants: tuple[str, ...]
    sentence: str


class CautionKind(StrEnum):
    """What a careful reader should be told, in this order."""

    SELECTION = "selection"  # the best of several was picked on the test set
    EXAGGERATION = "exaggeration"  # what was found is smaller than it looks
    SPREADS = "spreads"  # they are not equal


class Caution(NamedTuple):
    kind: CautionKind
    sentence: str


@dataclass(frozen=True, eq=False)
class Details:
    """Everything beside the table of variants; what is left out is left out of the report.

    The frames' columns are listed beside them; more may be there, and every value may be nan.
    """

    alerts: Sequence[Alert] = ()  # above everything
    headlines: Sequence[Headline] = ()
    cautions: Sequence[Caution] = ()
    per_class: pd.DataFrame | None = None  # variant label images accuracy_percent difference_points low_ high_points
    churn: pd.DataFrame | None = None  # variant churn_percent floor_percent excess_points
    # variant, and mean and sd of ece_percent, top5_percent, nll
    calibration: pd.DataFrame | None = None
    # variant image label baseline_right variant_right (fractions of the seeds, 0 to 1) baseline_says variant_says
    flips: pd.DataFrame | None = None
    flip_counts: pd.DataFrame | None = None  # variant direction (gained, lost) images images_by_chance
    # variant accuracy_percent sd_seeds_points sd_distribution_points se_test_points difference_points
    # low_test_points high_test_points low_both_points high_both_points
    uncertainty: pd.DataFrame | None = None
    interactions: pd.DataFrame | None = (
        None  # kind factors levels difference_points low_ high_points p_adjusted sentence
    )
    parts: Sequence[PartOfAnswer] = ()  # where the variants are not all tested alike: each is answered by itself
    claims: pd.DataFrame | None = None  # claim source published ours verdict sentence
    front: pd.DataFrame | None = None  # variant, probability (0 to 1) of being on the Pareto front
    images: Mapping[int, bytes] = field(default_factory=dict)  # index in the test set -> PNG
    notes: Sequence[str] = ()  # sentences that belong to the answer
    run_links: Mapping[str, str] = field(default_factory=dict)  # run_id -> address or path
    provenance: Mapping[str, str] = field(default_factory=dict)  # name -> value: versions, machine, schedule


class PartOfAnswer(NamedTuple):
    """What can be said of variants that are tested alike, by themselves."""

    label: str  # "data digits"
    sweep: Sweep  # with these variants alone
    variants: pd.DataFrame
    details: Details
