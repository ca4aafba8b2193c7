"""The report's page: what is in it, read by a parser."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
from helpers import pages
from helpers.html_reader import Read

from reports.analysis.details import Details, Headline
from reports.html import page
from zoo.stats.verdicts import VerdictWord


def test_the_answer_comes_first_with_its_numbers_and_what_to_do():
    sweep, frame = pages.pair()
    read = Read(page.render(sweep, frame))
    assert read.sections[0] == "answer"
    words = read.words[: read.words.index("Every variant")]
    assert (
        words.index("Does it matter?")
        < words.index("Yes. Use on")
        < words.index("What it costs")
        < words.index("How sure:")
    )
    assert "Yes. Use on instead of off: 91.00 % with on, 81.00 % with off. That is 10.00 points more" in words
    # accuracies 80, 81, 82 and 90, 91, 92: 10 points apart, both with variance 1, 4 degrees of freedom: t(0.975) = 2.7764
    half = 2.7764 * np.sqrt(2 / 3)
    assert f"(95 % interval +{10 - half:.2f} to +{10 + half:.2f}; 3 trainings each" in words
    # seconds of training: 100, 101, 102 and 50, 51, 52; logarithms of the ratios: mean -0.6834, 4.303 errors of 0.00562
    assert "What it saves with on: training 1.98 times as fast (1.93 to 2.0)." in words
    assert "What it costs with on: parameters and MACs 2 times as many." in words
    (plot,) = [each for each in read.all("svg") if each.get("role") == "img"][:1]
    assert plot["aria-label"] == f"Difference +10.00 [+{10 - half:.2f}, +{10 + half:.2f}] points"


def test_a_comparison_among_several_says_what_to_do():
    sweep, frame = pages.several()
    headline = Headline("width=2", VerdictWord.EQUIVALENT, "It is all the same.", "Drop it.")
    words = Read(page.render(sweep, frame, details=Details(headlines=[headline]))).words
    # 80.2, 80.25, 80.15 and 80.1, 80.2, 80.15: 0.05 points apart
    assert re.search(r"width=2 \+0\.05 points \([\d.]+ % interval [^)]*\) 80\.20 % Drop it\. How sure", words)


def test_the_table_has_every_number_rounded(full):
    missing = "not known \N{EN DASH}"
    pair = Read(page.render(*pages.pair())).words.replace("\N{MINUS SIGN}", "-")
    assert f"off baseline {missing} {missing} 81.00 ± 1.00 (3) 1,000 5,000 1.7 min 0.5" in pair
    assert "on helps +10.00 [+7.73, +12.27] 91.00 ± 1.00 (3) 2,000 10,000 51 s 0.6" in pair
    assert "All variants have 10,000 operations." in pair  # no column for what does not differ
    several = Read(full).words.replace("\N{MINUS SIGN}", "-")
    # 80.1, 80.2 and 80.15 against one training at 81.5
    assert "lr=-3 no verdict +1.35 [n/a] 81.50 (1) of 3 7,000 35,000 14.3 s 1.1" in several
    assert " ".join(["never run no verdict", *[missing] * 6]) in several


def test_what_a_table_is_sorted_by_is_unrounded(full):
    values = [float(each["data-value"]) for each in Read(full).all("td") if "data-value" in each]
    _, frame = pages.several()
    for column in ("accuracy_percent_mean", "difference_points", "params", "train_s"):
        assert set(frame[column].dropna().astype(float)) <= set(values)


def test_many_comparisons_are_counted_and_ordered_by_verdict(full):
    _, frame = pages.several()
    read = Read(full)
    words = read.words
    counts = Counter(frame.loc[~frame["baseline"] & frame["difference_points"].notna(), "verdict"])
    assert counts[VerdictWord.HELPS] == 1 and counts[VerdictWord.HURTS] == 2 and counts[VerdictWord.NONE] == 1
    assert f"Of {sum(counts.values())} variants one is more accurate than the baseline, two are less accurate" in words
    positions = [
        words.index(f"{symbol} {word} ") for symbol, word in (("▲", "helps"), ("▼", "hurts"), ("=", "equivalent"))
    ]
    assert positions == sorted(positions)


def test_all_sections_are_there_when_there_is_something_for_each(full):
    assert Read(full).sections == list(page.SECTIONS)


def test_sections_without_data_are_left_out():
    sweep, frame = pages.pair()
    assert Read(page.render(sweep, frame)).sections == ["answer", "variants", "look", "price", "provenance", "glossary"]


def test_frames_with_columns_missing_or_all_nan_do_no_harm():
    sweep, frame = pages.several()
    names = [name for name, value in vars(pages.details(sweep, frame)).items() if isinstance(value, pd.DataFrame)]
    assert len(names) >= 8
    whole = pages.details(sweep, frame)
    for name in names:
        empty = getattr(whole, name).iloc[:0]
        nan = getattr(whole, name).assign(**dict.fromkeys(set(getattr(whole, name)) - {"variant"}, np.nan))
        for some in (empty, nan, getattr(whole, name)[["variant"]] if "variant" in nan else empty):
            text = page.render(sweep, frame, details=replace(Details(images=whole.images), **{name: some}))
            assert "could not be" not in text, name
            words = Read(text).words.replace("loss is nan", "")  # why a run failed
            assert re.search(r"\bnan\b", words) is None, name


def test_the_front_is_told_against_every_cost_that_the_frame_has():
    sweep, frame = pages.pair()
    both = frame.assign(front_probability_params=[0.25, 1.0], front_probability_latency=[0.5, np.nan])
    words = Read(page.render(sweep, both, details=pages.details(sweep, frame))).words
    assert "variant parameters latency off 25 % 50 % on 100 % not known" in words


def test_an_incomplete_sweep_says_so_near_the_top_and_names_what_is_missing(full):
    words = Read(full).words
    # one of width=0.5 failed; two of lr=-3 and three of "never run" are still to come
    notice = "Incomplete: 5 of 24 runs have no result yet; 1 of the 8 variants has none at all: never run."
    assert notice in words
    assert words.index(notice) < words.index("more accurate than the baseline")
    assert "failed: loss is nan at step 173" in words
    assert "never run 0, 1, 2 not run yet" in words


def test_a_sweep_without_results_is_a_page_that_says_so():
    sweep, frame = pages.empty()
    read = Read(page.render(sweep, frame))
    assert "There is no answer yet: no run has a result." in read.words
    assert read.sections == ["answer", "missing", "provenance", "glossary"]
    assert "could not be" not in read.words


def test_a_baseline_without_results_leaves_nothing_to_compare():
    sweep, frame = pages.without_baseline()
    words = Read(page.render(sweep, frame)).words
    assert (
        "There is no answer yet: the baseline off has no result to compare with. Mean accuracies: on 80.50 %." in words
    )


def test_a_mistake_in_one_part_does_not_lose_the_page(monkeypatch):
    sweep, frame = pages.pair()

    def broken(data):
        raise KeyError("<oops>")

    monkeypatch.setitem(page.SECTIONS, "price", ("What each costs", broken))
    read = Read(page.render(sweep, frame, pictures={"learning_curves": "not a picture"}))
    assert "This part could not be made. KeyError: '<oops>'" in read.words
    assert "This picture could not be shown. not SVG" in read.words
    assert read.sections == ["answer", "variants", "look", "curves", "price", "provenance", "glossary"]


def test_runs_are_linked_where_the_link_is_one():
    sweep, frame = pages.pair()
    ids = sweep.runs["run_id"].tolist()
    links = dict(zip(ids, ("http://localhost:5000/#/runs/1", "mlruns/a b", "javascript:alert(1)"), strict=False))
    read = Read(page.render(sweep, frame, details=Details(run_links=links)))
    hrefs = [each["href"] for each in read.all("a")]
    assert "http://localhost:5000/#/runs/1" in hrefs
    assert not any("javascript" in href or "mlruns" in href for href in hrefs)
    assert "javascript:alert(1)" in read.words and "mlruns/a b" in read.words  # shown as text, not linked


def test_provenance_has_commands_margin_checksum_and_versions(full):
    words = Read(full).words
    for piece in ("python run_sweep.py experiments/several.yaml", "0.5 points; when it was declared is not known",
                  "feed" * 16,
                  "abcdef0123456789", "TensorFlow 2.21.0"):  # fmt: skip
        assert piece in words
