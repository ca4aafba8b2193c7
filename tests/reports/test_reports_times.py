"""Times in the reports: what is compared with what, and what is said of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.stores import Writer, costs, curve

import reports
from reports.analysis import answer, variants
from reports.store import reader

SECONDS = {"a": (100.0, 112.0, 93.0, 104.0), "b": (130.0, 146.0, 122.0, 134.0), "c": (101.0, 111.0, 93.5, 104.5)}
ROUNDS_MS = {"a": [1.0, 1.1, 1.2, 1.0], "b": [1.5, 1.66, 1.79, 1.51], "c": [1.0, 1.1, 1.2, 1.0]}


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("store")
    address = f"sqlite:///{folder / 'mlflow.db'}"
    writer = Writer(address, folder)

    def sweep(
        name: str,
        shares=lambda variant, seed: None,
        device=lambda variant: "CPU",
        session=lambda variant: "s",
        began=lambda variant, seed: None,
    ):
        experiment = writer.sweep(name, list(SECONDS), [0, 1, 2, 3])
        for variant, seconds in SECONDS.items():
            for seed, train_s in enumerate(seconds):
                once = costs(1000, train_s, np.median(ROUNDS_MS[variant]))
                if (share := shares(variant, seed)) is not None:
                    once |= {"cost/train_others_busy": share, "latency_ms/others_busy": share}
                tags = {"latency_session": session(variant), "latency_rounds_ms/tf": json.dumps(ROUNDS_MS[variant])}
                tags = tags if session(variant) else {}
                if (began_s := began(variant, seed)) is not None:
                    tags = tags | {"training_began": str(began_s)}
                final = curve(0.7 if variant == "b" else 0.8)
                writer.run(experiment, variant, seed, final, once=once, device=device(variant), **tags)

    sweep("quiet", lambda variant, seed: 0.01)
    sweep("unknown")
    sweep("busy_once", lambda variant, seed: 0.4 if (variant, seed) == ("a", 0) else 0.0)
    sweep("busy", lambda variant, seed: 0.06)
    sweep("elsewhere", device=lambda variant: "GPU" if variant == "b" else "CPU")
    sweep("other_sessions", session=lambda variant: "t" if variant == "b" else "s")
    sweep("in_turn", began=lambda variant, seed: 1000.0 * seed + 200 * "abc".index(variant))
    sweep("added_later", began=lambda variant, seed: 1000.0 * seed + 100 * "ac".find(variant) + 9000 * (variant == "b"))
    sweep("at_once", began=lambda variant, seed: 10.0 * seed + "abc".index(variant))
    sweep("earlier", session=lambda variant: "")
    return address


def compared(uri: str, sweep: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The word and the note of each comparison with a."""
    frame = variants.frame(reader.read(sweep, uri)).set_index("variant")
    metrics = {"train": "train_s", "latency": "latency_tf_p50_ms"}
    return {
        (short, variant): tuple(frame.loc[variant, [f"{metric}_ratio_word", f"{metric}_ratio_note"]])
        for short, metric in metrics.items()
        for variant in ("b", "c")
    }


@pytest.mark.parametrize("sweep", ["quiet", "unknown"])
def test_the_columns_of_the_frame(uri, sweep):
    frame = variants.frame(reader.read(sweep, uri)).set_index("variant")
    logs = np.log(np.array(SECONDS["b"]) / SECONDS["a"])
    half = 4.1765 * np.std(logs, ddof=1) / 2  # Student's t with 3 degrees of freedom; 2.5 %, for two comparisons
    expected = np.exp([logs.mean(), logs.mean() - half, logs.mean() + half])
    found = frame.loc["b", ["train_s_ratio", "train_s_ratio_low", "train_s_ratio_high"]].to_numpy(float)
    assert found == pytest.approx(expected, rel=1e-4)
    assert frame.loc["b", "latency_tf_p50_ms_ratio"] == pytest.approx(1.505, abs=0.01)
    assert np.isnan(frame.loc["a", "train_s_ratio"]) and frame.loc["a", "train_s_ratio_word"] == ""
    assert compared(uri, sweep) == {
        ("train", "b"): ("slower", ""),
        ("train", "c"): ("same within 5 percent", ""),
        ("latency", "b"): ("slower", ""),
        ("latency", "c"): ("same within 5 percent", ""),  # the same network
    }


def test_times_taken_while_something_else_ran_are_left_out(uri):
    once = variants.frame(reader.read("busy_once", uri)).set_index("variant")
    logs = np.log(np.array(SECONDS["b"][1:]) / SECONDS["a"][1:])
    assert once.loc["b", "train_s_ratio"] == pytest.approx(np.exp(logs.mean()))  # without the first seed
    busy = compared(uri, "busy")
    assert busy["train", "b"] == busy["latency", "b"] == ("not compared", "measured while something else ran")
    assert busy["latency", "c"] == ("same within 5 percent", "")  # the same network, whatever ran


def test_on_one_device_and_in_the_same_rounds_only(uri):
    assert compared(uri, "elsewhere")["train", "b"] == ("not compared", "measured on different devices")
    assert compared(uri, "elsewhere")["train", "c"] == ("same within 5 percent", "")
    apart = ("not compared", "not measured in the same rounds")
    assert compared(uri, "other_sessions")["latency", "b"] == apart
    assert compared(uri, "other_sessions")["latency", "c"] == ("same within 5 percent", "")
    assert compared(uri, "earlier")["latency", "b"] == apart


def test_a_seed_is_a_block_in_time_only_where_its_trainings_went_in_turn(uri):
    assert compared(uri, "in_turn")["train", "b"] == compared(uri, "at_once")["train", "b"] == ("slower", "")
    later = compared(uri, "added_later")
    assert later["train", "b"] == ("not compared", "measured at different times")
    assert later["train", "c"] == ("same within 5 percent", "")


def test_the_exported_frames_have_the_ratios(uri, tmp_path):
    report = reports.write("quiet", tmp_path, ("csv", "parquet", "html"), uri)
    header = (tmp_path / "variants.csv").read_text().partition("\n")[0].split(",")
    assert {f"{metric}_ratio{end}" for metric in ("train_s", "latency_tf_p50_ms") for end in ("", "_low", "_high")} <= {
        *header
    }
    assert "train_others_busy" in (tmp_path / "runs.csv").read_text().partition("\n")[0]
    assert "training takes 1.30 times as long (1.2" in " ".join(report.summary.split())


def test_the_front_of_measured_costs_is_drawn_only_where_they_can_be_compared(uri):
    """a and c are the same network, equally accurate to rounding; b is less accurate and slower."""
    quiet = answer.of(reader.read("quiet", uri), with_images=False).variants.set_index("variant")
    front = quiet["front_probability_latency"]
    assert front["b"] == 0
    assert [front["a"], front["c"]] == pytest.approx([0.5, 0.5], abs=0.04)  # whichever is drawn more accurate
    assert 0.5 < quiet.loc["a", "front_probability_train_s"] < 1  # against c, which takes as long
    for sweep in ("busy", "elsewhere", "other_sessions"):
        columns = set(answer.of(reader.read(sweep, uri), with_images=False).variants)
        assert ("front_probability_train_s" in columns) == (sweep == "other_sessions")
        assert ("front_probability_latency" in columns) == (sweep == "elsewhere")
