"""An accuracy beside that of the largest class."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from zoo.stats.validity.chance import is_learned, largest_share, p_of_guessing


def test_the_largest_class():
    assert largest_share([0, 0, 1, 2, 2, 2]) == 0.5
    assert largest_share(np.arange(10_000) % 10) == 0.1
    with pytest.raises(ValueError, match="no labels"):
        largest_share([])


@pytest.mark.parametrize(("right", "images", "share"), [(1, 3, 0.5), (43, 360, 0.1), (1060, 10_000, 0.1), (0, 5, 0.2)])
def test_the_tail_is_the_binomials(right, images, share):
    assert p_of_guessing(right / images, share, images) == pytest.approx(stats.binom.sf(right - 1, images, share))


def test_every_image_right():
    assert p_of_guessing(1.0, 0.5, 4) == pytest.approx(1 / 16)


def test_what_can_be_told_from_guessing():
    """Of 360 images with a share of 0.1: 46 or more right have a probability of 0.051, 47 of 0.036 (binomial)."""
    assert not is_learned(46 / 360, 0.1, 360) and is_learned(47 / 360, 0.1, 360)
    assert not is_learned(0.0, 0.1, 360)
    assert not is_learned(0.1, 0.1, 10_000) and is_learned(0.11, 0.1, 10_000)
