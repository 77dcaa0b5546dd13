"""Whatever a mask holds, however it lies in memory: what tells masks apart raises nothing, and changes no input."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spnrefine.refiner.averages import keep_averages, keep_matte_averages
from spnrefine.refiner.brush import favoured
from spnrefine.refiner.cell_pieces import find_pieces
from spnrefine.refiner.corners import through_corners
from spnrefine.refiner.kinds import KINDS, is_map, kind_and_brush

SIDES = st.sampled_from([1, 2, 3, 5, 8, 17, 40, 64])


@st.composite
def masks(draw):
    """Discs, boxes, thick lines or noise; hard, blurred, rounded, of a lower resolution or beside another."""
    height, width = draw(SIDES), draw(SIDES)
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    mask = np.zeros((height, width), np.float32)
    for kind in draw(st.lists(st.sampled_from(["disc", "box", "line", "noise", "rest"]), max_size=4)):
        one, other = ((int(rng.integers(width)), int(rng.integers(height))) for _ in range(2))
        if kind == "disc":
            cv2.circle(mask, one, int(rng.integers(1 + max(height, width) // 2)), 1.0, cv2.FILLED)
        elif kind == "box":
            cv2.rectangle(mask, one, other, 1.0, cv2.FILLED)
        elif kind == "line":
            cv2.line(mask, one, other, 1.0, int(rng.integers(1, 9)))
        elif kind == "noise":
            mask = np.maximum(mask, rng.random(mask.shape) < rng.random())
        else:
            mask = 1 - mask
    how = draw(st.sampled_from(["hard", "blurred", "rounded", "lowered", "beside"]))
    if how in ("blurred", "rounded"):
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.3, 5))
    if how == "rounded":
        mask = np.rint(255 * mask) / 255
    if how in ("lowered", "beside"):
        low = max(1, width // int(rng.integers(1, 9))), max(1, height // int(rng.integers(1, 9)))
        mask = cv2.resize(cv2.resize(mask, low, interpolation=cv2.INTER_AREA), (width, height))
    if how == "beside":
        mask = np.hstack([mask, cv2.resize(mask[::-1], (width, height), interpolation=cv2.INTER_NEAREST)])
    return np.clip(mask.astype(np.float32), 0, 1)


LAYOUTS = {
    "by rows": np.ascontiguousarray,
    "by columns": np.asfortranarray,
    "backwards": lambda mask: mask[::-1, ::-1].copy()[::-1, ::-1],
    "among others": lambda mask: np.repeat(np.repeat(mask, 2, 0), 3, 1)[::2, ::3],
}


def whole(map_):
    return bool(np.isfinite(map_).all() and map_.min() >= 0 and map_.max() <= 1)


@settings(max_examples=120, deadline=None)
@given(masks(), st.sampled_from(sorted(LAYOUTS)))
def test_it_is_told_and_corrected_and_stays_as_it_was(mask, layout):
    given = LAYOUTS[layout](mask)
    given.flags.writeable = False
    kind, radius = kind_and_brush(given)
    assert (kind in KINDS) == (radius is None)
    assert (kind, radius) == kind_and_brush(mask)
    assert is_map(given) == is_map(mask)
    pieces = find_pieces(given)
    assert [box for box, _ in pieces] == [box for box, _ in find_pieces(mask)]
    assert all(whole(cells.values) for _, cells in pieces)
    seen = cv2.GaussianBlur(mask, (0, 0), 1.3)
    for keep in (keep_averages, keep_matte_averages):
        refined = seen.copy()
        assert keep(given, refined) or np.array_equal(refined, seen)
        assert whole(refined)
    assert whole(through_corners(given, seen.copy()))
    assert whole(through_corners(given > 0.5, seen.copy()))
    assert whole(favoured(seen.copy()))
    np.testing.assert_array_equal(given, mask)
