"""Learning curves: the right numbers drawn, each training once."""

from __future__ import annotations

import dataclasses
import io
import itertools
import warnings

import pandas as pd
import pytest
from PIL import Image

from reports.figures import fonts, rendering, style
from reports.figures.curve_data import training_curves
from reports.figures.learning_curves import learning_curves
from reports.store.sweep import Sweep


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


def test_curves_are_mean_and_range_over_seeds_in_percent():
    (training,) = training_curves(sweep({"a": 80.0}, seeds=3))
    averaged, raw = training.curves["averaged weights"], training.curves["raw weights"]
    assert averaged.step.tolist() == [100, 200, 300, 400]
    assert averaged.mean.tolist() == pytest.approx([41, 81, 81, 81])  # seeds at 80, 81, 82
    assert averaged.low.tolist() == pytest.approx([40, 80, 80, 80])
    assert averaged.high.tolist() == pytest.approx([42, 82, 82, 82])
    assert raw.mean.tolist() == pytest.approx([39, 79, 79, 79])


def test_only_steps_that_every_seed_has_are_averaged():
    data = sweep({"a": 80.0})
    histories = data.histories.drop(data.histories.query("run_id == 'a/1' and step == 300").index)
    (training,) = training_curves(dataclasses.replace(data, histories=histories))
    assert training.curves["averaged weights"].step.tolist() == [100, 200, 400]


def test_readouts_of_one_training_are_one_curve():
    (training,) = training_curves(sweep({"ema=true": 80.0, "ema=false": 80.0}, shared=True))
    assert training.label == "ema=true | ema=false"
    assert training.is_baseline


def test_averaged_is_solid_and_raw_is_dashed():
    figure = learning_curves(sweep({"a": 80.0, "b": 70.0}))
    whole, closer = figure.axes
    assert [line.get_linestyle() for line in whole.lines] == ["-", "--", "-", "--"]
    assert whole.lines[0].get_color() != whole.lines[2].get_color()
    assert closer.get_ylim()[0] > 60  # the first evaluation, 40 points lower, is left to the other half
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries[:4] == ["a", "b", "averaged weights", "raw weights"]


def test_without_averages_the_one_kind_is_solid():
    figure = learning_curves(sweep({"a": 80.0}, averaged=False))
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"-"}


def test_many_variants_get_a_panel_each():
    names = {f"model={index}": 70.0 + index for index in range(8)}
    figure = learning_curves(sweep(names))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in shown]
    assert titles == ["model=0 (baseline)", *list(names)[1:]]
    with Image.open(io.BytesIO(rendering.png(figure))) as image:
        assert image.size[0] == 7 * 300


def test_of_sixty_variants_the_baseline_and_the_best_five_stand_out():
    names = {f"model={index}": 70.0 + (7 * index) % 60 / 10 for index in range(60)}  # the best end at 75.9 to 75.5
    figure = learning_curves(sweep(names))
    assert figure.get_figheight() < 6  # inches
    best = sorted(names, key=names.__getitem__, reverse=True)[:5]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["baseline: model=0", *best, "the other 54 variants", "mean over seeds, averaged weights"]
    whole = figure.axes[0]
    colors = [line.get_color() for line in whole.lines]
    assert len(colors) == 60 and colors[:54] == [style.REST] * 54 and len({*colors[54:]}) == 6
    ends = [line.get_ydata()[-1] for line in whole.lines[54:]]
    assert ends == pytest.approx([*(names[name] + 0.5 for name in best), 70.5])  # two seeds, one point apart


def test_a_label_is_what_differs_from_the_baseline_and_is_cut_at_its_end():
    levels = {name: {"long": "x" * 80, "lrn": lrn} for name, lrn in (("a" * 90, True), ("b" * 90, False))}
    labels = [
        each.label for each in training_curves(dataclasses.replace(sweep(dict.fromkeys(levels, 80.0)), levels=levels))
    ]
    assert labels == ["a" * 57 + "…", "lrn=false"]


def test_letters_that_no_font_has_are_named_and_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = sweep({"lrn=\u6fc0\U0001fabf\ufe0f": 80.0})  # a sign of Chinese, and a goose
        picture = rendering.svg(learning_curves(data), "curves")
    assert picture.count("<svg") == 1
    assert fonts.drawable("a\U000f0000") == "a[u+f0000]"  # for private use: in no font


def test_no_curve_without_a_result():
    data = sweep({"a": 80.0})
    failed = data.runs.assign(status="FAILED")
    assert learning_curves(dataclasses.replace(data, runs=failed)) is None
