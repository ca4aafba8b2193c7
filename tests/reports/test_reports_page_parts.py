"""Parts of the report's page: inlined pictures, forest plots, cells."""

from __future__ import annotations

import pytest
from helpers.svg import SVG

from reports.html import cells, forest, inline_svg
from reports.html.forest import Interval


def test_an_inlined_picture_keeps_its_shapes_and_nothing_else():
    text = inline_svg.inline(SVG, "p0-", 'a "label"')
    assert text.startswith('<svg role="img" aria-label="a &#34;label&#34;" viewBox="0 0 504 300"')
    assert 'id="p0-p1"' in text and 'clip-path="url(#p0-p1)"' in text and 'href="#p0-p1"' in text
    assert "fill: var(--plate); stroke: var(--ink)" in text and "a &lt; b" in text
    for gone in ("<?xml", "DOCTYPE", "metadata", "http", "<style", "script", "onload", "xmlns"):
        assert gone not in text
    for wrong in ("", "<p>no</p>", "<svg xmlns='http://www.w3.org/2000/svg'/>"):
        with pytest.raises(ValueError, match="not SVG"):
            inline_svg.inline(wrong, "p", "x")


def test_a_scale_holds_zero_the_margin_and_cuts_an_endless_interval():
    scale = forest.common_scale([Interval(1.0, 0.5, 1.5), Interval(0.5, -40.0, 41.0)], 0.5)
    assert (scale.low, scale.high) == pytest.approx((-3.9, 3.9))  # three times 1.3 times the largest middle
    assert scale.percent(0) == 50 and scale.percent(-99) == 4 and scale.percent(99) == 96
    assert "arrow" in forest.row(Interval(0.5, -40.0, 41.0), scale, "x")
    assert "arrow" not in forest.row(Interval(1.0, 0.5, 1.5), scale, "x")
    assert forest.common_scale([]).low < 0 < forest.common_scale([]).high
    assert forest.common_scale([Interval(0.0, 0.0, 0.0)]).high > 0


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
    assert 0 in found and len(found) <= forest.MOST_TICKS and len(found) >= 2
    assert wanted is None or found == pytest.approx(wanted)


def test_minus_signs_are_set_before_numbers_only():
    assert cells.typeset("lr=-3 is -0.5 [-1, +2] and pre-2 x") == "lr=-3 is −0.5 [−1, +2] and pre-2 x"  # noqa: RUF001
    assert cells.signed(-0.001) == "+0.00"
    assert cells.leading_number("1,068,298") == 1068298 and cells.leading_number("-") is None
