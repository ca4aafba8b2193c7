"""The metrics that reports show: each is named, scaled and formatted here and nowhere else.

A metric of your own is in every table, an axis if it is a cost, and in comparisons of two runs, once it is registered.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from zoo.measure import readouts


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


class Kind(StrEnum):
    ACCURACY = "accuracy"  # a fraction in MLflow, percent in reports
    COUNT = "count"  # exact, and the same for every seed of a variant
    TIME = "time"  # measured: small differences are noise
    SIZE = "size"  # of a file
    OTHER = "other"  # measured


@dataclass(frozen=True)
class Metric:
    """A number that a run has once."""

    name: str  # the column of the frames, with the unit in it: "train_s"
    key: str  # MLflow's: "cost/train_s"
    label: str  # in a sentence: "training time"
    unit: str  # "%", "ms", "s", "bytes"; "" of a count
    better: Better
    format: Callable[[float], str]  # rounded for reading: "12.5 min"; without the unit, unless it ``has_unit``
    kind: Kind = Kind.OTHER
    has_unit: bool = False  # ``format`` chooses the unit and writes it
    title: str = ""  # written out, where there is room: "multiply-adds"; else the label
    heading: str = ""  # of a column in the tables of variants, without the unit; else the label
    statistic: str = ""  # that summarises repeated measurements: "median"
    in_brackets: str = ""  # the name of a metric that tables show behind it: another statistic of the same measurements
    activity: str = ""  # what takes the time, for "training takes 1.2 times as long"; else the label
    meaning: str = ""  # one sentence for the glossary
    in_table: bool = False  # a column of the tables of variants
    in_paper: bool = False  # a column of the LaTeX table
    in_variants: bool = True  # a column of the frame of variants, and not of that of runs only
    is_cost: bool = False  # a price that accuracy is weighed against
    rounds: str = ""  # of a cost that is measured of networks, in rounds with the others: the format that was timed
    axis: str = ""  # of a cost: the name of its axis on the command line; else the name
    axis_label: str = ""  # what the axis is called in a picture; else title and unit
    published: str = ""  # of a cost: its column in files of published figures

    def __post_init__(self) -> None:
        if self.is_cost and self.better is not Better.LOWER:
            raise ValueError(f"{self.name} is a cost, so lower is better")

    def from_store(self, value: float | None) -> float:
        """MLflow's value in the unit of the reports; nan for one that is absent or infinite (1.8e308 in a database)."""
        if value is None or not abs(value) < 1e308:
            return math.nan
        return 100 * float(value) if self.kind is Kind.ACCURACY else float(value)

    def text(self, value: float) -> str:
        """With its unit: "0.8 ms"."""
        return self.format(value) if self.has_unit or not self.unit else f"{self.format(value)} {self.unit}"

    @property
    def is_measured(self) -> bool:
        """Whether it has a spread, so that two of its values differ by chance; counts and sizes are exact."""
        return self.kind in (Kind.TIME, Kind.OTHER)

    @property
    def noun(self) -> str:
        """What it is called by itself: "multiply-adds", "training time"."""
        return self.full_title if self.kind is Kind.COUNT else self.label

    @property
    def term(self) -> str:
        """Written out, and as tables have it: "multiply-adds (MACs)"."""
        return self.noun if self.noun == self.label else f"{self.noun} ({self.label})"

    @property
    def full_title(self) -> str:
        return self.title or self.label

    @property
    def column_heading(self) -> str:
        """Above values as ``format`` writes them: "latency, ms"."""
        heading = self.heading or self.label
        return heading if self.has_unit or not self.unit else f"{heading}, {self.unit}"

    @property
    def full_heading(self) -> str:
        """Above numbers without a unit: "latency, ms (median)"."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.full_title}{unit}{f' ({self.statistic})' if self.statistic else ''}"

    @property
    def axis_name(self) -> str:
        return self.axis or self.name


@dataclass(frozen=True)
class MetricFamily:
    """Metrics whose names have a part that is not known beforehand, such as an export format.

    ``key`` and ``name`` are regular expressions with the same named groups, which ``metric`` takes as keyword arguments.
    """

    key: str
    name: str
    metric: Callable[..., Metric]
    axis: str = ""  # that its costs share: the format that most variants have is drawn
    axis_label: str = ""
    published: str = ""

    def find(self, text: str, pattern: str) -> Metric | None:
        match = re.fullmatch(pattern, text)
        return self.metric(**match.groupdict()) if match else None


METRICS: dict[str, Metric] = {}  # by name, in the order in which reports show them
FAMILIES: list[MetricFamily] = []


def register_metric(metric: Metric) -> Metric:
    """Make reports show it.

    Raises:
        ValueError: its name or its key is taken.
    """
    for known in METRICS.values():
        if metric.name == known.name or metric.key == known.key:
            raise ValueError(f"there is a metric {known.name} already, from {known.key}")
    METRICS[metric.name] = metric
    return metric


def of_key(key: str) -> Metric | None:
    """The metric that MLflow has under this name; None for one that reports do not show."""
    registered = next((metric for metric in METRICS.values() if metric.key == key), None)
    return registered or next(filter(None, (family.find(key, family.key) for family in FAMILIES)), None)


def of_name(name: str) -> Metric | None:
    """The metric of a column; None where the column is something else."""
    return METRICS.get(name) or next(filter(None, (family.find(name, family.name) for family in FAMILIES)), None)


def of_kind(*kinds: Kind) -> list[Metric]:
    """The registered ones."""
    return [metric for metric in METRICS.values() if metric.kind in kinds]


def among(names: Iterable[str]) -> list[Metric]:
    """The metrics among the columns of a frame: the registered ones in their order, then those of the families."""
    there = list(names)
    registered = [metric for metric in METRICS.values() if metric.name in there]
    others = (of_name(name) for name in there if name not in METRICS)
    return registered + [metric for metric in others if metric is not None]


# --- how values are written --------------------------------------------------------------------------------------


def count(value: float) -> str:
    """``1,068,298``"""
    return f"{int(value):,}"


def duration(seconds: float) -> str:
    """``42 s``, ``12.5 min`` or ``3.2 h``."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def file_size(value: float) -> str:
    """``500 B``, ``20 kB``, ``1.5 MB``, in powers of 1000."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.3g} {letters}"
    return f"{value:.0f} B"


# --- what there is -----------------------------------------------------------------------------------------------


def _accuracy(name: str, key: str, label: str) -> Metric:
    return Metric(name, key, label, "%", Better.HIGHER, "{:.2f}".format, Kind.ACCURACY)


def _evaluated(evaluation: str) -> Metric:
    """The accuracy of one evaluation of the training, whether or not the run reports it as its test accuracy."""
    labels = {each.name: each.label for each in readouts.evaluations()}
    return _accuracy(
        f"accuracy_{evaluation}_percent", f"test/accuracy_{evaluation}", labels.get(evaluation, evaluation)
    )


def _count(name: str, label: str, title: str, per: str, meaning: str) -> Metric:
    return Metric(
        *(name, f"cost/{name}", label, "", Better.LOWER, count, Kind.COUNT),
        title=title,
        meaning=meaning,
        in_table=True,
        is_cost=True,
        axis_label=f"{title}{per}",
        published=name,
    )


def _latency(format: str, rank: str) -> Metric:
    """Of one image, by the function or file of that format; a percentile of many calls."""
    is_median = rank == "p50"
    return Metric(
        name=f"latency_{format}_{rank}_ms",
        key=f"latency_ms/{format}_{rank}",
        label=f"latency ({format.replace('_', ' ')})",
        unit="ms",
        better=Better.LOWER,
        format="{:.3g}".format,
        kind=Kind.TIME,
        title=f"{format} {rank}",
        activity=f"one image ({format.replace('_', ' ')})",
        in_variants=is_median,
        is_cost=is_median,
        rounds=format if is_median else "",
    )


def _size(format: str) -> Metric:
    return Metric(
        name=f"size_{format}_bytes",
        key=f"size/{format}_bytes",
        label=f"{format.replace('_', ' ')} file".strip(),
        unit="bytes",
        better=Better.LOWER,
        format=file_size,
        kind=Kind.SIZE,
        has_unit=True,
        title=f"{format} size",
        is_cost=True,
    )


def _compiled(rank: str, statistic: str) -> Metric:
    """The latency of the compiled function, which every run has."""
    return replace(_latency("tf", rank), label="latency", title="latency", activity="one image", statistic=statistic)


def _shown() -> Iterator[Metric]:
    yield _accuracy("accuracy_percent", "test/accuracy", "test accuracy")
    yield from (_evaluated(each.name) for each in readouts.evaluations())
    yield _accuracy("top5_percent", "test/top5", "top 5")
    trained = "Trained numbers in the network; their count decides its size in memory."
    yield replace(_count("params", "parameters", "parameters", "", trained), in_paper=True)
    layers = "Of convolution and dense layers, to classify one image."
    yield replace(_count("macs", "MACs", "multiply-adds", ", one image", layers), in_paper=True)
    yield _count("ops", "ops", "operations", ", one image", "The models' source's own count of the work for one image.")
    yield Metric(
        *("train_s", "cost/train_s", "training time", "s", Better.LOWER, duration, Kind.TIME),
        has_unit=True,
        title="training",
        heading="training",
        activity="training",
        meaning="Of one run, mean over the seeds.",
        in_table=True,
        in_paper=True,
        is_cost=True,
        axis_label="training time of one run",
    )
    yield replace(
        _compiled("p50", "median"),
        meaning="Time to classify one image: the compiled function, one thread, median over many calls.",
        in_table=True,
        in_paper=True,
        in_brackets="latency_tf_p90_ms",
        axis="latency",
        axis_label="latency of one image, ms (median)",
        published="latency_ms",
    )
    yield replace(_compiled("p90", "p90"), in_variants=True)
    yield _compiled("p99", "p99")


for _metric in _shown():
    register_metric(_metric)
FAMILIES += [
    MetricFamily(r"test/accuracy_(?P<evaluation>.+)", r"accuracy_(?P<evaluation>.+)_percent", _evaluated),
    MetricFamily(r"latency_ms/(?P<format>.+)_(?P<rank>p\d+)", r"latency_(?P<format>.+)_(?P<rank>p\d+)_ms", _latency),
    MetricFamily(
        *(r"size/(?P<format>.+)_bytes", r"size_(?P<format>.+)_bytes", _size),
        axis="bytes",
        axis_label="size of the file",
        published="bytes",
    ),
]
