"""The costs that accuracy can be drawn against: every metric that is a cost, and one for the sizes of exported files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zoo.measure.metrics import FAMILIES, METRICS, Kind, Metric, MetricFamily


@dataclass(frozen=True)
class CostAxis:
    """A cost that accuracy can be drawn against."""

    name: str
    label: str
    metric: Metric
    family: MetricFamily | None = None
    published: str = ""  # its column in files of published figures

    @property
    def noun(self) -> str:
        """What it is called by itself: "multiply-adds", "size of the file"."""
        return self.label if self.family else self.metric.noun

    def columns(self, names: Iterable[str]) -> list[str]:
        """Those of the frame's columns that may hold it."""
        if self.family is None:
            return [self.metric.name]
        return [name for name in names if re.fullmatch(self.family.name, name)]


def cost_axes() -> dict[str, CostAxis]:
    """By the name on the command line: those that are published too come first, counts before sizes before times."""
    axes = [
        CostAxis(metric.axis_name, metric.axis_label or metric.full_heading, metric, published=metric.published)
        for metric in METRICS.values()
        if metric.is_cost
    ]
    axes += [
        CostAxis(family.axis, family.axis_label, family.metric(format=""), family, family.published)
        for family in FAMILIES
        if family.axis
    ]
    order = (Kind.COUNT, Kind.SIZE, Kind.TIME, Kind.OTHER)
    axes.sort(key=lambda axis: (not axis.published, order.index(axis.metric.kind)))
    return {axis.name: axis for axis in axes}
