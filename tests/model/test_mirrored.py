import numpy as np
import pytest

from spnrefine.files.classes import VOID, Classes
from spnrefine.model.config import Config
from spnrefine.model.mirroring import Mirrored, MirroredParser, opposites
from spnrefine.refiner import Refiner
from spnrefine.train.data.looks import Looks, Photographs

CLASSES = ("background", "left eye", "right eye", "left over")


class Leaning:
    """Gives every pixel its column, whatever it sees: not the same in a mirror."""

    config = Config()

    def __call__(self, image, coarse, off=0.0):
        return coarse + np.arange(coarse.shape[1], dtype=np.float32)


class SeesReddishLeft:
    """Takes what is red in the left half for the left eye, in the right half for the right; nothing for the rest."""

    config = Config(classes=4)

    def __call__(self, image):
        red = (image[..., 0] > 0).astype(np.float32)
        middle = image.shape[1] // 2
        maps = np.zeros((4, *red.shape), np.float32)
        maps[1, :, :middle], maps[2, :, middle:] = red[:, :middle], red[:, middle:]
        maps[3] = image[..., 1] > 0
        return maps, 2 * maps


def test_the_mean_of_both_is_taken_in_the_photographs_own_direction():
    coarse = np.arange(12, dtype=np.float32).reshape(2, 6)
    mean = Mirrored(Leaning())(np.zeros((2, 6, 3), np.uint8), coarse)
    assert np.array_equal(mean, coarse + 2.5)


def test_left_and_right_change_places_in_the_mirror_and_other_classes_do_not():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 1, 0] = 1  # red, in the left half
    image[0, 6, 1] = 1  # "left over" has no right counterpart
    coarse, refined = MirroredParser(SeesReddishLeft(), CLASSES)(image)
    expected, _ = SeesReddishLeft()(image)
    assert np.array_equal(coarse, expected)
    assert np.array_equal(refined, 2 * expected)


def test_left_and_right_are_told_by_words_wherever_they_stand():
    names = ("background", "eye left", "left brow", "eye right", "right brow", "upper left lip", "leftover", "left ear")
    assert opposites(names) == [0, 3, 4, 1, 2, 5, 6, 7]


def test_training_swaps_the_classes_that_best_swaps():
    names = ("background", "eye left", "eye right", "left over")
    classes = Classes.numbered(4)
    trained = Photographs([], Classes(names, classes.ids), Looks(), 0, 1, (64,)).mirrored
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 1, 0] = 1
    coarse, _ = MirroredParser(SeesReddishLeft(), names)(image)
    assert np.array_equal(coarse, SeesReddishLeft()(image)[0])
    assert trained[:4].tolist() == opposites(names) == [0, 2, 1, 3]
    assert trained[VOID] == VOID


@pytest.mark.parametrize("width", [64, 75])
def test_a_mirrored_photograph_gets_the_mirrored_mask(width):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, width, 3), np.uint8)
    coarse = np.zeros((60, width), np.float32)
    coarse[10:40, 12:30] = 1
    best, once = (Refiner(device="cpu", best=best) for best in (True, False))

    def flipped(picture):
        return np.ascontiguousarray(picture[:, ::-1])

    np.testing.assert_allclose(flipped(best(flipped(image), flipped(coarse))), best(image, coarse), rtol=0, atol=1e-5)
    assert np.abs(best(image, coarse) - once(image, coarse)).max() > 1e-3
