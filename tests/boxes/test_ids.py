"""The ids of a map and their boxes, as looking for one id after another finds them."""

import numpy as np
import pytest

from spnrefine.boxes import ids as module
from spnrefine.boxes.box import bounding_box
from spnrefine.boxes.ids import find_ids


@pytest.mark.parametrize("strip", [1 << 20, 50])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool])
@pytest.mark.parametrize("with_void", [False, True])
def test_ids_and_boxes_are_those_found_one_by_one(monkeypatch, strip, dtype, with_void):
    monkeypatch.setattr(module, "STRIP", strip)
    draw = np.random.default_rng(2)
    labels = np.zeros((23, 31), int)
    for number in (5, 1, 7, 3):
        top, left = draw.integers(0, 18, 2)
        labels[top : top + 6, left : left + 9] = number
    labels[22, 30] = 9
    labels = labels.astype(dtype)
    void = draw.random(labels.shape) < 0.3 if with_void else None
    ids, boxes = find_ids(labels, void)
    known = labels if void is None else np.where(void, 0, labels)
    assert ids.tolist() == [number for number in np.unique(known).tolist() if number]
    assert boxes == [bounding_box(known == number) for number in ids]


def test_a_map_of_nothing_has_no_ids():
    ids, boxes = find_ids(np.zeros((4, 5), np.uint16))
    assert (ids.tolist(), boxes) == ([], [])
