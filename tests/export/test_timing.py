"""Exported files timed side by side: with a clock of the test's own, and once for real."""

from __future__ import annotations

import json
import multiprocessing
import time

import numpy as np
import pytest

from zoo.export import sources, writing
from zoo.export.timing import __main__ as command
from zoo.export.timing import session as sessions
from zoo.export.timing.session import Session
from zoo.stats.costs.ratios import RatioWord


class Clock:
    """Time that passes only in calls."""

    def __init__(self):
        self.now_ns, self.order = 0, []

    def __call__(self):
        return self.now_ns

    def taking(self, name, milliseconds):
        def call():
            self.order.append(name)
            self.now_ns += round(1e6 * milliseconds())

        return call


@pytest.fixture(autouse=True)
def no_wait(monkeypatch):
    monkeypatch.setattr(sessions, "SAMPLE_S", 0.01)


def test_calls_go_round_by_round_in_an_order_that_is_drawn_anew():
    clock = Clock()
    calls = {name: clock.taking(name, lambda: 20.0) for name in "abc"}
    session = sessions.measured(calls, rounds=8, least_calls=8, clock_ns=clock, others=lambda: 0.0)
    assert {name: times.shape for name, times in session.times_ms.items()} == dict.fromkeys("abc", (8, 1))
    measured = clock.order[-24:]
    rounds = [tuple(measured[first : first + 3]) for first in range(0, 24, 3)]
    assert all(sorted(each) == ["a", "b", "c"] for each in rounds) and len(set(rounds)) > 1


def test_fast_and_slow_files_take_about_as_long_in_a_round():
    clock = Clock()
    calls = {"fast": clock.taking("fast", lambda: 0.5), "slow": clock.taking("slow", lambda: 50.0)}
    session = sessions.measured(calls, rounds=4, least_calls=100, clock_ns=clock, others=lambda: 0.0)
    assert session.times_ms["fast"].shape == (4, 40)  # 40 x 0.5 ms are a block of 20 ms
    assert session.times_ms["slow"].shape == (4, 1)
    found = session.percentiles("slow")["p50"]
    assert (found.value, found.low, found.high) == (50.0, 50.0, 50.0)


def test_what_slows_all_down_falls_out_of_the_ratios():
    """From round to round the machine gets slower, up to three times; one file takes 1.5 times as long as the other."""
    random, clock = np.random.default_rng(0), Clock()

    def at(factor):
        return lambda: factor * (1 + 2 * min(1, clock.now_ns / 8e9)) * random.lognormal(0, 0.02)

    calls = {"base": clock.taking("base", at(10.0)), "more": clock.taking("more", at(15.0))}
    session = sessions.measured(calls, rounds=64, least_calls=64, clock_ns=clock, others=lambda: 0.0)
    ratio = session.ratios("base")["more"]
    assert ratio.word is RatioWord.SLOWER and ratio.low < 1.5 < ratio.high and ratio.high - ratio.low < 0.1
    wide = session.percentiles("base")["p50"]
    assert wide.high / wide.low - 1 > 3 * (ratio.high / ratio.low - 1)  # the times themselves are known far worse


def test_percentiles_are_those_of_all_calls():
    session = Session({"a": np.arange(1.0, 101).reshape(20, 5)}, 0.0, 0.0)
    found = session.percentiles("a")
    assert found["p50"].value == 50.5 and found["p90"].value == pytest.approx(90.1)
    assert found["p50"].low < 50.5 < found["p50"].high


@pytest.mark.parametrize(("before", "during"), [(0.2, 0.0), (0.0, 0.2)])
def test_a_session_beside_others_is_marked_and_compared_with_nothing(before, during):
    session = Session({"a": np.ones((4, 1)), "b": np.ones((4, 1))}, before, during)
    assert session.is_busy
    with pytest.raises(ValueError, match="something else ran beside this session"):
        session.ratios("a")
    assert not Session({}, None, None).is_busy  # where the system does not say, nothing is claimed


def _compute():
    while True:
        pass


def test_a_busy_loop_beside_it_is_seen(monkeypatch):
    monkeypatch.setattr(sessions, "SAMPLE_S", 1.0)
    context = multiprocessing.get_context("spawn")
    loop = context.Process(target=_compute, daemon=True)
    loop.start()
    try:
        session = sessions.measured({"a": lambda: time.sleep(0.02)}, rounds=30, least_calls=30, patience_s=0.0)
    finally:
        loop.kill()
        loop.join()
    assert session.is_busy and session.others_during > 0.05


def test_files_of_two_runtimes_in_one_session(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.0)
    prepared = writing.prepare(sources.of_model("nin0"))
    paths = [str(writing.export(prepared, name, tmp_path)[0]) for name in ("tflite_int8", "onnx")]
    code = command.main([*paths, "--rounds", "4", "--batch", "1", "--batch", "4", "--json"])
    found = json.loads(capsys.readouterr().out)
    names = ["nin0_tflite_int8.tflite", "nin0_tflite_int8.tflite x 4", "nin0_onnx.onnx", "nin0_onnx.onnx x 4"]
    assert list(found["times_ms"]) == names and all(len(times) == 4 for times in found["times_ms"].values())
    assert code == int(found["is_busy"]) and bool(found["ratios"]) != found["is_busy"]


def test_the_table_says_whether_it_was_disturbed(capsys):
    quiet = Session({"a": np.full((4, 2), 2.0), "b": np.array([[4.0, 4.1]] * 2 + [[4.2, 4.0]] * 2)}, 0.0, 0.01)
    text = command._report(quiet, quiet.ratios("a"), "a", 1)
    assert "ratio to a" in text and "others took 0.0 % before and 1.0 % during it" in text and "MARKED" not in text
    busy = Session(quiet.times_ms, 0.0, 0.3)
    text = command._report(busy, {}, "a", 0)
    assert "MARKED: other programs took more than 5 % of the machine" in text and "not compared" in text


@pytest.mark.parametrize(
    ("contents", "message"), [(None, "there is no file"), (b"", "is missing: it says what lone.onnx takes")]
)
def test_files_that_cannot_be_timed(tmp_path, capsys, contents, message):
    if contents is not None:
        (tmp_path / "lone.onnx").write_bytes(contents)
    assert command.main([str(tmp_path / "lone.onnx")]) == 2
    assert message in capsys.readouterr().err
