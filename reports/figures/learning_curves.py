"""Learning curves: test accuracy against step, in one set of axes or a panel for each training."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from reports.figures.curve_data import Curve, TrainingCurves, kinds, kinds_of, training_curves
from reports.figures.rendering import new_figure
from reports.figures.style import (
    BLACK,
    BLUE,
    COLORS,
    DARK,
    GREY,
    GRID,
    REST,
    WIDTH_INCHES,
    hide_upper_frame,
    style_axes,
)
from reports.store.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

TOGETHER = 6  # trainings that one set of axes can show; more get a panel each
MOST_PANELS = 12  # trainings; of more, the best stand out among the others in grey
BEST = 5
PANEL_COLUMNS = 3
PANEL_INCHES = 1.75  # from one row of panels to the next
PANEL_LEFT = 0.62  # inches
CLOSE_UP_POINTS = 3  # evaluations in the last half of the steps, from which on a close-up shows something
LineStyle = Literal["-", "--", ":", "-."]
LINE_STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")  # of the kinds of curves, the main one first


def learning_curves(sweep: Sweep) -> Figure | None:
    """Test accuracy against step: mean over seeds, and a band from the lowest seed to the highest.

    Up to ``TOGETHER`` trainings share the axes, with a close-up of the last half beside them; more get a panel each,
    with the baseline in grey behind; of more than ``MOST_PANELS`` the baseline and the ``BEST`` at the end stand out
    among the others. Only runs with a result are drawn, at the steps that all of a variant's have. None when there is no
    curve.
    """
    trainings = training_curves(sweep)
    if not trainings:
        return None
    styles = _line_styles(kinds_of(trainings))
    if len(trainings) > MOST_PANELS:
        return _best_among_others(trainings)
    if len(trainings) > TOGETHER:
        return _in_panels(trainings, styles)
    drawn = [_Drawn(training, color) for training, color in zip(trainings, COLORS, strict=False)]
    entries = [(training.label, color) for training, color in drawn]
    return _together(drawn, styles, _legend_handles(entries, styles, _has_spread(trainings)))


# --- one set of axes ---------------------------------------------------------------------------------------------


class _Drawn(NamedTuple):
    training: TrainingCurves
    color: str


def _best_among_others(trainings: list[TrainingCurves]) -> Figure:
    """One kind of curve of each: means only, the best last, so that they lie above."""
    main = kinds_of(trainings)[0]
    known = [
        TrainingCurves(each.label, each.is_baseline, {main: each.curves[main]})
        for each in trainings
        if main in each.curves
    ]
    others = sorted((each for each in known if not each.is_baseline), key=lambda each: each.curves[main].mean[-1])
    best = others[-BEST:][::-1]
    colors = [each for each in COLORS if each != BLACK]
    baseline = [_Drawn(each, BLACK) for each in known if each.is_baseline]
    entries = [(f"baseline: {each.training.label}", BLACK) for each in baseline]
    entries += [(each.label, color) for each, color in zip(best, colors, strict=False)]
    rest = [_Drawn(each, REST) for each in others[:-BEST]]
    entries += [(f"the other {len(rest)} variants", REST)] if rest else []
    drawn = [*rest, *(_Drawn(each, color) for each, color in zip(best, colors, strict=False)), *baseline]
    styles = _line_styles([main])
    return _together(
        drawn, styles, _legend_handles(entries, styles, band=False, line=f"mean over seeds, {main}"), band=False
    )


def _together(drawn: list[_Drawn], styles: dict[str, LineStyle], handles: list[Artist], band: bool = True) -> Figure:
    figure = new_figure(4.4, layout="constrained")
    trainings = [each.training for each in drawn]
    close_up = _close_up(trainings)
    panels = [*figure.subplots(1, 2, width_ratios=(3, 2))] if close_up else [figure.add_subplot()]
    x_limits, y_limits = _limits(trainings)
    for axes in panels:
        for training, color in drawn:
            _draw(axes, training, color, styles, band)
        axes.set(xlim=x_limits, ylim=y_limits)
        _style_steps(axes)
        axes.set_xlabel("step", fontsize=9)
    panels[0].set_ylabel("test accuracy, %", fontsize=9)
    if close_up:
        panels[1].set(xlim=(close_up.start, close_up.end), ylim=(close_up.low, close_up.high))
        panels[1].set_title("the last half, closer", fontsize=8, loc="left")
    _legend(figure, handles, outside=True)
    return figure


class _CloseUp(NamedTuple):
    """First and last step, lowest and highest accuracy."""

    start: float
    end: float
    low: float
    high: float


def _close_up(trainings: list[TrainingCurves]) -> _CloseUp | None:
    """Limits of the last half of the steps; None where that shows no more than the whole.

    The lower limit is that of the middle of each curve and not of its bands, so that one bad seed does not flatten it.
    """
    curves = _all_curves(trainings)
    end = max(int(curve.step[-1]) for curve in curves)
    late = [curve for curve in curves if (curve.step >= end / 2).sum() >= CLOSE_UP_POINTS]
    if not late:
        return None
    low = min(curve.mean[curve.step >= end / 2].min() for curve in late)
    high = max(curve.high[curve.step >= end / 2].max() for curve in late)
    if high - low > 0.6 * (max(curve.high.max() for curve in curves) - min(curve.low.min() for curve in curves)):
        return None
    margin = max(0.05 * (high - low), 0.05)
    return _CloseUp(end / 2, end * 1.01, low - margin, high + margin)


def _style_steps(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    style_axes(axes)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(_step_locator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


# --- a panel for each training -----------------------------------------------------------------------------------


def _in_panels(trainings: list[TrainingCurves], styles: dict[str, LineStyle]) -> Figure:
    """Positions and limits are set here: matplotlib finds them too, and takes a minute where there are many panels."""
    rows = -(-len(trainings) // PANEL_COLUMNS)
    baseline = next((training for training in trainings if training.is_baseline), None)
    entries = [("the panel's variant", BLUE)]
    entries += [(f"baseline: {baseline.label}", GREY)] if baseline is not None else []
    handles = _legend_handles(entries, styles, _has_spread(trainings))
    below = 0.55 + 0.19 * -(-len(handles) // _legend_columns(handles))
    figure = new_figure(PANEL_INCHES * rows + below)
    height = figure.get_figheight()
    width = (WIDTH_INCHES - PANEL_LEFT - 0.1) / PANEL_COLUMNS
    x_limits, y_limits = _limits(trainings)
    for index, training in enumerate(trainings):
        row, column = divmod(index, PANEL_COLUMNS)
        bottom = below + PANEL_INCHES * (rows - row - 1)
        corner = (PANEL_LEFT + width * column) / WIDTH_INCHES, bottom / height
        size = (width - 0.2) / WIDTH_INCHES, (PANEL_INCHES - 0.4) / height
        axes = figure.add_axes((*corner, *size), xlim=x_limits, ylim=y_limits)
        _draw_panel(axes, training, baseline, styles)
        _style_panel(axes, is_lowest=index + PANEL_COLUMNS >= len(trainings), is_first=column == 0)
    _legend(figure, handles)
    return figure


def _draw_panel(
    axes: Axes, training: TrainingCurves, baseline: TrainingCurves | None, styles: dict[str, LineStyle]
) -> None:
    if baseline is not None and training is not baseline:
        _draw(axes, baseline, GREY, styles, band=False)
    _draw(axes, training, BLACK if training is baseline else BLUE, styles)
    title = f"{training.label} (baseline)" if training is baseline else training.label
    wrapped = "\n".join(textwrap.wrap(title, 30)[:2])
    axes.set_title(wrapped, fontsize=8, loc="left", parse_math=False, y=1.02, linespacing=1.05)


def _style_panel(axes: Axes, is_lowest: bool, is_first: bool) -> None:
    """A grid, with numbers and axis labels at the left and the lower edge of the panels only. The grid is one thing to draw:
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
    hide_upper_frame(axes)


# --- both --------------------------------------------------------------------------------------------------------


def _line_styles(drawn: list[str]) -> dict[str, LineStyle]:
    """Kind -> line style; the only kind is solid, whichever it is."""
    if len(drawn) == 1:
        return {drawn[0]: "-"}
    styles = dict(zip(kinds().values(), itertools.cycle(LINE_STYLES), strict=False))
    return {kind: styles.get(kind, "-") for kind in drawn}


def _all_curves(trainings: list[TrainingCurves]) -> list[Curve]:
    return [curve for training in trainings for curve in training.curves.values()]


def _has_spread(trainings: list[TrainingCurves]) -> bool:
    """Whether there is a band to see anywhere: more than one seed."""
    return any(curve.has_spread for curve in _all_curves(trainings))


def _limits(trainings: list[TrainingCurves]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of the steps and of the accuracies, with a margin."""
    curves = _all_curves(trainings)
    steps = min(curve.step[0] for curve in curves), max(curve.step[-1] for curve in curves)
    accuracies = min(curve.low.min() for curve in curves), max(curve.high.max() for curve in curves)
    return _with_margin(*steps), _with_margin(*accuracies)


def _with_margin(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _step_locator(most_ticks: int) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most_ticks, integer=True, steps=[1, 2, 5, 10])


def _draw(axes: Axes, training: TrainingCurves, color: str, styles: dict[str, LineStyle], band: bool = True) -> None:
    from matplotlib.collections import PolyCollection

    for kind, curve in training.curves.items():
        style = styles[kind]
        marker = "o" if len(curve.step) == 1 else None
        width = 0.7 if color == REST else 1.6 if style == "-" else 1.1
        axes.plot(curve.step, curve.mean, style, color=color, linewidth=width, marker=marker, markersize=4)
        if band and curve.has_spread:
            there, back = np.column_stack([curve.step, curve.low]), np.column_stack([curve.step, curve.high])[::-1]
            area = PolyCollection([np.vstack([there, back])], color=color, alpha=0.15, linewidth=0)
            axes.add_collection(area, autolim=False)


def _legend_handles(
    entries: list[tuple[str, str]], styles: dict[str, LineStyle], band: bool, line: str = ""
) -> list[Artist]:
    """The colours, then the line styles where there is more than one, then the band, or what the only ``line`` is."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = list(styles)
    handles: list[Artist] = [Line2D([], [], color=color, linewidth=2, label=label) for label, color in entries]
    if len(kinds) > 1:
        handles += [Line2D([], [], color=DARK, linestyle=styles[kind], label=kind) for kind in kinds]
    if line:
        handles.append(Line2D([], [], color="none", label=line))
    elif band:
        mean = "mean" if len(kinds) > 1 else f"mean, {kinds[0]}"
        handles.append(Patch(color=DARK, alpha=0.15, linewidth=0, label=f"band: lowest to highest seed (line: {mean})"))
    elif len(kinds) == 1:
        handles.append(Line2D([], [], color="none", label=f"one seed, {kinds[0]}"))
    return handles


def _legend_columns(handles: list[Artist]) -> int:
    return 1 if max(len(str(handle.get_label())) for handle in handles) > 54 else 2


def _legend(figure: Figure, handles: list[Artist], outside: bool = False) -> None:
    """Under the axes; ``outside`` where a layout engine makes room for it."""
    legend = figure.legend(
        handles=handles,
        loc="outside lower center" if outside else "lower center",
        ncols=_legend_columns(handles),
        fontsize=8,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
