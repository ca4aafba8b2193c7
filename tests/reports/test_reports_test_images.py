"""On how many test images accuracies are counted: as recorded, else as known of the data set, else not known and said."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from helpers.stores import Writer, curve

from reports.analysis import answer
from reports.errors import ReportError
from reports.store import reader


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """Two seeds of each that agree; the runs name the digits, which have 360 test images."""
    folder = tmp_path_factory.mktemp("images")
    uri = f"sqlite:///{folder}/mlflow.db"
    writer = Writer(uri, folder)
    for name, tags in (("plain", {}), ("recorded", {"test_images": "50"}), ("wrong", {"test_images": "many"})):
        experiment = writer.sweep(name, ["a", "b"], [0, 1])
        for variant, final in (("a", 0.8), ("b", 0.82)):
            for seed in (0, 1):
                writer.run(experiment, variant, seed, curve(final), **tags)
    return uri


def test_as_recorded_or_as_known_of_the_data_set(uri):
    """On 360 images a step is 0.28 points, and 2 points are 25 errors of 0.08; on 50 it is 2, and they are 3.5 of 0.58."""
    plain, recorded = reader.read("plain", uri), reader.read("recorded", uri)
    assert (plain.test_images("a"), recorded.test_images("a")) == (360, 50)
    assert (plain.verdicts()["b"].word, recorded.verdicts()["b"].word) == ("helps", "undecided")
    assert recorded.runs["test_images"].tolist() == [50] * 4 and plain.runs["test_images"].isna().all()


def test_where_it_is_not_known_the_report_says_so_and_no_verdict_rests_on_seeds_that_agree(uri):
    sweep = reader.read("plain", uri)
    unknown = replace(sweep, runs=sweep.runs.assign(**{"config.data": "mine"}))
    assert unknown.test_images("a") is None and unknown.verdicts()["b"].word == "none"
    (note,) = [each for each in answer.of(unknown, False).details.notes if "test images" in each]
    assert note.startswith("On how many test images the accuracies are counted is not known")
    assert not [each for each in answer.of(sweep, False).details.notes if "test images" in each]
    mixed = sweep.runs.assign(test_images=pd.array([360, 50, 360, 360], "Int64"))
    assert replace(sweep, runs=mixed).test_images("a") is None


def test_a_number_that_is_none_is_named(uri):
    with pytest.raises(ReportError, match="the tag 'test_images' is not a whole number of 1 or more: 'many'"):
        reader.read("wrong", uri)
