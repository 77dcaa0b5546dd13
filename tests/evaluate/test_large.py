import cv2
import numpy as np
import pytest

from spnrefine.evaluate import large


def blob(side=200):
    """A disc with a soft edge of some ten pixels."""
    rows, columns = np.mgrid[:side, :side]
    distance = 60 - np.hypot(rows - side / 2, columns - side / 2)
    return (1 / (1 + np.exp(-distance / 3))).astype(np.float32)


def test_a_smooth_edge_has_no_seam():
    assert large.seam(blob()) < 0.03
    assert large.seam(np.zeros((50, 60), np.float32)) == 0
    assert large.seam((blob() > 0.5).astype(np.float32)[:1]) == 0, "one row"


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("where", [70, 100])
def test_tiles_that_disagree_are_seen(axis, where):
    p = blob() if axis == 0 else blob().T
    p[where:] = np.roll(p, 4, axis=1)[where:]  # the next tile drew the edge 4 pixels further on
    p = p if axis == 0 else p.T
    assert large.seam(p) > 0.06, "twice what a smooth edge may have"


def test_the_size_of_a_seam_by_hand():
    p = np.full((40, 40), 0.4, np.float32)
    p[:, 25:] += 0.1
    assert large.seam(p) == pytest.approx(0.1)


def test_the_portrait_is_enlarged_with_its_mask():
    image, mask = large.enlarged(700)
    assert image.shape == (700, 700, 3)
    assert set(np.unique(mask)) == {0, 255}
    back = cv2.resize(image, (512, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(back.astype(int) - large.astronaut()[0]).mean() < 6


@pytest.mark.slow(reason="refines 24 megapixels in a process of its own")
def test_24_megapixels_in_less_than_2_gb_without_a_seam():
    (row,) = large.large("general", "cpu")
    assert row["megapixels"] > 24
    assert row["peak_gb"] < 2
    assert row["seam"] < 0.08, "tiles whose edges lie four pixels apart have 0.1 and more"
