"""The numbers that the page's script goes by."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
from helpers import pages

from reports.analysis.details import Details
from reports.html import look_data
from reports.html.page_data import PageData


def of(made, frame) -> dict:
    return json.loads(look_data.as_json(PageData(made, frame, {}, Details())))


def test_no_text_ends_the_element_that_holds_it():
    made, frame = pages.several()
    text = look_data.as_json(PageData(made, frame, {}, Details()))
    assert not {"<", ">", "&", "\u2028"} & {*text}
    assert json.loads(text)["variants"][1]["name"] == "</script><b>bold</b>"


def test_runs_without_a_result_are_left_out_and_what_was_not_measured_is_null():
    made, frame = pages.several()
    variants = of(made, frame)["variants"]
    assert variants[4]["accuracies"] == [60.0, 60.3] and variants[4]["seeds"] == [0, 1]  # the third failed
    assert variants[7]["accuracies"] == [] and variants[7]["costs"]["params"] is None


def test_long_curves_are_thinned_and_keep_their_ends():
    made, frame = pages.pair()
    run_id = made.runs["run_id"].iloc[0]
    steps = np.arange(1, 1001)
    rows = pd.DataFrame({"run_id": run_id, "metric": "test/accuracy_raw", "step": steps, "value": steps / 1000})
    data = of(replace(made, histories=rows), frame)
    assert len(data["steps"]) == look_data.MOST_POINTS and data["steps"][0] == 1 and data["steps"][-1] == 1000
    (kind,) = data["curves"]
    (training,) = kind["trainings"]
    assert training["values"][-1] == 100.0 and training["values"] == [step / 10 for step in data["steps"]]


def test_of_many_trainings_each_variant_has_its_mean():
    """41 variants of 3 seeds are more than are drawn one by one."""
    made, frame = pages.many(41, 3)
    trainings = of(made, frame)["curves"][0]["trainings"]
    assert len(trainings) == 41 and {each["seed"] for each in trainings} == {None}
    mean = made.results("width=7")["accuracy_percent"].mean()
    assert trainings[7]["values"][-1] == float(f"{mean:.4g}")


def test_a_sweep_without_anything_has_data_of_nothing():
    data = of(*pages.empty())
    assert data["curves"] == [] and [each["accuracies"] for each in data["variants"]] == [[], []]
