"""The trade-off picture: no label on another or on a point, the right numbers drawn, the same picture every time."""

from __future__ import annotations

import io
import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from helpers.variants import SIZES, variants
from PIL import Image

from reports.figures import rendering, style
from reports.figures.trade_off.figure import accuracy_vs_size
from reports.figures.trade_off.points import MARKER_POINTS
from reports.tables import costs
from zoo.measure.cost_axes import cost_axes


def label_boxes(figure, names) -> dict[str, object]:
    figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts if text.get_text() in names]
    assert len(boxes) == len(names)
    return boxes


def marker_lines(figure) -> list:
    (axes,) = figure.axes
    return [line for line in axes.lines if line.get_marker() in (*style.MARKERS, "D")]


def marker_boxes(figure) -> list[tuple[float, float]]:
    (axes,) = figure.axes
    return [tuple(axes.transData.transform(line.get_xydata()[0])) for line in marker_lines(figure)]


def assert_apart(figure, names) -> None:
    boxes = label_boxes(figure, names)
    for (one, box), (two, other) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other), f"{one} on {two}"
    centers = marker_boxes(figure)
    assert len(centers) == len(names)
    radius = MARKER_POINTS / 2 * figure.dpi / 72
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        for x, y in centers:
            near = max(box.x0 - x, x - box.x1, box.y0 - y, y - box.y1)
            assert near >= radius, f"{name} on a point"


def test_no_label_touches_another_or_a_point():
    figure = accuracy_vs_size(variants(SIZES))
    assert_apart(figure, list(SIZES))
    with Image.open(io.BytesIO(rendering.png(figure))) as image:
        assert image.size[0] == 7 * 300
        assert image.size[1] <= 6 * 300


def test_no_label_touches_another_in_a_random_crowd():
    rng = np.random.default_rng(3)
    crowd = {f"model={index}, lrn=false": (rng.integers(900_000, 1_100_000), rng.normal(80, 1)) for index in range(20)}
    assert_apart(accuracy_vs_size(variants(crowd)), list(crowd))


def test_points_are_numbered_where_the_names_do_not_fit():
    # forty long names at two sizes: more ink than the picture has room for
    crowd = {
        f"augment.crop=true, variant {index}": (10_000 + 10 * (index % 2), 80 + 0.01 * index) for index in range(40)
    }
    figure = accuracy_vs_size(variants(crowd))
    assert_apart(figure, [str(index + 1) for index in range(40)])
    key = [text.get_text() for text in figure.texts if text.get_text().startswith("40  ")]
    assert key == ["40  augment.crop=true, variant 39"]


def test_of_sixty_variants_the_baseline_the_front_and_the_best_five_are_named():
    """Each costs more than the one before it, and is worse."""
    many = {f"v{index}": (1000 + 10 * index, 80 - 0.1 * index) for index in range(60)}
    figure = accuracy_vs_size(variants(many))
    names = {text.get_text() for text in figure.texts} & set(many)
    assert names == {"v0", "v1", "v2", "v3", "v4"}  # v0 is the baseline and the front
    assert figure.get_figheight() < 6  # inches: without a key of sixty lines
    (caption,) = [
        text.get_text() for text in figure.texts if "Named: the baseline" in text.get_text().replace("\n", " ")
    ]
    assert "the front and the best 5" in caption.replace("\n", " ")


def test_names_that_shorten_to_the_same_are_numbered():
    names = [f"augment.crop=true, augment.contrast=true, augment.flip={flip}" for flip in ("true", "false")]
    assert len({style.shortened(name) for name in names}) == 1
    for sizes in ((100, 100), (100, 200)):
        figure = accuracy_vs_size(variants(dict(zip(names, [(size, 80) for size in sizes], strict=True))))
        texts = [text.get_text() for text in figure.texts]
        assert [text for text in texts if "flip" in text] == [f"1  {names[0]}", f"2  {names[1]}"]


def test_the_front_is_a_step_through_the_best():
    figure = accuracy_vs_size(variants({"a": (100, 70), "b": (200, 65), "c": (400, 80)}))
    (axes,) = figure.axes
    line = next(line for line in axes.lines if line.get_zorder() == 1)
    right = axes.get_xlim()[1]
    assert line.get_xdata().tolist() == [100, 400, 400, right]
    assert line.get_ydata().tolist() == [70, 70, 80, 80]
    hollow = [line.get_markerfacecolor() == "white" for line in marker_lines(figure)]
    assert hollow == [False, True, False]
    assert axes.get_xscale() == "log"


def test_variants_of_one_size_stand_side_by_side_under_their_names():
    figure = accuracy_vs_size(variants({"lrn=true": (1_068_298, 81.2), "lrn=false": (1_068_298, 81.0)}))
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["lrn=true", "lrn=false"]
    assert axes.get_xlabel() == "all variants have 1,068,298 parameters"
    (x_one, _), (x_two, _) = marker_boxes(figure)
    assert x_two - x_one > 200


def test_points_of_one_size_among_others_are_drawn_apart():
    figure = accuracy_vs_size(variants({"a": (100, 70), "b": (100, 70), "c": (300, 75)}))
    (x_a, y_a), (x_b, y_b), _ = marker_boxes(figure)
    assert abs(x_a - x_b) > MARKER_POINTS * figure.dpi / 72
    assert y_a == pytest.approx(y_b)


def test_error_bars_are_one_standard_deviation_and_absent_with_one_seed():
    for sd, ends in ((0.5, (69.5, 70.5)), (math.nan, None)):
        (axes,) = accuracy_vs_size(variants({"a": (100, 70)}, sd=sd)).axes
        bars = [line.get_ydata() for line in axes.lines if line.get_gid() == "variant-0-seeds"]
        assert [tuple(ys) for ys in bars] == ([pytest.approx(ends)] if ends else [])


def test_the_bar_for_another_test_set_is_broad_and_only_there_when_it_is_known():
    frame = variants({"a": (100, 70), "b": (200, 72)}).assign(se_test_points=[0.4, math.nan])
    figure = accuracy_vs_size(frame)
    (axes,) = figure.axes
    (band,) = (line for line in axes.lines if line.get_gid() == "variant-0-test-set")
    assert band.get_ydata() == pytest.approx([69.6, 70.4])
    (bar,) = (line for line in axes.lines if line.get_gid() == "variant-0-seeds")
    assert band.get_linewidth() > 4 * bar.get_linewidth()
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries[-2:] == ["± 1 sd, another training", "± 1 se, another test set"]
    assert "Broad bar: standard error over test images" in figure.texts[0].get_text()
    without = accuracy_vs_size(variants({"a": (100, 70), "b": (200, 72)}))
    assert "Broad" not in without.texts[0].get_text()


def test_markers_are_as_full_as_being_on_the_front_is_probable():
    frame = variants({"a": (100, 70), "b": (200, 72), "c": (300, 71)}).assign(front_probability=[1.0, 0.5, 0.0])
    figure = accuracy_vs_size(frame)
    full, half, empty = (line.get_markerfacecolor() for line in marker_lines(figure))
    assert (full, empty) == (style.BLUE, "white")
    assert half == pytest.approx((0.5, (1 + 0x72 / 255) / 2, (1 + 0xB2 / 255) / 2))
    assert "Fill: the probability" in figure.texts[0].get_text()


def test_sweeps_differ_in_shape_and_published_figures_are_a_class_of_their_own():
    published = pd.DataFrame({
        "sweep": "published.csv", "variant": ["theirs"], "imported": True, "params": [50], "accuracy_percent_mean": [80.0]
    })  # fmt: skip
    frames = [variants({"a": (100, 70)}, sweep="one"), variants({"b": (200, 72)}, sweep="two"), published]
    figure = accuracy_vs_size(pd.concat(frames, ignore_index=True))
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
        figure = accuracy_vs_size(frame, axis)
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


def test_the_picture_is_the_same_every_time_in_both_formats():
    first, second = (accuracy_vs_size(variants(SIZES)) for _ in range(2))
    assert rendering.png(first) == rendering.png(second)
    assert rendering.svg(first, "size") == rendering.svg(second, "size")


def test_a_figure_can_be_saved_in_both_formats_in_either_order():
    first, second = (accuracy_vs_size(variants(SIZES)) for _ in range(2))
    svg = rendering.svg(first, "size")
    assert rendering.png(first) == rendering.png(second)
    assert rendering.svg(second, "size") == svg


def test_svg_is_one_element_without_text_or_dates():
    text = rendering.svg(accuracy_vs_size(variants(SIZES)), "size")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox").split()[2] == "504"
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not names & {"text", "image", "date"}
    other = rendering.svg(accuracy_vs_size(variants(SIZES)), "other")
    clips = [set(re.findall(r'<clipPath id="(\w+)"', each)) for each in (text, other)]
    assert clips[0] and not clips[0] & clips[1]  # two pictures in one page do not cut each other


def test_names_with_dollars_are_printed_as_they_are():
    names = {"lr=$0_1$": (100, 70), "b^{": (200, 72)}
    assert_apart(accuracy_vs_size(variants(names)), list(names))


def test_nothing_to_draw():
    nothing = variants({"a": (100, 70)}).assign(n=0)
    assert accuracy_vs_size(nothing) is None
    assert accuracy_vs_size(pd.DataFrame()) is None
    assert accuracy_vs_size(variants({"a": (100, 70)}).assign(params=pd.NA)) is None
