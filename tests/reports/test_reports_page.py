"""The report's page: what is in it, read by a parser."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from helpers import pages

from reports.analysis import details as given
from reports.analysis import sentences
from reports.html import cells, forest, inlined, page
from reports.html.forest import Interval
from reports.tables import tables
from zoo.stats.verdicts import VerdictWord

VOID = {"meta", "img", "input", "br", "link"}
NASTY = "</script><b>bold</b>"
SVG = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="504pt" height="300pt">
 <metadata><format>http://purl.org/dc/dcmitype/StillImage</format></metadata>
 <defs><style>*{stroke-linecap: butt}</style><clipPath id="p1"><rect width="9" height="9"/></clipPath></defs>
 <script>alert(1)</script><image href="https://example.org/x.png" onload="alert(1)"/>
 <g id="g1" clip-path="url(#p1)" style="fill: #ffffff; stroke: #000000"><use xlink:href="#p1"/><text>a &lt; b</text></g>
</svg>"""


class Read(HTMLParser):
    """Tags with their attributes and text, and whether everything is closed in turn."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []  # innermost tag, text
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, *names: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def words(self) -> str:
        """What is read, on one line."""
        return " ".join(" ".join(text for tag, text in self.texts if tag not in ("style", "script")).split())

    @property
    def sections(self) -> list[str]:
        return [attributes["id"] for attributes in self.all("section")]


@pytest.fixture(scope="module")
def full() -> str:
    sweep, frame = pages.several()
    return page.render(sweep, frame, pictures=pages.pictures(sweep, frame), details=pages.details(sweep, frame))


# --- what is shown -----------------------------------------------------------------------------------------------


def test_the_answer_comes_first_with_its_numbers_and_what_to_do():
    sweep, frame = pages.pair()
    read = Read(page.render(sweep, frame))
    assert read.sections[0] == "answer"
    words = read.words[: read.words.index("Every variant")]
    assert words.index("Does it matter?") < words.index("helps") < words.index("What to do:") < words.index("How sure:")
    # accuracies 80, 81, 82 and 90, 91, 92: 10 points apart, both with variance 1, 4 degrees of freedom: t(0.975) = 2.7764
    half = 2.7764 * np.sqrt(2 / 3)
    assert f"+10.00 points (95 % interval +{10 - half:.2f} to +{10 + half:.2f})" in words
    assert words.count(f"+{10 - half:.2f}") == 1  # once is enough
    assert cells.typeset(sentences.comparisons(frame, 0.5)[0]) in read.words
    (plot,) = [each for each in read.all("svg") if each.get("role") == "img"][:1]
    assert plot["aria-label"] == f"Difference +10.00 [+{10 - half:.2f}, +{10 + half:.2f}] points"


def test_a_headline_takes_the_place_of_the_plain_sentence():
    sweep, frame = pages.pair()
    told = given.Headline("on", VerdictWord.EQUIVALENT, "It is all the same.", "Drop it.")
    words = Read(page.render(sweep, frame, details=given.Details(headlines=[told]))).words
    assert "= equivalent on It is all the same." in words
    assert "What to do: Drop it." in words
    assert "+10.00 points , 95 % interval +7.73 to +12.27" in words  # which the sentence did not have
    assert cells.typeset(sentences.comparisons(frame, 0.5)[0]) not in words


def test_every_number_of_the_table_is_the_rounded_one_of_the_frame(full):
    words = Read(full).words.replace("\N{MINUS SIGN}", "-")
    _, frame = pages.several()
    for row in tables.formatted(frame):
        shown = ["not known \N{EN DASH}" if text == tables.ABSENT else text for text in row]
        assert " ".join(" ".join(shown).split()) in words


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
    assert f"Of {sum(counts.values())} variants compared, 1 helps, 2 hurt, " in words
    places = [
        words.index(f"{symbol} {word} ") for symbol, word in (("▲", "helps"), ("▼", "hurts"), ("=", "equivalent"))
    ]
    assert places == sorted(places)


def test_all_sections_are_there_when_all_is_given(full):
    assert Read(full).sections == list(page.SECTIONS)


def test_sections_without_data_are_left_out():
    sweep, frame = pages.pair()
    assert Read(page.render(sweep, frame)).sections == ["answer", "variants", "price", "provenance", "glossary"]


def test_frames_with_columns_missing_or_all_nan_do_no_harm():
    sweep, frame = pages.several()
    names = [name for name, value in vars(pages.details(sweep, frame)).items() if isinstance(value, pd.DataFrame)]
    assert len(names) >= 8
    whole = pages.details(sweep, frame)
    for name in names:
        empty = getattr(whole, name).iloc[:0]
        nan = getattr(whole, name).assign(**dict.fromkeys(set(getattr(whole, name)) - {"variant"}, np.nan))
        for some in (empty, nan, getattr(whole, name)[["variant"]] if "variant" in nan else empty):
            text = page.render(sweep, frame, details=replace(given.Details(images=whole.images), **{name: some}))
            assert "could not be" not in text, name
            words = Read(text).words.replace("loss is nan", "")  # why a run failed
            assert re.search(r"\bnan\b", words) is None, name


def test_the_front_is_told_against_every_cost_that_the_frame_has():
    sweep, frame = pages.pair()
    both = frame.assign(front_probability_params=[0.25, 1.0], front_probability_latency=[0.5, np.nan])
    words = Read(page.render(sweep, both, details=pages.details(sweep, frame))).words
    assert "variant parameters latency off 25 % 50 % on 100 % not known" in words


def test_an_incomplete_sweep_says_so_near_the_top_and_names_what_is_missing(full):
    sweep, _ = pages.several()
    words = Read(full).words
    missing = sweep.missing()
    notice = f"Incomplete: {len(missing)} of {3 * len(sweep.variants)} runs have no result"
    assert notice in words
    assert words.index(notice) < words.index("Accuracy against size")
    assert "failed: loss is nan at step 173" in words
    assert "never run 0, 1, 2 not run yet" in words


def test_a_sweep_without_results_is_a_page_that_says_so():
    sweep, frame = pages.empty()
    read = Read(page.render(sweep, frame))
    assert "No run has a result yet" in read.words
    assert read.sections == ["answer", "missing", "provenance", "glossary"]
    assert "could not be" not in read.words


def test_a_baseline_without_results_leaves_nothing_to_compare():
    sweep, frame = pages.without_baseline()
    words = Read(page.render(sweep, frame)).words
    assert "The baseline off has no result yet, so nothing is compared." in words


def test_a_mistake_in_one_part_does_not_lose_the_page(monkeypatch):
    sweep, frame = pages.pair()

    def broken(given):
        raise KeyError("<oops>")

    monkeypatch.setitem(page.SECTIONS, "price", ("What it costs", broken))
    read = Read(page.render(sweep, frame, pictures={"learning_curves": "not a picture"}))
    assert "This part could not be made. KeyError: '<oops>'" in read.words
    assert "This picture could not be shown. not SVG" in read.words
    assert read.sections == ["answer", "variants", "curves", "price", "provenance", "glossary"]


def test_runs_are_linked_where_the_link_is_one():
    sweep, frame = pages.pair()
    ids = sweep.runs["run_id"].tolist()
    links = dict(zip(ids, ("http://localhost:5000/#/runs/1", "mlruns/a b", "javascript:alert(1)"), strict=False))
    read = Read(page.render(sweep, frame, details=given.Details(run_links=links)))
    hrefs = [each["href"] for each in read.all("a")]
    assert "http://localhost:5000/#/runs/1" in hrefs and "mlruns/a%20b" in hrefs
    assert not any("javascript" in href for href in hrefs)
    assert "javascript:alert(1)" in read.words  # told, not linked


def test_provenance_has_commands_margin_checksum_and_versions(full):
    words = Read(full).words
    for piece in ("python run_sweep.py experiments/several.yaml", "0.5 points, declared before the runs", "feed" * 16,
                  "abcdef0123456789", "TensorFlow 2.21.0"):  # fmt: skip
        assert piece in words


# --- safe and self-contained -------------------------------------------------------------------------------------


def test_whatever_people_write_stays_text(full):
    assert NASTY in pages.NAMES
    read = Read(full)
    assert full.count("<script") == 1 and full.count("</script") == 1
    assert not read.all("b") or NASTY in read.words
    assert "<b>bold" not in full
    assert "x" * 200 in read.words
    assert "<i>really</i>" in read.words  # of the question
    policy = next(each["content"] for each in read.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_nothing_is_loaded_from_anywhere(full):
    read = Read(full)
    assert not read.all("link", "iframe", "object", "embed", "base")
    loaded = [each[key] for tag, each in read.tags for key in ("src", "srcset", "data", "poster") if key in each]
    assert loaded and all(source.startswith("data:image/") for source in loaded)
    for tag, each in read.tags:
        if tag != "a":
            assert each.get("href", "#").startswith("#") and each.get("xlink:href", "#").startswith("#")
    style = "".join(text for tag, text in read.texts if tag == "style")
    assert "@import" not in style and "url(" not in style


def test_the_same_arguments_give_the_same_text(full):
    sweep, frame = pages.several()
    again = page.render(sweep, frame, pictures=pages.pictures(sweep, frame), details=pages.details(sweep, frame))
    assert again == full


def test_twenty_variants_of_ten_seeds_are_quick_and_small():
    sweep, frame = pages.many(20, 10)
    details = pages.details(sweep, frame)
    page.render(sweep, frame, details=details)  # templates are compiled
    taken = []
    for _ in range(3):
        start = time.process_time()
        text = page.render(sweep, frame, details=details)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.3
    assert len(text) < 3_000_000


# --- for everybody -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["full", "pair", "empty"])
def test_structure_is_that_of_a_document(make, full):
    read = Read(full if make == "full" else page.render(*getattr(pages, make)()))
    assert read.all("html")[0]["lang"] == "en"
    assert len(read.all("h1")) == 1 and len(read.all("main")) == 1 and len(read.all("nav")) == 1
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    ids = [each["id"] for _, each in read.tags if "id" in each]
    assert len(ids) == len(set(ids))
    known = set(ids)
    for _, each in read.tags:
        href = each.get("href") or ""
        assert not href.startswith("#") or href[1:] in known
        assert set((each.get("aria-labelledby") or "").split()) <= known
    drawings = [each for tag, each in read.tags if tag == "img" or (tag == "svg" and "overflow" not in each)]
    for each in drawings:
        assert each.get("alt") or each.get("aria-hidden") == "true" or (each["role"] == "img" and each["aria-label"])
    labelled = {each["for"] for each in read.all("label")}
    assert all(each["id"] in labelled for each in read.all("input", "select"))
    assert len(read.all("caption")) == len(read.all("table"))
    assert all(each.get("scope") in ("row", "col") for each in read.all("th"))
    assert all(each.get("aria-label") for each in read.all("nav"))
    assert all(each.get("aria-label") for _, each in read.tags if each.get("role") == "region")


def test_a_verdict_is_a_word_and_a_sign_and_not_a_colour_alone(full):
    words = Read(full).words
    for sign, word in (("▲", "helps"), ("▼", "hurts"), ("=", "equivalent"), ("\N{EN DASH}", "no verdict")):
        assert f"{sign} {word}" in words


# --- the pieces --------------------------------------------------------------------------------------------------


def test_an_inlined_picture_keeps_its_shapes_and_nothing_else():
    text = inlined.inlined(SVG, "p0-", 'a "label"')
    assert text.startswith('<svg role="img" aria-label="a &#34;label&#34;" viewBox="0 0 504 300"')
    assert 'id="p0-p1"' in text and 'clip-path="url(#p0-p1)"' in text and 'href="#p0-p1"' in text
    assert "fill: var(--plate); stroke: var(--ink)" in text and "a &lt; b" in text
    for gone in ("<?xml", "DOCTYPE", "metadata", "http", "<style", "script", "onload", "xmlns"):
        assert gone not in text
    for wrong in ("", "<p>no</p>", "<svg xmlns='http://www.w3.org/2000/svg'/>"):
        with pytest.raises(ValueError, match="not SVG"):
            inlined.inlined(wrong, "p", "x")


def test_two_pictures_with_the_same_ids_do_not_meet():
    sweep, frame = pages.pair()
    text = page.render(sweep, frame, pictures={"accuracy_vs_size/params": SVG, "accuracy_vs_size/macs": SVG})
    assert len(re.findall(r'id="size\d-p1"', text)) == 2 == len(set(re.findall(r'id="size\d-p1"', text)))


def test_a_scale_holds_zero_the_margin_and_cuts_an_endless_interval():
    scale = forest.scale([Interval(1.0, 0.5, 1.5), Interval(0.5, -40.0, 41.0)], 0.5)
    assert (scale.low, scale.high) == pytest.approx((-3.9, 3.9))  # three times 1.3 times the largest middle
    assert scale.percent(0) == 50 and scale.percent(-99) == 4 and scale.percent(99) == 96
    assert "arrow" in forest.row(Interval(0.5, -40.0, 41.0), scale, "x")
    assert "arrow" not in forest.row(Interval(1.0, 0.5, 1.5), scale, "x")
    assert forest.scale([]) == forest.Scale(-1.3, 1.3) or forest.scale([]).low < 0 < forest.scale([]).high
    assert forest.scale([Interval(0.0, 0.0, 0.0)]).high > 0


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (-0.7, 3.1, [0, 1, 2, 3]),
        (-0.02, 0.01, [-0.02, -0.01, 0, 0.01]),
        (-400, 30, None),
    ],
)
def test_ticks_are_few_and_round_and_have_zero(low, high, wanted):
    found = forest.ticks(forest.Scale(low, high))
    assert 0 in found and len(found) <= forest.TICKS and len(found) >= 2
    assert wanted is None or found == pytest.approx(wanted)


def test_minus_signs_are_set_before_numbers_only():
    assert cells.typeset("lr=-3 is -0.5 [-1, +2] and pre-2 x") == "lr=-3 is −0.5 [−1, +2] and pre-2 x"  # noqa: RUF001
    assert cells.points(-0.001) == "+0.00"
    assert cells.leading("1,068,298") == 1068298 and cells.leading("-") is None
