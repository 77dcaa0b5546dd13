"""Hard masks that were in a JPEG: the levels beside their edges mean nothing; those of soft masks do."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from spnrefine.files.masks import encode_mask, read_mask
from spnrefine.files.strays import strays_from_hard

LEVELS = 0, 5, 6, 51, 52, 127, 128, 203, 204, 249, 250, 255


def drawn(height: int = 150, width: int = 203) -> np.ndarray:
    levels = np.zeros((height, width), np.uint8)
    cv2.fillPoly(levels, [np.array([(20, 30), (180, 12), (150, 120), (90, 80), (30, 140)], np.int32)], 255)
    cv2.circle(levels, (60, 70), 18, 0, -1)
    return levels


def coded(levels: np.ndarray, format: str, **how: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format, **how)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [30, 50, 75, 95])
def test_what_jpeg_leaves_beside_edges_means_nothing(quality: int, channels: int) -> None:
    hard = drawn()
    data = coded(hard if channels == 1 else np.dstack([hard] * 3), "JPEG", quality=quality)
    assert len(np.unique(decoded(data))) > 2
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, hard / np.float32(255))
    assert any("such as JPEG leaves" in note for note in mask.notes)


def test_so_it_does_where_the_picture_was_saved_again_without_loss() -> None:
    hard = drawn()
    mask = read_mask(coded(decoded(coded(hard, "JPEG", quality=60)), "PNG"))
    np.testing.assert_array_equal(mask.probability, hard / np.float32(255))


def test_a_mask_that_nothing_was_done_to_is_written_with_two_values() -> None:
    data = coded(drawn(), "JPEG", quality=75)
    mask = read_mask(data)
    written = decoded(encode_mask(mask, mask.probability, format="PNG"))
    np.testing.assert_array_equal(written, drawn())


@pytest.mark.parametrize("spread", [0.7, 1.5, 6.0])
def test_soft_edges_stay_soft(spread: float) -> None:
    soft = cv2.GaussianBlur(drawn(), (0, 0), spread)
    for data in (coded(soft, "PNG"), coded(soft, "JPEG", quality=90)):
        mask = read_mask(data)
        np.testing.assert_array_equal(mask.probability, decoded(data) / np.float32(255))
        assert not mask.notes


def test_smooth_edges_stay_smooth() -> None:
    fine = cv2.resize(drawn(), None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    assert not strays_from_hard(cv2.resize(fine, None, fx=0.21, fy=0.21, interpolation=cv2.INTER_AREA))


def test_a_faint_area_of_its_own_counts() -> None:
    levels = drawn()
    levels[120:140, 160:190] = 90
    assert not strays_from_hard(decoded(coded(levels, "JPEG", quality=90)))


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.sampled_from(LEVELS)))
@settings(max_examples=60, deadline=None)
def test_what_is_told_holds_of_every_square(levels: np.ndarray) -> None:
    """The definition, square by square."""
    inside = levels > 127
    told = True
    for top in range(0, levels.shape[0], 8):
        for left in range(0, levels.shape[1], 8):
            square = levels[top : top + 8, left : left + 8].astype(int)
            if (square > 127).all() or (square <= 127).all():
                told &= bool((np.minimum(square, 255 - square) <= 5).all())
    crossings = int((inside[1:] != inside[:-1]).sum() + (inside[:, 1:] != inside[:, :-1]).sum())
    undecided = int(((levels > 51) & (levels < 204)).sum())
    told &= len(set(np.unique(levels)) - {0, 255}) >= 8
    assert strays_from_hard(levels) == (told and undecided <= 0.3 * crossings)
