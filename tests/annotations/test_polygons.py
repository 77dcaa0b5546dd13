import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from spnrefine.annotations.bridges import join
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.boxes.boxed import Boxed
from tests.annotations.making import SIZE, blob, holed, iou, parted, speckled

pycocotools = pytest.importorskip("pycocotools.mask")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return cv2.GaussianBlur(rng.random((height, width)), (0, 0), 2) > 0.5
    return rng.random((height, width)) < draw(st.floats(0, 1))


@given(masks())
def test_corners_come_back_exactly_in_one_ring_with_every_hole_and_part(mask):
    parts = trace(Boxed.of(mask), tolerance=0, grid=Grid.CORNERS)
    if not mask.any():
        assert parts == []
        return
    np.testing.assert_array_equal(fill(join(parts), mask.shape, grid=Grid.CORNERS), mask)


@given(masks())
def test_cocos_own_tool_gives_the_corners_back_exactly(mask):
    polygons = [join([part]).ravel().tolist() for part in trace(Boxed.of(mask), tolerance=0, grid=Grid.CORNERS)]
    if polygons:
        rle = pycocotools.merge(pycocotools.frPyObjects(polygons, *mask.shape))
        np.testing.assert_array_equal(pycocotools.decode(rle), mask)


@given(masks())
def test_centres_come_back_exactly_part_by_part(mask):
    again = np.zeros_like(mask)
    for part in trace(Boxed.of(mask), tolerance=0, grid=Grid.CENTRES):
        again |= fill(join([part]), mask.shape, grid=Grid.CENTRES)
    np.testing.assert_array_equal(again, mask)


def test_bridges_between_parts_take_only_a_line_where_lines_count():
    mask = parted()
    parts = trace(Boxed.of(mask), tolerance=0, grid=Grid.CENTRES)
    again = np.asarray(fill(join(parts), SIZE, grid=Grid.CENTRES))
    assert not (mask & ~again).any()
    assert 0 < (again & ~mask).sum() < 40


@pytest.mark.parametrize("grid", Grid)
@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0])
def test_simplified_edges_stay_within_the_tolerance(grid, mask, tolerance):
    parts = trace(Boxed.of(mask), tolerance=tolerance, grid=grid)
    exact = trace(Boxed.of(mask), tolerance=0, grid=grid)
    assert sum(len(part.outer) for part in parts) < sum(len(part.outer) for part in exact)
    again = np.zeros_like(mask)
    for part in parts:
        again |= fill(join([part]), SIZE, grid=grid)
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    assert np.maximum(inner, outer)[mask != again].max(initial=0) <= tolerance + 1
    assert iou(mask, again) > (0.97 if tolerance <= 1 else 0.94)


def test_noise_becomes_one_ring():
    mask = speckled()
    np.testing.assert_array_equal(
        fill(join(trace(Boxed.of(mask), tolerance=0, grid=Grid.CORNERS)), SIZE, grid=Grid.CORNERS), mask
    )


def star(seed, reach):
    rng = np.random.default_rng(seed)
    angles, radii = np.sort(rng.uniform(0, 2 * np.pi, 12)), rng.uniform(20, reach, 12)
    return np.stack([50 + radii * np.cos(angles), 40 + radii * np.sin(angles)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_centres_fill_as_pillow_draws(seed):
    """Pillow is what LabelMe fills polygons with."""
    ring = star(seed, reach=38)
    canvas = Image.new("L", (100, 80))
    ImageDraw.Draw(canvas).polygon([tuple(point) for point in ring], fill=1, outline=1)
    assert iou(fill(ring, SIZE, grid=Grid.CENTRES), np.asarray(canvas).astype(bool)) > 0.97


@pytest.mark.parametrize("seed", range(5))
def test_corners_fill_as_coco_does(seed):
    ring = star(seed, reach=70)  # beyond the edges too
    (rle,) = pycocotools.frPyObjects([ring.ravel().tolist()], *SIZE)
    assert iou(fill(ring, SIZE, grid=Grid.CORNERS), pycocotools.decode(rle).astype(bool)) > 0.97
