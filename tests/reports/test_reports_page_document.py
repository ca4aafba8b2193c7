"""The report's page as a document: safe, self-contained, and for everybody."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from helpers import pages
from helpers.html_reader import Read
from helpers.svg import SVG

from reports.html import page

NASTY = "</script><b>bold</b>"


def test_whatever_people_write_stays_text(full):
    assert NASTY in pages.NAMES
    read = Read(full)
    assert full.count("<script") == 2 and full.count("</script") == 2  # the data of the script, and the script
    assert read.all("script") == [{"type": "application/json", "id": "look-data"}, {}]
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


def test_two_pictures_with_the_same_ids_do_not_meet():
    sweep, frame = pages.pair()
    text = page.render(sweep, frame, pictures={"accuracy_vs_size/params": SVG, "accuracy_vs_size/macs": SVG})
    assert len(re.findall(r'id="size\d-p1"', text)) == 2 == len(set(re.findall(r'id="size\d-p1"', text)))


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
