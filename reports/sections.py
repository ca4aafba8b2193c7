"""What each section of the page shows: one function a section, from what is given to a view for the macro of that name.

A function returns None where there is nothing to show. Numbers are rounded here and nowhere before; what a table sorts by
stays unrounded.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from reports import forest, inlined, tables, verdicts
from reports.cells import (
    Cell,
    Forest,
    Table,
    chance,
    drawn,
    estimate,
    figure,
    is_number,
    leading,
    number,
    plot,
    points,
    rows_of,
    sortable,
    words,
)
from reports.forest import Interval
from reports.glossary import TERMS
from reports.store import has_result
from reports.wording import listed

if TYPE_CHECKING:
    from reports.page import Given

MOST_CARDS = 3  # comparisons that are told in full; of more, each is a line with the rest folded in
WORDS = (verdicts.HELPS, verdicts.HURTS, verdicts.EQUIVALENT, verdicts.UNDECIDED, verdicts.NONE)  # in order of telling
COUNTED = {  # how many of the comparisons -> what the summary says of them: one, several
    verdicts.HELPS: ("helps", "help"),
    verdicts.HURTS: ("hurts", "hurt"),
    verdicts.EQUIVALENT: ("is equivalent", "are equivalent"),
    verdicts.UNDECIDED: ("is undecided", "are undecided"),
    verdicts.NONE: ("has no verdict yet", "have no verdict yet"),
}
ADVICE = {  # where nobody has given better
    verdicts.HELPS: "For accuracy, take it; see below what it costs.",
    verdicts.HURTS: "For accuracy, leave it.",
    verdicts.EQUIVALENT: "Choose by price: accuracy does not decide between the two.",
    verdicts.UNDECIDED: "Do not decide by these runs; train more seeds.",
    verdicts.NONE: "Train at least two seeds of each.",
}
AXES = {
    "params": "parameters",
    "macs": "multiply-adds",
    "ops": "operations",
    "bytes": "size of the file",
    "size_bytes": "size of the file",
    "latency": "latency",
    "train_s": "training time",
}
PRICES: dict[str, tuple[str, Callable[[Any], str]]] = {  # column -> what it is called, and how a value is written
    "params": ("parameters", tables.count),
    "macs": ("multiply-adds", tables.count),
    "ops": ("operations", tables.count),
    "train_s": ("training, one run", tables.duration),
}
SORTED_BY = {  # column of tables.HEADER -> column of the frame
    "test accuracy, %": "accuracy_percent_mean",
    "difference, points": "difference_points",
    "parameters": "params",
    "MACs": "macs",
    "ops": "ops",
    "training": "train_s",
    "latency, ms": "latency_tf_p50_ms",
}


# --- the answer --------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One comparison with the baseline."""

    variant: str
    word: str
    sentence: str
    advice: str
    sureness: str
    difference: str
    interval: str
    plot: Markup


def answer(given: Given) -> dict[str, Any]:
    sweep, frame = given.sweep, given.frame
    lines, scale = _lines(given)
    counts = [(word, sum(line.word == word for line in lines)) for word in WORDS]
    said = [f"{number} {COUNTED[word][number > 1]}" for word, number in counts if number]
    has_results = len(frame) > 0 and bool((frame["n"] > 0).any())
    design = [tables.detectable(frame), *tables.shared_trainings(sweep)] if has_results else []
    return {
        "lines": lines,
        "is_short": len(lines) > MOST_CARDS,
        "summary": f"Of {len(lines)} variants compared, {listed(said)}." if len(lines) > 1 else "",
        "baseline": sweep.baseline,
        "margin": sweep.margin,
        "axis": forest.axis(scale),
        "nothing": _why_nothing(given, has_results) if not lines else "",
        "what_ran": tables.what_ran(sweep),
        "notes": [*given.details.notes, *design],
        "missing": _missing_words(given),
    }


def _lines(given: Given) -> tuple[list[Line], forest.Scale]:
    """The comparisons, those that say most first, and the scale that they are drawn on."""
    frame, margin = given.frame, given.sweep.margin
    if frame.empty:
        return [], forest.scale(())
    compared = frame[~frame["baseline"].astype(bool) & frame["difference_points"].notna()]
    rows = compared.to_dict("records")
    scale = forest.scale([_interval(row) for row in rows], margin)
    plain = dict(zip(compared["variant"], tables.comparisons(frame, margin), strict=True)) if rows else {}
    told = {headline.variant: headline for headline in given.details.headlines}
    lines = [_line(row, told.get(row["variant"]), plain[row["variant"]], scale, len(rows)) for row in rows]
    order = {word: place for place, word in enumerate(WORDS)}
    difference = dict(zip(compared["variant"], compared["difference_points"], strict=True))
    lines.sort(key=lambda line: (order.get(line.word, len(order)), -difference[line.variant]))
    return lines, scale


def _line(row: Mapping[str, Any], headline: Any, plain: str, scale: forest.Scale, comparisons: int) -> Line:
    word = headline.word if headline else row["verdict"] or verdicts.NONE
    interval = _interval(row)
    return Line(
        variant=row["variant"],
        word=word,
        sentence=headline.sentence if headline else plain,
        advice=(headline.advice if headline else "") or ADVICE.get(word, ""),
        sureness=_sureness(row, word, scale.margin, comparisons),
        difference=points(interval.middle),
        interval=f"{points(interval.low)} to {points(interval.high)}" if is_number(interval.low) else "",
        plot=forest.row(interval, scale, f"Difference {estimate(interval)} points"),
    )


def _interval(row: Mapping[str, Any]) -> Interval:
    return Interval(*(number(row[f"difference_{end}points"]) for end in ("", "low_", "high_")))


def _sureness(row: Mapping[str, Any], word: str, margin: float | None, comparisons: int) -> str:
    seeds = f"{row['n']} trainings" if row["n"] != 1 else "one training"
    corrected = f" (corrected for {comparisons} comparisons)" if comparisons > 1 else ""
    if word in (verdicts.HELPS, verdicts.HURTS):
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made no difference, runs this far apart would be "
            f"seen with a probability of {_chance(row['p_difference'])}{corrected}."
        )
    if word == verdicts.EQUIVALENT:
        return (
            f"Shown at the 5 % level with {seeds} of it. If it made a difference of {margin or math.nan:g} points or more, "
            f"runs this close together would be seen with a probability of {_chance(row['p_equivalence'])}{corrected}."
        )
    if word == verdicts.UNDECIDED:
        low, high = (points(row[f"difference_{end}_points"]) for end in ("low", "high"))
        said = f"Not shown either way with {seeds} of it: anything from {low} to {high} points fits these runs. "
        if _interval(row).is_away_from_zero and comparisons > 1:
            return f"{said}Alone it would count as a difference; one of {comparisons} may look like this by chance."
        return f"{said}That is not the same as no difference."
    return f"Not sure at all: with {seeds} there is no spread to go by." if word == verdicts.NONE else ""


def _chance(p: float) -> str:
    if math.isnan(p):
        return "5 % at most"
    return "less than 0.001" if p < 0.001 else f"{p:.2g}"


def _why_nothing(given: Given, has_results: bool) -> str:
    sweep = given.sweep
    if not has_results:
        return "No run has a result yet, so there is no answer yet."
    if sweep.baseline is None:
        return "The store names no baseline, so nothing is compared."
    if not len(sweep.results(sweep.baseline)):
        return f"The baseline {sweep.baseline} has no result yet, so nothing is compared."
    return f"Only the baseline {sweep.baseline} has results, so there is nothing to compare it with yet."


def _missing_words(given: Given) -> str:
    missing = given.sweep.missing()
    if not missing:
        return ""
    known = len(given.sweep.results())
    verb = "have" if len(missing) > 1 else "has"
    without = [name for name in given.sweep.variants if not len(given.sweep.results(name))]
    words = f"{len(missing)} of {known + len(missing)} runs {verb} no result"
    if without and known:
        named = f": {listed(without)}" if sum(map(len, without)) < 60 else ""
        words += (
            f"; {len(without)} of the {len(given.sweep.variants)} variants {'have' if len(without) > 1 else 'has'} "
        )
        words += f"none at all{named}"
    return f"{words}."


# --- pictures ----------------------------------------------------------------------------------------------------


def trade_off(given: Given) -> dict[str, Any] | None:
    names = [name for name in given.pictures if name.split("/")[0] == "accuracy_vs_size"]
    panels = []
    for place, name in enumerate(names):
        axis = AXES.get(name.partition("/")[2], name.partition("/")[2].replace("_", " ") or AXES["params"])
        label = f"Test accuracy of every variant against its {axis}; the numbers are in the table of all variants"
        panels.append((axis, _picture(given.pictures[name], f"size{place}-", label)))
    front = _front(given)
    return {"panels": panels, "front": front} if panels or front else None


def _front(given: Given) -> Table | None:
    """From the frame, against every cost; else from the details, against one that they do not name."""
    columns = [name for name in given.frame.columns if name.startswith("front_probability_")]
    rows = given.frame[["variant", *columns]].to_dict("records") if columns else []
    if not columns:
        columns = ["probability"]
        rows = rows_of(given.details.front, "variant", *columns)
    rows = [row for row in rows if any(is_number(row[name]) for name in columns)]
    if not rows:
        return None
    axes = [name.removeprefix("front_probability_") for name in columns]
    header = ("variant", *(AXES.get(axis, axis.replace("_", " ")) for axis in axes))
    table = [[Cell(row["variant"]), *(figure(row[name], _share) for name in columns)] for row in rows]
    if len(columns) == 1:
        header = (*header, "drawn")
        share = [100 * number(row[columns[0]]) for row in rows]
        table = [
            [*cells, drawn(forest.bar(each, 100, f"{each:.0f} %"))] for cells, each in zip(table, share, strict=True)
        ]
    caption = "How surely each variant is on the Pareto front"
    note = (
        "On the front: no other variant is both as cheap and more accurate. Other trainings could draw another front; "
        "the probability says how often a variant would be on it."
    )
    return Table(caption, header, table, note=note)


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def curves(given: Given) -> dict[str, Any] | None:
    names = [name for name in given.pictures if name.split("/")[0] == "learning_curves"]
    label = "Test accuracy of every variant against the training step"
    drawn = [_picture(given.pictures[name], f"curves{place}-", label) for place, name in enumerate(names)]
    rows = tables.formatted_averages(given.frame) if len(given.frame) else []
    averages = None
    if rows:
        cells = [[Cell(text, None if place == 0 else leading(text)) for place, text in enumerate(row)] for row in rows]
        note = "The same trainings, evaluated with the weights of the last step, and with their moving average."
        averages = Table("Raw and averaged weights", tables.AVERAGES_HEADER, cells, note=note)
    return {"pictures": drawn, "averages": averages} if drawn or averages else None


class Picture(NamedTuple):
    """A drawing, or why there is none."""

    html: Markup | None
    problem: str = ""


def _picture(svg: str, prefix: str, label: str) -> Picture:
    try:
        return Picture(inlined.inlined(svg, prefix, label))
    except ValueError as error:
        return Picture(None, str(error))


# --- tables of variants ------------------------------------------------------------------------------------------


def variants(given: Given) -> dict[str, Any] | None:
    frame = given.frame
    if frame.empty or not frame["n"].any():
        return None
    place = {word: order for order, word in enumerate(WORDS)}
    columns = {name: frame[by].tolist() for name, by in SORTED_BY.items() if by in frame}
    columns["verdict"] = [place.get(word) for word in frame["verdict"]]
    cells = [
        [
            Cell(text, None if order == 0 else sortable(columns[name][row] if name in columns else leading(text)))
            for order, (name, text) in enumerate(zip(tables.HEADER, texts, strict=True))
        ]
        for row, texts in enumerate(tables.formatted(frame))
    ]
    left = frozenset({0, *(order for order, name in enumerate(tables.HEADER) if name == "verdict")})
    note = (
        "Accuracy: mean ± standard deviation over the seeds (their number). "
        "Difference: to the baseline, with its 95 % interval."
    )
    rounded = Table("Every variant, in the question's order", tables.HEADER, cells, left, is_sortable=True, note=note)
    return {"rounded": rounded, "whole": _whole(frame)}


def _whole(frame: pd.DataFrame) -> Table:
    names = ["variant", *(name for name in frame if name != "variant")]
    cells = [
        [Cell(_unrounded(value), None if isinstance(value, str) else sortable(value)) for value in row]
        for row in frame[names].itertuples(index=False)
    ]
    left = frozenset(place for place, name in enumerate(names) if frame[name].dtype.kind not in "iufb")
    return Table("Every column, unrounded", names, cells, left | {0}, is_sortable=True)


def _unrounded(value: Any) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return tables.ABSENT
    return repr(float(value)) if isinstance(value, float) else str(value)


def price(given: Given) -> dict[str, Any] | None:
    frame = given.frame
    if frame.empty:
        return None
    known = {column: kind for column, kind in _price_columns(frame).items() if frame[column].notna().any()}
    if not known:
        return None
    baseline = next(iter(frame[frame["baseline"].astype(bool)].to_dict("records")), None)
    rows = [
        [
            Cell(f"{row['variant']} (baseline)" if row["baseline"] else row["variant"]),
            *(_price_cell(row, column, write, baseline) for column, (_, write) in known.items()),
        ]
        for row in frame.to_dict("records")
    ]
    header = ("variant", *(title for title, _ in known.values()))
    note = "Below each figure: the change against the baseline." if baseline else ""
    return {"table": Table("The price of each variant", header, rows, is_sortable=True, note=note)}


def _price_columns(frame: pd.DataFrame) -> dict[str, tuple[str, Callable[[Any], str]]]:
    found = {column: kind for column, kind in PRICES.items() if column in frame}
    for column in frame:
        if match := re.fullmatch(r"size_(?:(.+)_)?bytes", column):
            found[column] = (f"{match[1] or ''} file".strip().replace("_", " "), _bytes)
        elif match := re.fullmatch(r"latency_(?:(.+)_)?p50_ms", column):
            of = f" ({match[1].replace('_', ' ')})" if match[1] and match[1] != "tf" else ""
            found[column] = (f"latency, one image{of}", "{:.3g} ms".format)
    return found


def _price_cell(row: Mapping, column: str, write: Callable[[Any], str], baseline: Mapping | None) -> Cell:
    value = sortable(row[column])
    if value is None:
        return Cell(tables.ABSENT)
    theirs = sortable(baseline[column]) if baseline and not row["baseline"] else None
    change = "" if not theirs else "the same" if value == theirs else f"{100 * (value / theirs - 1):+.1f} %"
    return Cell(write(row[column]), value, change)


def _bytes(value: float) -> str:
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.3g} {letters}"
    return f"{value:.0f} B"


# --- uncertainty and interactions --------------------------------------------------------------------------------


def uncertainty(given: Given) -> dict[str, Any] | None:
    columns = ("accuracy_percent", "sd_seeds_points", "sd_distribution_points", "se_test_points")
    ends = ("difference_points", "low_test_points", "high_test_points", "low_both_points", "high_both_points")
    rows = rows_of(given.details.uncertainty, "variant", *columns, *ends)
    if not rows:
        return None
    texts = {column: "{:.2f}".format for column in columns}
    spread = Table(
        "How far one accuracy may be off, in points",
        ("variant", "accuracy, %", "between trainings", "of the networks themselves", "by the choice of images"),
        [[Cell(row["variant"]), *(figure(row[name], texts[name]) for name in columns)] for row in rows],
        note="Between trainings: standard deviation over seeds on these test images; of the networks themselves: what "
        "of it would remain on endlessly many images. By the choice of images: standard error of the mean accuracy.",
    )
    known = {row["variant"]: _interval(row) for row in given.frame.to_dict("records")}
    plots = []
    for row in rows:
        middle = row["difference_points"]
        if not is_number(middle):
            continue
        seeds = known.get(row["variant"], Interval(math.nan, math.nan, math.nan))
        three = (
            ("other trainings", seeds),
            ("other test images", Interval(middle, row["low_test_points"], row["high_test_points"])),
            ("both", Interval(middle, row["low_both_points"], row["high_both_points"])),
        )
        plots.append((row["variant"], [(name, each) for name, each in three if is_number(each.low)]))
    plots = [(variant, three) for variant, three in plots if three]
    scale = forest.scale([each for _, three in plots for _, each in three], given.sweep.margin)
    return {"spread": spread, "difference": _three_intervals(plots, scale) if plots else None}


def _three_intervals(plots: Sequence[tuple[str, Sequence[tuple[str, Interval]]]], scale: forest.Scale) -> Forest:
    rows = [
        [
            Cell(variant, html=Markup('<span class="sr">{}</span>').format(variant) if place else None),
            Cell(name),
            plot(each, scale),
            Cell(estimate(each), each.middle),
        ]
        for variant, three in plots
        for place, (name, each) in enumerate(three)
    ]  # fmt: skip
    header = ("variant", "to be expected of", "drawn", "difference, points")
    caption = "The difference to the baseline, with 95 % intervals for three questions"
    return Forest(Table(caption, header, rows, frozenset({0, 1, 2})), forest.axis(scale), scale.margin)


def interactions(given: Given) -> dict[str, Any] | None:
    columns = ("kind", "factors", "levels", "verdict", "sentence")
    numbers = ("difference_points", "low_points", "high_points", "p_adjusted")
    rows = rows_of(given.details.interactions, *columns, *numbers)
    if not rows:
        return None
    intervals = [Interval(*(number(row[name]) for name in numbers[:3])) for row in rows]
    scale = forest.scale(intervals, given.sweep.margin)
    cells = [
        [
            Cell(words(row["factors"]), note=words(row["levels"])),
            Cell(words(row["kind"]), note=words(row["verdict"])),
            plot(each, scale),
            Cell(estimate(each), sortable(each.middle)),
            Cell(chance(row["p_adjusted"]), sortable(row["p_adjusted"])),
        ]
        for row, each in zip(rows, intervals, strict=True)
    ]
    table = Table(
        "Effects of the factors, and whether they depend on each other",
        ("factors", "kind", "drawn", "effect, points", "adjusted p"),
        cells,
        frozenset({0, 1, 2}),
    )
    sentences = [words(row["sentence"]) for row in rows if words(row["sentence"])]
    return {"forest": Forest(table, forest.axis(scale), scale.margin), "sentences": sentences}


# --- claims, what is missing, and where it comes from ------------------------------------------------------------


def claims(given: Given) -> dict[str, Any] | None:
    rows = rows_of(given.details.claims, "claim", "source", "published", "ours", "verdict", "sentence")
    shown = [{name: words(value, 2) for name, value in row.items()} for row in rows]
    return {"claims": shown} if shown else None


def missing(given: Given) -> dict[str, Any] | None:
    """Seeds that lack a result for the same reason share a row."""
    groups: dict[tuple[str, str], list[int]] = {}
    for each in given.sweep.missing():
        groups.setdefault((each.variant, each.reason), []).append(each.seed)
    if not groups:
        return None
    rows = [[Cell(variant), Cell(", ".join(map(str, seeds))), Cell(why)] for (variant, why), seeds in groups.items()]
    table = Table("Runs that the question asks for, and why they are missing", ("variant", "seeds", "why"), rows,
                  frozenset({0, 1, 2}))  # fmt: skip
    return {"table": table}


def provenance(given: Given) -> dict[str, Any]:
    sweep, runs = given.sweep, given.sweep.runs
    facts = {"baseline": sweep.baseline or "none"}
    facts["margin"] = "none declared" if not sweep.margin else f"{sweep.margin:g} points, declared before the runs"
    facts["seeds"] = ", ".join(map(str, sweep.seeds))
    if sweep.schedule is not None:
        first, last = sweep.schedule
        facts["schedule"] = f"looked at after every seed from {first} to {last}; a decided variant gets no more seeds"
    facts["data, SHA-256"] = _distinct(runs["data_sha256"])
    facts["device"] = _distinct(runs["device"])
    dirty = {run.git_commit for run in runs.itertuples() if run.git_dirty.lower() == "true"}
    commits = [each for each in dict.fromkeys(runs["git_commit"]) if each]
    facts["git commit"] = ", ".join(f"{each} with changes" if each in dirty else each for each in commits)
    facts |= {name: str(value) for name, value in given.details.provenance.items()}
    return {
        "commands": [tables.command(sweep), f"python -m reports {shlex.quote(sweep.name)}"],
        "facts": {name: value for name, value in facts.items() if value},
        "runs": _runs(given) if len(runs) else None,
    }


def _runs(given: Given) -> Table:
    runs = given.sweep.runs
    rows = [
        [
            Cell(run.run_key[:12] or run.run_id[:12], link=_address(given.details.run_links.get(run.run_id))),
            Cell(run.variant),
            Cell(str(run.seed), run.seed),
            Cell(run.status.lower()),
            Cell(f"{run.accuracy_percent:.2f}", run.accuracy_percent) if finished else Cell(tables.ABSENT),
            Cell((run.git_commit[:10] or tables.ABSENT) + (" + changes" if run.git_dirty.lower() == "true" else "")),
            Cell(run.run_id, note=_place(given.details.run_links.get(run.run_id))),
        ]
        for run, finished in zip(runs.itertuples(), has_result(runs), strict=True)
    ]
    header = ("run key", "variant", "seed", "status", "accuracy, %", "git commit", "MLflow run")
    return Table("Every run", header, rows, frozenset({0, 1, 3, 5, 6}), is_sortable=True)


def _address(place: str | None) -> str | None:
    """A link for what may be one: a web or file address, or a path; nothing that would run in the page."""
    if not place or place.lower().startswith(("http://", "https://", "file://")):
        return place or None
    is_path = not re.match(r"\s*[a-zA-Z][\w+.-]*:", place) and "\n" not in place
    return quote(place) if is_path else None


def _place(place: str | None) -> str:
    """What cannot be a link is said instead."""
    return place if place and _address(place) is None else ""


def glossary(given: Given) -> dict[str, Any]:
    details = given.details
    shown = {
        "": True,
        "churn": details.churn is not None,
        "calibration": details.calibration is not None,
        "uncertainty": details.uncertainty is not None,
        "interactions": details.interactions is not None,
        "front": any(name.startswith("accuracy_vs_size") for name in given.pictures),
        "schedule": given.sweep.schedule is not None,
    }
    return {"terms": [(term, meaning) for term, meaning, of in TERMS if shown[of]]}


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))
