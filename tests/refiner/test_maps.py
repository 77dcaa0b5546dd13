"""A network's map is seen by `broad`, unless something is known of the mask."""

import cv2
import numpy as np
import pytest

from spnrefine.refiner import Refiner
from spnrefine.refiner.choice import Choice
from spnrefine.refiner.noting import listening
from spnrefine.refiner.off import Off
from spnrefine.refiner.part_way import between
from spnrefine.refiner.sights import beside, by_kind

Y, X = np.mgrid[:160, :200].astype(np.float32)
FROM_CENTRE = np.hypot(Y - 80, X - 100)
MAP = (1 / (1 + np.exp((FROM_CENTRE - 40) * 8 / np.interp(X, (60, 140), (3, 30))))).astype(np.float32)
BLURRED = cv2.GaussianBlur((FROM_CENTRE < 40).astype(np.float32), (0, 0), 3)
SEEN = {None: (FROM_CENTRE < 50).astype(np.float32), "broad": (FROM_CENTRE < 60).astype(np.float32)}


def refiner(**how):
    """A refiner that makes a disc of every mask: of 60 pixels where `broad` is asked, else of 50."""
    made = Refiner.__new__(Refiner)
    usual = {"choices": {}, "strength": None, "off": None, "threshold": 0.5, "careful": False, "heeds_judge": True}
    vars(made).update(usual | {"temperature": None, "best": False, "by_kind": {"map": "broad"}} | how)
    made.sights = {name: lambda *_, form, seen=seen: seen.copy() for name, seen in SEEN.items()}
    return made


@pytest.mark.parametrize(
    ("mask", "how", "seen_by", "strength"),
    [
        (MAP, {}, "broad", 1.0),
        (MAP, {"by_kind": {}}, None, 1.0),  # other weights that ship see it themselves
        (MAP, {"strength": 0.5}, "broad", 0.5),
        (MAP, {"off": Off(3.0)}, None, 1.0),
        (MAP, {"choices": {"hard": Choice()}}, None, 1.0),  # weights of one's own
        (BLURRED, {}, None, 1.0),
    ],
)
def test_how_far_a_soft_mask_goes_and_who_sees_it(mask, how, seen_by, strength):
    image = np.zeros((160, 200, 3), np.uint8)
    with listening(judged=False) as used:
        refined = refiner(**how)(image, mask)
    assert [one.strength for one in used] == [strength]
    assert np.array_equal(refined > 0.5, between(mask > 0.5, SEEN[seen_by] > 0.5, strength))


def test_general_has_others_see_what_they_see_better():
    assert by_kind("general") == {"polygon": "polygon", "map": "broad"}
    assert by_kind("broad") == by_kind("polygon") == {}
    assert sorted(beside("general")) == ["broad", "polygon"]
