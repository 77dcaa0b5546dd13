"""What the Python interface takes besides arrays, and copies of what it gives."""

import copy
import pickle

import numpy as np
import pytest
from PIL import Image

import spnrefine
from spnrefine import Backbone, BackendError, Parser, Refiner, ShapeError, SpnRefineError, refine
from spnrefine.batch import Refine
from spnrefine.refiner.inputs import as_array, to_probability

IMAGE = np.full((24, 32, 3), 40, np.uint8)
IMAGE[6:18, 8:24] = 200
MASK = np.zeros((24, 32), bool)
MASK[8:20, 10:26] = True


class Tensor:
    """As a torch tensor that needs gradients and lies on a GPU: NumPy cannot read it before it is brought here."""

    def __init__(self, array, here=False):
        self._array, self._here = array, here

    def detach(self):
        return self

    def cpu(self):
        return Tensor(self._array, here=True)

    def __array__(self, dtype=None, copy=None):
        if not self._here:
            raise TypeError("can't convert cuda tensor to numpy")
        return self._array


def test_pictures_lists_and_tensors_are_taken():
    wanted = refine(IMAGE, MASK, device="cpu")
    for image, mask in ((Image.fromarray(IMAGE), MASK.tolist()), (Tensor(IMAGE), Tensor(MASK))):
        np.testing.assert_array_equal(refine(image, mask, device="cpu"), wanted)
    for top in (1, 255):
        integers = refine(IMAGE, (MASK * top).tolist(), device="cpu")
        assert integers.dtype == np.int64
        np.testing.assert_array_equal(integers, wanted * top)
    soft = Refiner(device="cpu")(Image.fromarray(IMAGE), Tensor(MASK.astype(np.float32)))
    np.testing.assert_array_equal(soft > 0.5, wanted)


@pytest.mark.parametrize("kind", [bool, np.uint8, ">f8", np.int32])
def test_arrays_may_lie_in_memory_as_they_like(kind):
    mask = MASK.astype(kind)
    if kind == np.int32:
        mask[:, :16] *= 2
    wanted = refine(IMAGE, mask, device="cpu")
    turned = np.ascontiguousarray(IMAGE.transpose(2, 1, 0)).T  # by columns, as MATLAB has it, and channels
    for by in (np.asfortranarray, lambda mask: np.ascontiguousarray(mask.T).T, lambda mask: mask[::-1].copy()[::-1]):
        given = by(mask)
        given.flags.writeable = False
        np.testing.assert_array_equal(refine(turned, given, device="cpu"), wanted)


@pytest.mark.parametrize("background", [0, -1])
def test_ids_are_refined_together_as_the_command_refines_them(background):
    ids = MASK.astype(np.int32) * 7
    ids[:, :16] *= 2
    ids += background
    (row,) = Refine(device="cpu")([{"image": IMAGE, "mask": ids}])
    assert set(np.unique(row["refined"])) == set(np.unique(ids))
    for mask, kind in ((Tensor(ids), np.int32), (ids.astype(np.int64), np.int64)):
        refined = refine(IMAGE, mask, device="cpu")
        np.testing.assert_array_equal(refined, row["refined"])
        assert refined.dtype == kind
    with pytest.raises(ShapeError, match="of which there are no probabilities"):
        refine(IMAGE, ids, soft=True, device="cpu")


@pytest.mark.parametrize(
    ("image", "mask", "words"),
    [
        (IMAGE, "mask.png", "mask is of type str"),
        (IMAGE, None, "mask is of type NoneType"),
        (IMAGE, [[0, 1], [0]], "mask is no array"),
        (IMAGE, Image.fromarray(MASK).convert("P"), "mask is a picture with a palette"),
        (IMAGE, MASK[None] * 7, "integers that are 0 and 1, or 0 and 255"),
        (IMAGE, MASK * -7, "mask holds -7"),
        (IMAGE, np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80, "levels up to 61360 of type uint16"),
        (IMAGE, MASK[None, None], "expected .H, W., or planes .K, H, W.[.]"),
        (IMAGE, (MASK * 7)[1:], "expected equal height and width"),
        (Image.fromarray(IMAGE).convert("RGBA"), MASK, r"shape \(24, 32, 4\) and type uint8"),
        (Tensor(IMAGE.transpose(2, 0, 1) / 255), MASK, r"shape \(3, 24, 32\) and type float64"),
    ],
)
def test_what_is_not_taken_is_told_in_a_sentence(image, mask, words):
    with pytest.raises(ShapeError, match=words):
        refine(image, mask, device="cpu")


def test_floats_that_rounding_carried_past_1_are_clipped():
    assert to_probability(np.array([[-1e-8, 1.0000001]], np.float32)).tolist() == [[0, 1]]
    assert to_probability(np.array([[1.001]], np.float16)).tolist() == [[1]]
    with pytest.raises(ShapeError, match=r"outside 0\.\.1"):
        to_probability(np.array([[1.01]], np.float32))


def test_backbone_and_parser_say_what_an_image_is():
    for made in (Backbone(device="cpu"), Parser(device="cpu")):
        with pytest.raises(ShapeError, match=r"shape \(24, 32\)"):
            made(Image.fromarray(IMAGE).convert("L"))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_refiner_can_be_copied_and_pickled(again):
    refiner = Refiner("broad", "cpu", 1, quick=True)
    coarse = MASK.astype(np.float32)
    copied = again(refiner)
    assert type(copied) is Refiner
    np.testing.assert_array_equal(copied(IMAGE, coarse), refiner(IMAGE, coarse))
    assert copied.sights[None].quick


def test_what_makes_masks_can_be_copied_too():
    assert type(copy.deepcopy(Backbone(device="cpu"))) is Backbone
    parser = copy.deepcopy(Parser(device="cpu", find=False))
    assert (type(parser), parser._find) == (Parser, False)


def test_arrays_are_not_copied():
    assert as_array(IMAGE, "image") is IMAGE
    assert spnrefine.ShapeError is ShapeError


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"threshold": 1}, "The threshold was 1: expected 0 or more, and less than 1"),
        ({"threshold": float("nan")}, "The threshold was nan"),
        ({"threshold": "0.5"}, "The threshold was 0.5"),
        ({"strength": [1]}, r"The strength was \[1\]"),
        ({"model": None}, "No weights 'None'"),
        ({"device": 0}, "Device was '0': expected auto, cpu, cuda or cuda:N"),
    ],
)
def test_what_cannot_be_is_told_whatever_its_type(how, said):
    with pytest.raises(SpnRefineError, match=said):
        refine(IMAGE, MASK, **how)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.uint8(200) * MASK, "The mask holds numbers from 0 to 200: expected bools, or probabilities in 0..1"),
        (np.where(MASK, np.nan, 0), "The mask holds numbers from nan to nan"),
        (-1.0 * MASK, "The mask holds numbers from -1 to"),
        (MASK.astype(complex), "The mask has type complex128: expected bools"),
        (MASK.astype(str), "The mask has type <U5: expected bools"),
    ],
)
def test_a_refiner_takes_probabilities_alone(mask, said):
    with pytest.raises(ShapeError, match=said):
        Refiner(device="cpu")(IMAGE, mask)
    if mask.dtype != np.uint8:
        with pytest.raises(ShapeError, match="The mask h"):
            refine(IMAGE, mask)


@pytest.mark.parametrize("top", [1, 255])
def test_integers_of_two_values_are_a_hard_mask(top):
    refiner = Refiner(device="cpu")
    np.testing.assert_array_equal(refiner(IMAGE, np.uint8(top) * MASK), refiner(IMAGE, MASK > 0))


@pytest.mark.parametrize("value", [2, 20, 100, 128])
def test_0_and_one_other_value_of_bytes_are_a_hard_mask_and_come_back(value):
    expected = np.uint8(value) * refine(IMAGE, MASK > 0, device="cpu")
    assert 0 < np.count_nonzero(expected) < expected.size
    np.testing.assert_array_equal(refine(IMAGE, np.uint8(value) * (MASK > 0), device="cpu"), expected)


def test_a_level_without_a_background_is_a_probability():
    level = np.full(MASK.shape, 20, np.uint8)
    np.testing.assert_allclose(refine(IMAGE, level, soft=True, device="cpu"), 20 / 255)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_are_whole_numbers(threads):
    for made in (Refiner, Backbone, Parser):
        with pytest.raises(BackendError, match=f"Threads were {threads!r}: expected a whole number from 1 on"):
            made(threads=threads)


def test_a_device_may_be_an_object_of_torch():
    class Device:
        def __str__(self):
            return "cpu"

    assert refine(IMAGE, MASK, device=Device()).any()
