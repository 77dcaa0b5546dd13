import numpy as np
import pytest

import spnrefine
from spnrefine import Refiner, refine
from spnrefine.boxes.box import Box
from spnrefine.errors import BackendError, ShapeError
from spnrefine.model.framing import working_size
from spnrefine.refiner.box import object_box
from tests.model.make_check import draw


@pytest.fixture(scope="module")
def drawn():
    image, coarse = draw(120, 150, seed=5)
    return image, coarse


def test_refining_moves_the_edge_towards_the_object(drawn):
    image, coarse = drawn
    # the coarse mask was drawn from the object moved by three rows and four columns
    truth = np.roll(draw_object(150), 0)
    before = iou(coarse > 127, truth)
    after = iou(refine(image, coarse) > 127, truth)
    assert after > before + 0.3 * (1 - before)


def draw_object(width):
    """Recover the object of ``drawn`` from its colours: red above blue inside, blue above red outside."""
    import cv2

    image, _ = draw(120, width, seed=5)
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.5)
    return smooth[..., 0] > smooth[..., 2]


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda m: m > 127, np.bool_, {False, True}),
        (lambda m: m, np.uint8, {0, 255}),
        (lambda m: (m > 127).astype(np.uint8), np.uint8, {0, 1}),
        (lambda m: m / np.float32(255), np.float32, {0.0, 1.0}),
        (lambda m: m / 255, np.float64, {0.0, 1.0}),
    ],
)
def test_what_comes_out_is_as_what_came_in(drawn, make, dtype, values):
    image, coarse = drawn
    mask = make(coarse)
    given = mask.copy()
    refined = refine(image, mask)
    assert refined.dtype == dtype
    assert set(np.unique(refined).tolist()) == values
    assert refined.shape == mask.shape
    assert np.array_equal(mask, given), "the input was written to"


def test_soft_gives_probabilities_whose_threshold_is_the_hard_mask(drawn):
    image, coarse = drawn
    soft = refine(image, coarse, soft=True)
    assert soft.dtype == np.float32
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert np.array_equal(soft > 0.8, refine(image, coarse, threshold=0.8) > 0)


@pytest.mark.parametrize("value", [0, 10, 200, 255])
def test_empty_and_full_masks_come_back_as_they_came(value):
    image = np.zeros((40, 50, 3), np.uint8)
    mask = np.full((40, 50), value, np.uint8)
    assert np.array_equal(refine(image, mask), mask)


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (33, 500)])
def test_tiny_and_narrow_images(shape):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = np.zeros(shape, np.uint8)
    mask.flat[0] = 255
    assert refine(image, mask).shape == shape


def test_outside_the_box_the_coarse_mask_stays():
    image, _ = draw(300, 400, seed=6)
    coarse = np.full((300, 400), 0.05, np.float32)
    coarse[100:150, 100:160] = 0.9
    box = object_box(coarse)
    assert box == Box(77, 173, 77, 183)
    refined = Refiner(device="cpu")(image, coarse)
    outside = np.ones(coarse.shape, bool)
    outside[box.slices] = False
    assert (refined[outside] == np.float32(0.05)).all()


@pytest.mark.parametrize(
    ("size", "working"),
    [((100, 50), (150, 75)), ((1000, 500), (512, 256)), ((512, 400), (512, 400)), ((2000, 10), (512, 32))],
)
def test_working_size(size, working):
    assert working_size(*size, 512) == working


@pytest.mark.parametrize(
    ("image", "mask", "named"),
    [
        (np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4), np.uint8), r"\(5, 4\).*\(4, 5, 3\)"),
        (np.zeros((4, 5), np.uint8), np.zeros((4, 5), np.uint8), r"\(4, 5\)"),
        (np.zeros((4, 5, 3)), np.zeros((4, 5), np.uint8), "float64"),
        (np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), complex), "complex128"),
        (np.zeros((4, 5, 3), np.uint8), np.full((4, 5), np.nan), "NaN"),
        (np.zeros((0, 5, 3), np.uint8), np.zeros((0, 5), np.uint8), "at least one pixel"),
    ],
)
def test_arrays_that_do_not_fit_are_named(image, mask, named):
    with pytest.raises(ShapeError, match=named):
        refine(image, mask)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:1", "cuda:99"])
def test_devices_that_are_not_there(device):
    with pytest.raises(BackendError, match=device):
        Refiner(device=device)


def test_public_names_are_resolved_lazily():
    assert {"Refiner", "refine", "SpnRefineError"} <= set(spnrefine.__all__)
    for name in spnrefine.__all__:
        getattr(spnrefine, name)
    with pytest.raises(AttributeError, match="nothing"):
        spnrefine.nothing  # noqa: B018 (asking is the test)


@pytest.mark.parametrize("make", [lambda mask: mask, lambda mask: mask * np.uint8(255), lambda mask: mask * 0.9])
def test_an_object_of_which_nothing_would_be_left_stays(make, monkeypatch):
    monkeypatch.setattr(
        "spnrefine.refiner.function._refiner", lambda *_: lambda image, coarse: np.roll(coarse, 9, axis=1)
    )
    mask = np.zeros((20, 40), bool)
    mask[5:9, 5:9] = True
    given = make(mask).astype(np.float32) if make(mask).dtype == float else make(mask)
    refined = refine(np.zeros((20, 40, 3), np.uint8), given)
    assert refined.dtype == given.dtype
    np.testing.assert_array_equal(refined > 0, mask)
    soft = refine(np.zeros((20, 40, 3), np.uint8), given, soft=True)
    np.testing.assert_allclose(soft, given / (255 if given.dtype == np.uint8 else 1))
