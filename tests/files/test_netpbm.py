"""PGM files with a white of their own: ids are the numbers stored, gray is a share of that white."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spnrefine.errors import FileError
from spnrefine.files.masks import read_mask
from spnrefine.files.netpbm import white_of
from spnrefine.files.truth import read_labels, read_object
from tests.files.mask_files import COARSE

IDS = np.where(COARSE, 1 + 3 * np.arange(COARSE.shape[1]) // COARSE.shape[1], 0).astype(np.uint16)


def pgm(ids: np.ndarray, white: int, start: bytes = b"P5\n") -> bytes:
    head = start + b"%d %d\n%d\n" % (ids.shape[1], ids.shape[0], white)
    return head + ids.astype(">u2" if white > 255 else np.uint8).tobytes()


@pytest.mark.parametrize("white", [3, 200, 255, 256, 300, 65535])
def test_ids_are_the_numbers_that_are_stored(white: int) -> None:
    mask = read_mask(pgm(IDS, white), labels=True)
    assert mask.labels is not None
    np.testing.assert_array_equal(mask.labels, IDS)
    np.testing.assert_array_equal(mask.raster.pixels[..., 0], IDS)
    np.testing.assert_array_equal(read_labels(pgm(IDS, white)).ids, IDS)
    np.testing.assert_array_equal(read_object(pgm(IDS, white)).inside, COARSE)
    opencv = cv2.imdecode(np.frombuffer(pgm(IDS, white), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(opencv, IDS)


@given(st.integers(256, 65535), st.data())
def test_no_number_of_16_bits_is_lost(white: int, data: st.DataObject) -> None:
    numbers = np.array([[0, *data.draw(st.lists(st.integers(0, white), min_size=1, max_size=20)), white]])
    read = read_mask(pgm(numbers, white), labels=True)
    np.testing.assert_array_equal(read.raster.pixels[..., 0], numbers)


def test_gray_is_a_share_of_white() -> None:
    two = read_mask(pgm(COARSE.astype(np.uint8), 1))
    assert two.kind == "binary"
    np.testing.assert_array_equal(two.probability, COARSE)
    steps = np.arange(101, dtype=np.uint8).reshape(1, -1)
    gray = read_mask(pgm(steps, 100))
    assert gray.kind == "probability"
    np.testing.assert_allclose(gray.probability, steps / 100, atol=0.5 / 255)


def test_a_few_numbers_in_areas_are_asked_about() -> None:
    with pytest.raises(FileError, match=r"holds 0, 1 and 2 in areas .* --labels"):
        read_mask(pgm(np.kron(IDS, np.ones((8, 8), np.uint16)), 3))


def test_comments_stand_between_the_words_of_a_header() -> None:
    assert white_of(b"P2 # a comment\n#another\n 4 2\n# 7\n15\n") == 15
    assert white_of(b"P4\n4 2\n") is None
    mask = read_mask(pgm(IDS, 3, b"P5 # by hand\n# 255\n"), labels=True)
    np.testing.assert_array_equal(mask.labels, IDS)
