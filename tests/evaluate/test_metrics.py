import numpy as np
import pytest

from spnrefine.evaluate.metrics import Measures, boundary_iou, inner_band, iou, mean_boundary_accuracy, score

DISCS = {  # as OpenCV draws them: half of the pixels of each row but the one in the middle
    1: [0, 1],
    2: [0, 2, 2],
    3: [0, 2, 3, 3],
}


def rectangle(top, bottom, left, right, shape=(20, 20)):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def blob(shape, seed):
    """A smooth random region, and another that is much like it."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    waves = [rng.normal(size=5) for _ in range(6)]

    def drawn(noise):
        height = sum(
            a * np.sin(b * ys / shape[0] * 5 + c * xs / shape[1] * 5 + d) + noise * e for a, b, c, d, e in waves
        )
        return height > 0.4

    return drawn(0), drawn(0.06)


def within(mask, offsets):
    """Whether any pixel of a mask lies at one of the offsets, looking at each; none lies outside of the picture."""
    reach, (height, width) = 9, mask.shape
    padded = np.pad(mask, reach)
    there = [padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width] for dy, dx in offsets]
    return np.logical_or.reduce(there)


def band_by_distance(mask, width):
    """The published band, by its meaning: pixels so near, along rows, columns and diagonals, to what is outside."""
    reach = [(dy, dx) for dy in range(-width, width + 1) for dx in range(-width, width + 1)]
    outside = np.pad(~mask, width, constant_values=True)
    return mask & within(outside, reach)[width:-width, width:-width]


def accuracy_by_definition(mask, truth, radii):
    shares = []
    for radius in radii:
        rows = DISCS[radius] + DISCS[radius][-2::-1]
        disc = [(dy - radius, dx) for dy, reach in enumerate(rows) for dx in range(-reach, reach + 1)]
        near = within(truth, disc) & within(~truth, disc)
        shares.append((mask == truth)[near].mean())
    return np.mean(shares)


def test_iou_by_hand():
    # 4 x 4 and 4 x 4 that share 2 x 4: 8 of 24
    assert iou(rectangle(0, 4, 0, 4), rectangle(2, 6, 0, 4)) == pytest.approx(8 / 24)
    assert iou(rectangle(0, 4, 0, 4), rectangle(10, 12, 0, 4)) == 0
    assert iou(np.zeros((3, 3), bool), np.zeros((3, 3), bool)) == 1


def test_inner_band_by_hand():
    band = inner_band(rectangle(4, 12, 4, 12), 2)
    assert band.sum() == 64 - 16, "all but the 4 x 4 pixels further than 2 from the outside"
    assert not band[6:10, 6:10].any()


def test_the_border_of_the_image_counts_as_contour():
    assert inner_band(np.ones((10, 10), bool), 1).sum() == 36


def test_the_boundary_measures_are_those_of_their_definitions():
    shape = (60, 80)
    for seed in range(2):
        mask, truth = blob(shape, seed)
        found = score(mask, truth)
        one, other = (band_by_distance(part, 2) for part in (mask, truth))  # 2 % of a diagonal of 100 pixels
        assert found.biou == pytest.approx((one & other).sum() / (one | other).sum(), abs=1e-9)
        assert found.mba == pytest.approx(accuracy_by_definition(mask, truth, [1] * 5), abs=1e-9)
        assert 0.1 < found.biou < 0.99
        wide = score(mask, truth, measures=Measures(boundary_share=0.036, mba_radii=(1, 2, 3)))
        one, other = (band_by_distance(part, 4) for part in (mask, truth))  # 3.6, rounded
        assert wide.biou == pytest.approx((one & other).sum() / (one | other).sum(), abs=1e-9)
        assert wide.mba == pytest.approx(accuracy_by_definition(mask, truth, [1, 2, 3]), abs=1e-9)


def test_the_published_width_and_radii():
    measures = Measures()
    assert [measures.width(*shape) for shape in ((3, 4), (300, 400), (30, 50))] == [1, 10, 1]
    assert measures.width(60, 63) == 2, "87 pixels: 1.74 is rounded up"
    assert measures.radii(400, 400) == (1, 1, 1, 2, 2)  # up to 2.67, in fifths of 1.67, rounded down
    assert measures.radii(1500, 1500) == (1, 2, 4, 6, 8)
    assert measures.radii(30, 40) == (1, 1, 1, 1, 1)
    assert "0.02 of the diagonal" in measures.facts()["biou"]["band"]


def test_mean_boundary_accuracy_by_hand():
    truth = rectangle(0, 20, 0, 10)
    valid = np.ones_like(truth)
    assert mean_boundary_accuracy(truth, truth, valid, (1, 2)) == 1
    assert mean_boundary_accuracy(~truth, truth, valid, (1, 2)) == 0
    # within 1 pixel of both sides lie columns 9 and 10, within 2 columns 8 to 11; one column too many is column 10
    wide = rectangle(0, 20, 0, 11)
    assert mean_boundary_accuracy(wide, truth, valid, (1, 2)) == pytest.approx((1 / 2 + 3 / 4) / 2)


@pytest.mark.parametrize("full", [False, True])
def test_without_a_contour_there_is_no_boundary_accuracy(full):
    truth = np.full((20, 20), full)
    assert score(rectangle(0, 20, 0, 10), truth).mba is None


def test_masks_that_are_both_empty_are_told():
    nothing = np.zeros((20, 20), bool)
    assert score(nothing, nothing) == (1, 1, None, True, ())
    assert score(rectangle(0, 2, 0, 2), nothing) == (0, 0, None, False, ())


def test_where_all_is_void_nothing_is_defined():
    nothing = np.zeros((20, 20), bool)
    assert score(rectangle(0, 2, 0, 2), nothing, nothing) == (None, None, None, False, ())


def test_void_is_not_scored():
    truth, mask = rectangle(0, 10, 0, 10), rectangle(0, 10, 0, 12)
    valid = ~rectangle(0, 20, 10, 12)
    assert score(mask, truth, valid).iou == 1
    assert score(mask, truth).iou < 1


def test_void_makes_no_contour():
    shape = (80, 80)
    truth, mask = rectangle(20, 60, 20, 60, shape), rectangle(24, 64, 24, 64, shape)
    stripes = np.zeros(shape, bool)
    stripes[30:50:4, 32:50] = True  # far inside of both
    stripes[70:76, 2:8] = True  # and outside of both
    measures = Measures(mba_radii=(1, 3))
    whole = score(mask, truth, measures=measures)
    for said in (truth & ~stripes, truth | stripes):  # what is said of void does not matter
        found = score(mask, said, ~stripes, measures)
        assert (found.biou, found.mba) == (whole.biou, whole.mba)


def test_an_object_that_ends_at_void_has_no_contour_there():
    shape = (40, 40)
    truth = rectangle(10, 30, 10, 30, shape)
    rim = rectangle(8, 32, 8, 32, shape) & ~rectangle(12, 28, 12, 28, shape)
    measures = Measures(mba_radii=(1,))
    assert score(truth, truth, ~rim, measures).mba is None, "within one pixel of the object is only void"
    assert boundary_iou(truth, truth, ~rim, 1) is None, "both bands lie in the rim"
    # 6 pixels wide: of the object (16 x 16 without the rim) all but the inner 12 x 12, as it may end at 8
    assert boundary_iou(truth, truth, ~rim, 6) == pytest.approx((16**2 - 12**2) / (16**2 - 8**2))
