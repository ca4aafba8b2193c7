"""The pictures: no label on another or on a point, the right numbers drawn, the same picture every time."""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.analysis import trade_off as trade_off_points
from reports.figures import canvas, curves, labels, trade_off
from reports.store.sweep import Sweep
from reports.tables import costs
from zoo.measure.metrics import cost_axes

SIZES = {  # a crowd: three points within one percent of size and half a point of accuracy, as a zoo has them
    **{"tuto": (1_068_298, 81.2), "alex0": (145_578, 72.0), "alex1": (89_578, 73.1), "alex2": (89_834, 73.6)},
    **{"alex3": (121_000, 75.1), "alex4": (250_000, 77.2), "cs231n": (1_100_000, 79.0), "nin0": (967_000, 82.0)},
    **{"nin1": (965_000, 81.8), "nin2": (972_000, 82.5), "squeeze0": (735_000, 70.5), "squeeze1": (300_000, 73.2)},
}


def variants(sizes: dict[str, tuple[float, float]], sd: float = 0.3, sweep: str = "zoo") -> pd.DataFrame:
    names, values = list(sizes), np.array(list(sizes.values()), dtype=float)
    return pd.DataFrame({
        "sweep": sweep,
        "variant": names,
        "baseline": [place == 0 for place in range(len(names))],
        "n": 3,
        "params": pd.array(values[:, 0].astype(int), dtype="Int64"),
        "accuracy_percent_mean": values[:, 1],
        "accuracy_percent_sd": sd,
    })  # fmt: skip


def sweep(
    final: dict[str, float], seeds: int = 2, steps=(100, 200, 300, 400), shared: bool = False, averaged: bool = True
) -> Sweep:
    """Variants whose averaged accuracy is the final one at every step, one point more per seed; raw 2 points below."""
    runs, points = [], []
    for name, seed in itertools.product(final, range(seeds)):
        run_id = f"{name}/{seed}"
        accuracy = final[name] + seed
        runs.append({
            "variant": name,
            "seed": seed,
            "status": "FINISHED",
            "accuracy_percent": accuracy,
            "run_key": f"key-{seed}" if shared else run_id,
            "run_id": run_id,
        })  # fmt: skip
        kinds = {"test/accuracy": 0, "test/accuracy_raw": 2} | ({"test/accuracy_ema": 0} if averaged else {})
        points += [
            (run_id, metric, step, (accuracy - less - 40 * (step == steps[0])) / 100)
            for metric, less in kinds.items()
            for step in steps
        ]
    histories = pd.DataFrame(points, columns=["run_id", "metric", "step", "value"])
    return Sweep(
        "s", "", next(iter(final)), None, tuple(final), tuple(range(seeds)), None, pd.DataFrame(runs), histories
    )


def label_boxes(figure, names) -> dict[str, object]:
    figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts if text.get_text() in names]
    assert len(boxes) == len(names)
    return boxes


def marker_lines(figure) -> list:
    (axes,) = figure.axes
    return [line for line in axes.lines if line.get_marker() in (*canvas.MARKERS, "D")]


def marker_boxes(figure) -> list[tuple[float, float]]:
    (axes,) = figure.axes
    return [tuple(axes.transData.transform(line.get_xydata()[0])) for line in marker_lines(figure)]


def assert_apart(figure, names) -> None:
    boxes = label_boxes(figure, names)
    for (one, box), (two, other) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other), f"{one} on {two}"
    centers = marker_boxes(figure)
    assert len(centers) == len(names)
    radius = trade_off.MARKER_POINTS / 2 * figure.dpi / 72
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        for x, y in centers:
            near = max(box.x0 - x, x - box.x1, box.y0 - y, y - box.y1)
            assert near >= radius, f"{name} on a point"


# --- accuracy against size ---------------------------------------------------------------------------------------


def test_no_label_touches_another_or_a_point():
    figure = trade_off.accuracy_vs_size(variants(SIZES))
    assert_apart(figure, list(SIZES))
    with Image.open(io.BytesIO(canvas.png(figure))) as image:
        assert image.size[0] == 7 * 300
        assert image.size[1] <= 6 * 300


def test_no_label_touches_another_in_a_random_crowd():
    rng = np.random.default_rng(3)
    crowd = {f"model={place}, lrn=false": (rng.integers(900_000, 1_100_000), rng.normal(80, 1)) for place in range(20)}
    assert_apart(trade_off.accuracy_vs_size(variants(crowd)), list(crowd))


def test_points_are_numbered_where_the_names_do_not_fit():
    # forty long names at two sizes: more ink than the picture has room for
    crowd = {
        f"augment.crop=true, variant {place}": (10_000 + 10 * (place % 2), 80 + 0.01 * place) for place in range(40)
    }
    figure = trade_off.accuracy_vs_size(variants(crowd))
    assert_apart(figure, [str(place + 1) for place in range(40)])
    key = [text.get_text() for text in figure.texts if text.get_text().startswith("40  ")]
    assert key == ["40  augment.crop=true, variant 39"]


def test_labels_without_a_place_are_counted():
    frame, middle = np.array([0, 0, 100, 100]), np.array([[50.0, 50.0]])
    marker = np.hstack([middle - 4, middle + 4])
    for width, homeless in ((40, 0), (200, 1)):
        placed = labels.place(np.array([[width, 10.0]]), middle, marker, np.empty((0, 4)), frame)
        assert placed.homeless == homeless


def test_a_line_through_a_box_crosses_it():
    boxes = np.array([[2, -1, 4, 1], [2, 1, 4, 3], [6, -1, 8, 1]], dtype=float)
    ends = np.array([[10, 0], [5, 0], [0, 10], [4, 4]], dtype=float)
    # along the x axis through the first and third; no further than the first; upwards past all; through the second
    assert labels._crossed(np.zeros(2), ends, boxes).tolist() == [2, 1, 0, 1]


def test_names_that_shorten_to_the_same_are_numbered():
    names = [f"augment.crop=true, augment.flip={flip}, augment.contrast=true" for flip in ("true", "false")]
    assert len({canvas.shortened(name) for name in names}) == 1
    for sizes in ((100, 100), (100, 200)):
        figure = trade_off.accuracy_vs_size(variants(dict(zip(names, [(size, 80) for size in sizes], strict=True))))
        texts = [text.get_text() for text in figure.texts]
        assert [text for text in texts if "flip" in text] == [f"1  {names[0]}", f"2  {names[1]}"]


def test_the_front_is_a_step_through_the_best():
    figure = trade_off.accuracy_vs_size(variants({"a": (100, 70), "b": (200, 65), "c": (400, 80)}))
    (axes,) = figure.axes
    line = next(line for line in axes.lines if line.get_zorder() == 1)
    right = axes.get_xlim()[1]
    assert line.get_xdata().tolist() == [100, 400, 400, right]
    assert line.get_ydata().tolist() == [70, 70, 80, 80]
    hollow = [line.get_markerfacecolor() == "white" for line in marker_lines(figure)]
    assert hollow == [False, True, False]
    assert axes.get_xscale() == "log"


def test_variants_of_one_size_stand_side_by_side_under_their_names():
    figure = trade_off.accuracy_vs_size(variants({"lrn=true": (1_068_298, 81.2), "lrn=false": (1_068_298, 81.0)}))
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["lrn=true", "lrn=false"]
    assert axes.get_xlabel() == "all variants have 1,068,298 parameters"
    (x_one, _), (x_two, _) = marker_boxes(figure)
    assert x_two - x_one > 200


def test_points_of_one_size_among_others_are_drawn_apart():
    figure = trade_off.accuracy_vs_size(variants({"a": (100, 70), "b": (100, 70), "c": (300, 75)}))
    (x_a, y_a), (x_b, y_b), _ = marker_boxes(figure)
    assert abs(x_a - x_b) > trade_off.MARKER_POINTS * figure.dpi / 72
    assert y_a == pytest.approx(y_b)


def test_error_bars_are_one_standard_deviation_and_absent_with_one_seed():
    for sd, ends in ((0.5, (69.5, 70.5)), (math.nan, None)):
        (axes,) = trade_off.accuracy_vs_size(variants({"a": (100, 70)}, sd=sd)).axes
        bars = [segment for lines in axes.collections for segment in lines.get_segments() if len(segment)]
        assert [tuple(segment[:, 1]) for segment in bars] == ([pytest.approx(ends)] if ends else [])


def test_the_bar_for_another_test_set_is_broad_and_only_there_when_it_is_known():
    frame = variants({"a": (100, 70), "b": (200, 72)}).assign(se_test_points=[0.4, math.nan])
    figure = trade_off.accuracy_vs_size(frame)
    (axes,) = figure.axes
    (band,) = (line for line in axes.lines if line.get_gid() == "test set")
    assert band.get_ydata() == pytest.approx([69.6, 70.4])
    assert band.get_linewidth() > 4 * axes.collections[0].get_linewidth()[0]
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries[-2:] == ["± 1 sd, another training", "± 1 se, another test set"]
    assert "Broad bar: standard error over test images" in figure.texts[0].get_text()
    without = trade_off.accuracy_vs_size(variants({"a": (100, 70), "b": (200, 72)}))
    assert "Broad" not in without.texts[0].get_text()


def test_markers_are_as_full_as_being_on_the_front_is_probable():
    frame = variants({"a": (100, 70), "b": (200, 72), "c": (300, 71)}).assign(front_probability=[1.0, 0.5, 0.0])
    figure = trade_off.accuracy_vs_size(frame)
    full, half, empty = (line.get_markerfacecolor() for line in marker_lines(figure))
    assert (full, empty) == (canvas.BLUE, "white")
    assert half == pytest.approx((0.5, (1 + 0x72 / 255) / 2, (1 + 0xB2 / 255) / 2))
    assert "Fill: the probability" in figure.texts[0].get_text()


def test_a_probability_among_other_points_or_of_another_cost_is_not_shown():
    frame = variants({"a": (100, 70), "b": (200, 72)}).assign(front_probability=0.5, macs=[10, 20])
    other = variants({"c": (100, 73)}, sweep="second")
    assert trade_off_points.points(frame, "params")["probability"].tolist() == [0.5, 0.5]
    assert trade_off_points.points(frame, "macs")["probability"].isna().all()
    assert (
        trade_off_points.points(frame.assign(front_probability_macs=0.25), "macs")["probability"].tolist() == [0.25] * 2
    )
    assert trade_off_points.points(pd.concat([frame, other]), "params")["probability"].isna().all()


def test_sweeps_differ_in_shape_and_published_figures_are_a_class_of_their_own():
    published = pd.DataFrame({
        "sweep": "published.csv", "variant": ["theirs"], "imported": True, "params": [50], "accuracy_percent_mean": [80.0]
    })  # fmt: skip
    frames = [variants({"a": (100, 70)}, sweep="one"), variants({"b": (200, 72)}, sweep="two"), published]
    figure = trade_off.accuracy_vs_size(pd.concat(frames, ignore_index=True))
    lines = marker_lines(figure)
    assert [line.get_marker() for line in lines] == ["o", "s", "D"]
    assert len({line.get_color() for line in lines}) == 3
    # smaller and better than both of ours: it alone is on the front
    assert [line.get_markerfacecolor() == "white" for line in lines] == [True, True, False]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries[2:5] == ["one", "two", "published figures"]
    assert costs.front_text(pd.concat(frames)).splitlines()[2].split() == [
        "published.csv",
        "theirs",
        "80.00",
        "50",
        "*",
    ]


def test_every_cost_has_its_axis():
    frame = variants({"a": (100, 70), "b": (200, 72)}).assign(
        macs=[1000, 9000], size_onnx_bytes=[5e4, 6e5], size_tflite_bytes=[4e4, math.nan],
        latency_tf_p50_ms=[0.5, 4.0], train_s=[30.0, 7200.0],
    )  # fmt: skip
    shown = {}
    for axis in cost_axes():
        figure = trade_off.accuracy_vs_size(frame, axis)
        if figure is not None:
            (axes,) = figure.axes
            shown[axis] = axes.get_xlabel(), [tick.get_text() for tick in axes.get_xticklabels()]
    assert shown == {
        "params": ("parameters", ["100", "200"]),
        "macs": ("multiply-adds, one image", ["1k", "2k", "5k", "10k"]),
        "bytes": ("size of the onnx file", ["50 kB", "100 kB", "200 kB", "500 kB"]),
        "latency": ("latency of one image, ms (median)", ["0.5", "1", "2", "5"]),
        "train_s": ("training time of one run", ["30 s", "1 min", "2 min", "5 min", "10 min", "30 min", "1 h", "2 h"]),
    }


def test_published_figures_fill_the_columns_that_are_theirs():
    frame = pd.DataFrame({
        "latency_tf_p50_ms": [1.5, math.nan], "latency_ms": [math.nan, 2.5],
        "size_onnx_bytes": [10.0, math.nan], "bytes": [math.nan, 20.0], "params": [0, 5],
    })  # fmt: skip
    assert trade_off_points.cost_values(frame, "latency").tolist() == [1.5, 2.5]
    assert trade_off_points.cost_values(frame, "bytes").tolist() == [10, 20]
    assert np.isnan(trade_off_points.cost_values(frame, "params")[0])  # a log axis has no zero
    assert np.isnan(trade_off_points.cost_values(frame, "macs")).all()


def test_the_picture_is_the_same_every_time_in_both_formats():
    first, second = (trade_off.accuracy_vs_size(variants(SIZES)) for _ in range(2))
    assert canvas.png(first) == canvas.png(second)
    assert canvas.svg(first, "size") == canvas.svg(second, "size")


def test_a_figure_can_be_saved_in_both_formats_in_either_order():
    first, second = (trade_off.accuracy_vs_size(variants(SIZES)) for _ in range(2))
    svg = canvas.svg(first, "size")
    assert canvas.png(first) == canvas.png(second)
    assert canvas.svg(second, "size") == svg


def test_svg_is_one_element_without_text_or_dates():
    text = canvas.svg(trade_off.accuracy_vs_size(variants(SIZES)), "size")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox").split()[2] == "504"
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not names & {"text", "image", "date"}
    other = canvas.svg(trade_off.accuracy_vs_size(variants(SIZES)), "other")
    clips = [set(re.findall(r'<clipPath id="(\w+)"', each)) for each in (text, other)]
    assert clips[0] and not clips[0] & clips[1]  # two pictures in one page do not cut each other


def test_names_with_dollars_are_printed_as_they_are():
    names = {"lr=$0_1$": (100, 70), "b^{": (200, 72)}
    assert_apart(trade_off.accuracy_vs_size(variants(names)), list(names))


def test_nothing_to_draw():
    nothing = variants({"a": (100, 70)}).assign(n=0)
    assert trade_off.accuracy_vs_size(nothing) is None
    assert trade_off.accuracy_vs_size(pd.DataFrame()) is None
    assert trade_off.accuracy_vs_size(variants({"a": (100, 70)}).assign(params=pd.NA)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(2e6, "2M"), (500e3, "500k"), (50, "50"), (1068298, "1,068,298"), (1.05e6, "1.05M"), (272474, "272,474")],
)
def test_short_counts(value, text):
    assert costs.short_count(value) == text


# --- learning curves ---------------------------------------------------------------------------------------------


def test_curves_are_mean_and_range_over_seeds_in_percent():
    (learner,) = curves.trainings(sweep({"a": 80.0}, seeds=3))
    averaged, raw = learner.curves["averaged weights"], learner.curves["raw weights"]
    assert averaged.step.tolist() == [100, 200, 300, 400]
    assert averaged.mean.tolist() == pytest.approx([41, 81, 81, 81])  # seeds at 80, 81, 82
    assert averaged.low.tolist() == pytest.approx([40, 80, 80, 80])
    assert averaged.high.tolist() == pytest.approx([42, 82, 82, 82])
    assert raw.mean.tolist() == pytest.approx([39, 79, 79, 79])


def test_only_steps_that_every_seed_has_are_averaged():
    data = sweep({"a": 80.0})
    histories = data.histories.drop(data.histories.query("run_id == 'a/1' and step == 300").index)
    (learner,) = curves.trainings(dataclasses.replace(data, histories=histories))
    assert learner.curves["averaged weights"].step.tolist() == [100, 200, 400]


def test_readouts_of_one_training_are_one_curve():
    (learner,) = curves.trainings(sweep({"ema=true": 80.0, "ema=false": 80.0}, shared=True))
    assert learner.label == "ema=true | ema=false"
    assert learner.baseline


def test_averaged_is_solid_and_raw_is_dashed():
    figure = curves.learning_curves(sweep({"a": 80.0, "b": 70.0}))
    whole, closer = figure.axes
    assert [line.get_linestyle() for line in whole.lines] == ["-", "--", "-", "--"]
    assert whole.lines[0].get_color() != whole.lines[2].get_color()
    assert closer.get_ylim()[0] > 60  # the first evaluation, 40 points lower, is left to the other half
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries[:4] == ["a", "b", "averaged weights", "raw weights"]


def test_without_averages_the_one_kind_is_solid():
    figure = curves.learning_curves(sweep({"a": 80.0}, averaged=False))
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"-"}


def test_many_variants_get_a_panel_each():
    names = {f"model={place}": 70.0 + place for place in range(8)}
    figure = curves.learning_curves(sweep(names))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in shown]
    assert titles == ["model=0 (baseline)", *list(names)[1:]]
    with Image.open(io.BytesIO(canvas.png(figure))) as image:
        assert image.size[0] == 7 * 300


def test_no_curve_without_a_result():
    data = sweep({"a": 80.0})
    failed = data.runs.assign(status="FAILED")
    assert curves.learning_curves(dataclasses.replace(data, runs=failed)) is None


def test_front_text_marks_the_front():
    marked = costs.front_text(variants({"a": (100, 70), "b": (200, 65), "c": (400, 80)})).splitlines()[2:]
    assert [line.endswith("*") for line in marked] == [True, False, True]
