"""Positions of labels, and lines to their points."""

from __future__ import annotations

import numpy as np

from reports.figures import labels


def test_labels_without_a_position_are_counted():
    frame, middle = np.array([0, 0, 100, 100]), np.array([[50.0, 50.0]])
    marker = np.hstack([middle - 4, middle + 4])
    for width, unplaced in ((40, 0), (200, 1)):
        placed = labels.place(np.array([[width, 10.0]]), middle, marker, np.empty((0, 4)), frame)
        assert placed.unplaced == unplaced


def test_a_line_through_a_box_crosses_it():
    boxes = np.array([[2, -1, 4, 1], [2, 1, 4, 3], [6, -1, 8, 1]], dtype=float)
    ends = np.array([[10, 0], [5, 0], [0, 10], [4, 4]], dtype=float)
    # along the x axis through the first and third; no further than the first; upwards past all; through the second
    assert labels.crossings(np.zeros(2), ends, boxes).tolist() == [2, 1, 0, 1]
