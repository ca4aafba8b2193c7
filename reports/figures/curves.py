"""Learning curves: test accuracy against step, over the seeds of each variant."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from reports.figures.canvas import BLACK, BLUE, COLORS, DARK, GREY, GRID, WIDTH_INCHES, blank, dress, shortened
from reports.store.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

TOGETHER = 6  # trainings that one set of axes can show; more get a panel each
PANEL_COLUMNS = 3
PANEL_INCHES = 1.75  # from one row of panels to the next
PANEL_LEFT = 0.62  # inches
TITLE_LENGTH = 58  # characters of a variant's name: two lines over a panel, or a line of the legend
CLOSE_UP_POINTS = 3  # evaluations in the last half of the steps, from which on a close-up shows something

KINDS = {"test/accuracy_ema": "averaged weights", "test/accuracy_raw": "raw weights"}
STYLES = {"averaged weights": "-", "raw weights": "--", "test accuracy": "-"}


class Curve(NamedTuple):
    """Test accuracy in percent at each step: mean, lowest and highest over the seeds, each [points]."""

    step: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Learner(NamedTuple):
    """One training, repeated: its label (variants that share it joined) and its curves by kind."""

    label: str
    baseline: bool
    curves: dict[str, Curve]  # keys of STYLES; "test accuracy" where neither of the other two was recorded


def learning_curves(sweep: Sweep) -> Figure | None:
    """Test accuracy against step: mean over seeds, and a band from the lowest seed to the highest.

    Up to ``TOGETHER`` trainings share the axes, with a close-up of the last half beside them; more get a panel each,
    with the baseline in grey behind. Only runs with a result are drawn, at the steps that all of a variant's have.
    None when there is no curve.
    """
    learners = trainings(sweep)
    if not learners:
        return None
    kinds = [kind for kind in STYLES if any(kind in learner.curves for learner in learners)]
    return _together(learners, kinds) if len(learners) <= TOGETHER else _in_panels(learners, kinds)


def trainings(sweep: Sweep) -> list[Learner]:
    """What there is to draw, in the question's order: variants that are readouts of the same runs are joined."""
    groups: dict[Any, list[str]] = {}
    results = dict(iter(sweep.results().groupby("variant", sort=False)))
    for name in sweep.variants:
        if name in results:
            keys = frozenset(results[name]["run_key"]) - {""} or frozenset(results[name]["run_id"])
            groups.setdefault(keys, []).append(name)
    metrics = sweep.histories["metric"]
    tables = {
        metric: sweep.histories[metrics == metric].pivot(index="step", columns="run_id", values="value").sort_index()
        for metric in (*KINDS, "test/accuracy")
    }
    learners = []
    for names in groups.values():
        candidates = [_curves(tables, results[name]["run_id"]) for name in names]
        # A readout at fewer steps has a shorter part of the same.
        curves = max(candidates, key=lambda found: max((curve.step[-1] for curve in found.values()), default=-1))
        if curves:
            label = " | ".join(shortened(name, TITLE_LENGTH) for name in names)
            learners.append(Learner(label, sweep.baseline in names, curves))
    return learners


def _curves(tables: Mapping[str, pd.DataFrame], run_ids: pd.Series) -> dict[str, Curve]:
    """Of these runs; ``tables`` has for each metric its values (fractions) by step and run."""

    def of(metric: str) -> Curve | None:
        table = tables[metric]
        values = table[[run_id for run_id in run_ids if run_id in table]].dropna()
        percent = 100 * values.to_numpy(np.float64)
        if not percent.size:
            return None
        return Curve(values.index.to_numpy(), percent.mean(axis=1), percent.min(axis=1), percent.max(axis=1))

    found = {kind: curve for metric, kind in KINDS.items() if (curve := of(metric)) is not None}
    if not found and (only := of("test/accuracy")) is not None:
        found = {"test accuracy": only}
    return found


def _together(learners: list[Learner], kinds: list[str]) -> Figure:
    figure = blank(4.4, layout="constrained")
    close_up = _close_up(learners)
    panels = figure.subplots(1, 2, squeeze=False, width_ratios=(3, 2)) if close_up else [[figure.add_subplot()]]
    for axes in panels[0]:
        for place, learner in enumerate(learners):
            _draw(axes, learner, COLORS[place], kinds)
        axes.set(**_limits(learners))
        _dress_steps(axes)
        axes.set_xlabel("step", fontsize=9)
    panels[0][0].set_ylabel("test accuracy, %", fontsize=9)
    if close_up:
        start, end, low, high = close_up
        panels[0][1].set(xlim=(start, end), ylim=(low, high))
        panels[0][1].set_title("the last half, closer", fontsize=8, loc="left")
    entries = [(learner.label, COLORS[place]) for place, learner in enumerate(learners)]
    _legend(figure, _legend_handles(entries, kinds, _spread(learners)), outside=True)
    return figure


def _close_up(learners: list[Learner]) -> tuple[float, float, float, float] | None:
    """First and last step, lowest and highest accuracy of the last half; None where that shows no more than the whole.

    The lower limit is that of the middle of each curve and not of its bands, so that one bad seed does not flatten it.
    """
    curves = [curve for learner in learners for curve in learner.curves.values()]
    end = max(int(curve.step[-1]) for curve in curves)
    late = [curve for curve in curves if (curve.step >= end / 2).sum() >= CLOSE_UP_POINTS]
    if not late:
        return None
    low = min(curve.mean[curve.step >= end / 2].min() for curve in late)
    high = max(curve.high[curve.step >= end / 2].max() for curve in late)
    if high - low > 0.6 * (max(curve.high.max() for curve in curves) - min(curve.low.min() for curve in curves)):
        return None
    margin = max(0.05 * (high - low), 0.05)
    return end / 2, end * 1.01, low - margin, high + margin


def _in_panels(learners: list[Learner], kinds: list[str]) -> Figure:
    """Places and limits are set here: matplotlib finds them too, and takes a minute where there are many panels."""
    rows = -(-len(learners) // PANEL_COLUMNS)
    baseline = next((learner for learner in learners if learner.baseline), None)
    entries = [("the panel's variant", BLUE)]
    entries += [(f"baseline: {baseline.label}", GREY)] if baseline is not None else []
    handles = _legend_handles(entries, kinds, _spread(learners))
    below = 0.55 + 0.19 * -(-len(handles) // _legend_columns(handles))
    figure = blank(PANEL_INCHES * rows + below)
    height = figure.get_figheight()
    width = (WIDTH_INCHES - PANEL_LEFT - 0.1) / PANEL_COLUMNS
    limits = _limits(learners)
    for place, learner in enumerate(learners):
        row, column = divmod(place, PANEL_COLUMNS)
        low = below + PANEL_INCHES * (rows - row - 1)
        corner = (PANEL_LEFT + width * column) / WIDTH_INCHES, low / height
        axes = figure.add_axes((*corner, (width - 0.2) / WIDTH_INCHES, (PANEL_INCHES - 0.4) / height), **limits)
        if baseline is not None and learner is not baseline:
            _draw(axes, baseline, GREY, kinds, band=False)
        _draw(axes, learner, BLACK if learner is baseline else BLUE, kinds)
        title = f"{learner.label} (baseline)" if learner is baseline else learner.label
        wrapped = "\n".join(textwrap.wrap(title, 30)[:2])
        axes.set_title(wrapped, fontsize=8, loc="left", parse_math=False, y=1.02, linespacing=1.05)
        _dress_panel(axes, is_lowest=place + PANEL_COLUMNS >= len(learners), is_first=column == 0)
    _legend(figure, handles)
    return figure


def _limits(learners: list[Learner]) -> dict[str, tuple[float, float]]:
    """Of the axes, with a margin."""
    curves = [curve for learner in learners for curve in learner.curves.values()]
    ends = [
        (min(curve.step[0] for curve in curves), max(curve.step[-1] for curve in curves)),
        (min(curve.low.min() for curve in curves), max(curve.high.max() for curve in curves)),
    ]
    margins = [0.05 * (high - low) or 0.5 for low, high in ends]
    return {
        name: (low - margin, high + margin)
        for name, (low, high), margin in zip(("xlim", "ylim"), ends, margins, strict=True)
    }


def _dress_panel(axes: Axes, is_lowest: bool, is_first: bool) -> None:
    """A grid, with numbers and words at the left and the lower edge of the panels only. The grid is one thing to draw:
    matplotlib's own has five for every line of it."""
    from matplotlib.collections import LineCollection

    across, up = axes.get_xlim(), axes.get_ylim()
    steps, accuracies = (
        [tick for tick in locator.tick_values(*ends) if ends[0] <= tick <= ends[1]]
        for locator, ends in ((_step_locator(4), across), (_step_locator(5), up))
    )
    lines = [((step, up[0]), (step, up[1])) for step in steps] + [((across[0], y), (across[1], y)) for y in accuracies]
    axes.add_collection(LineCollection(lines, colors=GRID, linewidths=0.6, zorder=0.5), autolim=False)
    axes.set_xticks(steps if is_lowest else [], [f"{step:,.0f}" for step in steps] if is_lowest else [])
    axes.set_yticks(accuracies if is_first else [])
    axes.tick_params(labelsize=8)
    if is_lowest:
        axes.set_xlabel("step", fontsize=8)
    if is_first:
        axes.set_ylabel("test accuracy, %", fontsize=8)
    axes.xaxis.set_label_coords(0.5, -0.2)
    axes.yaxis.set_label_coords(-0.19, 0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _step_locator(most_ticks: int) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most_ticks, integer=True, steps=(1, 2, 5, 10))


def _dress_steps(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    dress(axes)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(_step_locator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _draw(axes: Axes, learner: Learner, color: str, kinds: list[str], band: bool = True) -> None:
    from matplotlib.collections import PolyCollection

    for kind, curve in learner.curves.items():
        style = STYLES[kind] if len(kinds) > 1 else "-"
        marker = "o" if len(curve.step) == 1 else None
        width = 1.6 if style == "-" else 1.1
        axes.plot(curve.step, curve.mean, style, color=color, linewidth=width, marker=marker, markersize=4)
        if band and (curve.high > curve.low).any():
            there, back = np.column_stack([curve.step, curve.low]), np.column_stack([curve.step, curve.high])[::-1]
            area = PolyCollection([np.vstack([there, back])], color=color, alpha=0.15, linewidth=0)
            axes.add_collection(area, autolim=False)


def _spread(learners: list[Learner]) -> bool:
    """Whether there is a band to see anywhere: more than one seed."""
    return any((curve.high > curve.low).any() for learner in learners for curve in learner.curves.values())


def _legend_handles(entries: list[tuple[str, str]], kinds: list[str], band: bool) -> list[Any]:
    """The colours, then the line styles where there is more than one, then the band."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=color, linewidth=2, label=label) for label, color in entries]
    if len(kinds) > 1:
        handles += [Line2D([], [], color=DARK, linestyle=STYLES[kind], label=kind) for kind in kinds]
    if band:
        mean = "mean" if len(kinds) > 1 else f"mean, {kinds[0]}"
        handles.append(Patch(color=DARK, alpha=0.15, linewidth=0, label=f"band: lowest to highest seed (line: {mean})"))
    elif len(kinds) == 1:
        handles.append(Line2D([], [], color="none", label=f"one seed, {kinds[0]}"))
    return handles


def _legend_columns(handles: list[Any]) -> int:
    return 1 if max(len(handle.get_label()) for handle in handles) > 54 else 2


def _legend(figure: Figure, handles: list[Any], outside: bool = False) -> None:
    """Under the axes; ``outside`` where a layout engine makes room for it."""
    place = "outside lower center" if outside else "lower center"
    legend = figure.legend(handles=handles, loc=place, ncols=_legend_columns(handles), fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
