"""The table of the zoo: counts by hand, ratios of sizes and times, and what is said of a disturbed session."""

from __future__ import annotations

import numpy as np
import pytest

from zoo import models
from zoo.export import table
from zoo.export.table import Row, ZooTable
from zoo.export.timing import session as sessions
from zoo.export.timing.session import Session
from zoo.models import __main__ as command

REASON = "LiteRT int8 cannot be made of small"


def made(others: float = 0.0) -> ZooTable:
    bytes_ = {"frozen_graph": 4_278_765, "tflite_float32": 4_000, "tflite_int8": 1_000}
    rows = (
        Row("tuto", 1_000, 10, 2_000, 300, bytes_),
        Row("small", 100, 5, 500, 600, bytes_ | {"frozen_graph": 602_968, "tflite_int8": REASON}),
    )
    random = np.random.default_rng(0)
    slow = random.normal(4.0, 0.01, (64, 4))
    times = {
        "tuto tflite_float32": slow,
        "small tflite_float32": random.normal(1.0, 0.002, (64, 4)),
        "tuto tflite_int8": slow / 2,
    }
    return ZooTable(rows, Session(times, 0.0, others))


def test_depth_as_keras_applications_counts_it():
    """conv, max pool with its ReLU, normalization, conv, normalization, pool, flatten, two dense layers, logits."""
    assert table.depth(models.build("tuto")) == 10


def test_sizes_and_times_beside_the_first_model():
    text = table.as_text(made())
    ratios = text.partition("Beside tuto:")[2].splitlines()
    small = next(line.split() for line in ratios if line.startswith("small"))
    assert small[1:7] == ["0.1", "0.25", "2", "0.141", "1", "-"]  # 602,892 / 4,278,750 was published
    assert small[7] in ("0.249", "0.25", "0.251") and small[-2:] == ["not", "compared"]
    assert REASON in text and "MARKED" not in text


def test_times_of_a_disturbed_session_are_compared_with_nothing():
    text = table.as_text(made(others=0.5))
    assert "MARKED: other programs took more than 5 %" in text
    assert made(others=0.5).ratios("tflite_float32") == {}


def test_a_model_for_real(monkeypatch, capsys):
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.0)
    monkeypatch.setattr(sessions, "SAMPLE_S", 0.01)
    measured = table.measured(["squeeze1"], rounds=3)
    (row,) = measured.rows
    assert (row.params, row.macs) == (146_570, 11_261_952)
    assert abs(row.bytes["frozen_graph"] - 602_892) < 1_000  # as published
    assert set(measured.session.times_ms) == {"squeeze1 tflite_float32", "squeeze1 tflite_int8"}


def test_an_unknown_model_is_refused(capsys):
    assert command.main(["--table", "tuto,squeez1"]) == 2
    assert "did you mean 'squeeze1'" in capsys.readouterr().err


@pytest.mark.parametrize("format_name", table.FORMATS)
def test_its_formats_exist(format_name):
    from zoo.export import registry

    assert registry.exporter(format_name).name == format_name
