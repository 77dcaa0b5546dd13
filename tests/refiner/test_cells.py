import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from spnrefine.refiner.cells import find_cells
from spnrefine.refiner.fitted_cells import find_fitted_cells


def blob(height, width, seed=1, radius=0.33):
    """Draw a lobed object, (H, W) bool."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] + 0.5
    down, across = rows / height - 0.5, columns / width - 0.5
    angle = np.arctan2(down, across)
    edge = radius * (1 + sum(rng.uniform(-0.12, 0.12) * np.cos(n * angle + rng.uniform(0, 6)) for n in (2, 3, 5)))
    return np.hypot(down, across) < edge


def lowered(mask, size, levels=255):
    """Average a mask to ``size`` (height, width) and enlarge it bilinearly, rounded to so many levels; both."""
    small = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return small, (np.round(large * levels) / levels).astype(np.float32)


@given(
    st.integers(60, 260),
    st.integers(60, 260),
    st.floats(3, 20),
    st.floats(0.9, 1.1),
    st.integers(0, 50),
)
def test_the_cells_that_a_mask_was_enlarged_of_are_found(height, width, cell, stretch, seed):
    size = round(height / cell), round(width / cell / stretch)
    assume(min(size) >= 8 and width / size[1] >= 3)
    small, mask = lowered(blob(height, width, seed), size)
    cells = find_cells(mask)
    assert cells is not None
    assert (cells.rows.number, cells.columns.number) == size
    np.testing.assert_allclose(cells.values, small, atol=0.012)  # rounding, carried from a pixel to the cell's middle


def test_a_crop_of_such_a_mask_has_the_same_cells():
    small, mask = lowered(blob(240, 320), (20, 40))  # cells of 12 by 8 pixels
    cells = find_cells(np.ascontiguousarray(mask[29:211, 43:280]))
    assert cells is not None
    assert (cells.rows.cell, cells.columns.cell) == pytest.approx((12, 8), abs=0.02)
    first_row, first_column = round((29 + cells.rows.first) / 12), round((43 + cells.columns.first) / 8)
    assert 29 + cells.rows.first == pytest.approx(12 * first_row, abs=0.3)
    rows, columns = cells.values.shape
    there = small[first_row : first_row + rows, first_column : first_column + columns]
    np.testing.assert_allclose(cells.values[1:-1, 1:-1], there[1:-1, 1:-1], atol=0.03)


def test_a_crop_that_cells_nearly_fill_is_not_taken_for_a_whole_mask():
    _, mask = lowered(blob(400, 400, radius=0.15), (25, 25))
    cells = find_cells(np.ascontiguousarray(mask[:, 17:367]))  # 22 cells of 15.9 pixels are nearly as good
    assert cells is not None
    assert (cells.columns.cell, cells.columns.first) == pytest.approx((16, -1), abs=0.05)


def test_large_cells_whose_edges_bend_less_than_rounding_are_found():
    _, mask = lowered(blob(1200, 1500), (12, 15))  # of 100 pixels
    cells = find_cells(mask)
    assert cells is not None
    assert cells.values.shape == (12, 15)


def test_pillow_enlarges_to_the_same_cells():
    small = Image.fromarray(np.uint8(255 * blob(200, 260))).resize((26, 20), Image.Resampling.BOX)
    mask = np.asarray(small.resize((260, 200), Image.Resampling.BILINEAR), np.float32) / 255
    cells = find_cells(mask)
    assert cells is not None
    np.testing.assert_allclose(cells.values, np.asarray(small) / 255, atol=0.02)


@pytest.mark.parametrize("size", [(200, 260), (187, 243)])
def test_repeated_pixels_show_the_cells_too(size):
    small, _ = lowered(blob(200, 260), (20, 26))
    cells = find_cells(cv2.resize(small, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT))
    assert cells is not None
    np.testing.assert_array_equal(cells.values, small)


@pytest.mark.parametrize(
    "mask",
    [
        blob(200, 260).astype(np.float32),
        cv2.GaussianBlur(blob(200, 260).astype(np.float32), (0, 0), 6),
        np.zeros((200, 260), np.float32),
        np.full((2, 2), 0.5, np.float32),
        np.random.default_rng(0).random((60, 60), np.float32),
    ],
    ids=["hard", "blurred", "empty", "tiny", "noise"],
)
def test_a_mask_that_was_not_enlarged_so_has_no_cells(mask):
    assert find_cells(np.clip(mask, 0, 1)) is None
    assert find_fitted_cells(np.clip(mask, 0, 1)) is None


def enlarged_by_pillow(small, size):
    large = Image.fromarray(np.uint8(np.round(255 * small))).resize(size[::-1])  # bicubic, unless it is told otherwise
    return np.asarray(large, np.float32) / 255


def enlarged_by_opencv(small, size):
    return np.clip(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


@pytest.mark.parametrize("enlarge", [enlarged_by_pillow, enlarged_by_opencv])
@pytest.mark.parametrize("cells", [(10, 13), (25, 35), (48, 66)])
def test_bicubic_enlargement_shows_its_cells(cells, enlarge):
    small, _ = lowered(blob(200, 260), cells)
    mask = enlarge(small, (200, 260))
    found = find_fitted_cells(mask)
    assert found is not None
    np.testing.assert_allclose(found.values, small, atol=0.03)
    assert find_cells(mask) is None


@pytest.mark.parametrize("size", [(200, 260), (201, 259)])
def test_a_mask_of_half_the_resolution_has_cells_of_two_pixels(size):
    halves = size[0] // 2, -(-size[1] // 2)
    small, mask = lowered(blob(*size), halves)
    found = find_fitted_cells(mask)
    assert found is not None
    np.testing.assert_allclose(found.values, small, atol=0.03)


def test_masks_longer_than_opencv_samples_are_not_enlarged_again():
    _, mask = lowered(blob(24, 33_000), (12, 16_500))
    assert find_fitted_cells(mask) is None
