"""How much of the machine others take, from counters that are made up."""

from __future__ import annotations

import math
import os

import pytest

from zoo.measure import load
from zoo.measure.load import OthersLoad, share

TICKS = os.sysconf("SC_CLK_TCK")


def counters(*busy_s: float) -> str:
    """Per core: a sixth of its busy seconds in user, nice, system, irq, softirq and steal each; and much idle and iowait."""
    rows = []
    for number, seconds in enumerate(busy_s):
        part = round(seconds * TICKS / 6)
        rows.append(f"cpu{number} {part} {part} {part} 999999 999999 {part} {part} {part} 5 5")
    return "\n".join(["cpu  1 2 3 4 5 6 7 8 0 0", *rows, "intr 1 2 3", ""])


def test_others_are_all_but_this_process_on_the_cores_that_it_may_use(tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    own = iter([10.0, 13.0])
    monkeypatch.setattr(load.time, "process_time", lambda: next(own))
    clock = OthersLoad([0, 1], stat)
    stat.write_text(counters(60, 120, 600))
    before = clock()
    stat.write_text(counters(63, 126, 900))  # 9 s on the two cores, 3 of them by this process
    assert clock() - before == pytest.approx((9 - 3) / 2)


@pytest.mark.parametrize("contents", [None, "", "cpu  1 2 3 4 5 6 7 8 0 0\n", "cpu0 a b c d e f g h\n", counters(0, 0)])
def test_where_the_system_does_not_say_it_is_not_known(tmp_path, contents):
    stat = tmp_path / "stat"
    if contents is not None:
        stat.write_text(contents)
    assert math.isnan(OthersLoad([0, 1], stat)())


def test_a_share_is_between_0_and_1_or_unknown():
    assert share(1.0, 4.0) == 0.25
    assert share(-0.01, 1.0) == 0.0  # the counters have steps
    assert share(3.0, 2.0) == 1.0
    assert share(math.nan, 1.0) is None
    assert share(0.0, 0.0) is None
