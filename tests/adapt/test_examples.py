import numpy as np
import pytest
from PIL import Image

from spnrefine import FileError
from spnrefine.adapt import examples
from spnrefine.adapt.examples import MOST_EXAMPLES, read_examples
from spnrefine.adapt.trials import all_choices, errors_of
from spnrefine.refiner.choice import Choice
from spnrefine.refiner.part_way import settled


@pytest.fixture
def cells(tmp_path):
    """A photograph of six cells, its map of ids, and a coarse one in which each is moved by two pixels."""
    for name in ("images", "good", "coarse"):
        (tmp_path / name).mkdir()
    ids = np.zeros((80, 120), np.uint16)
    for number in range(6):
        top, left = 10 + 35 * (number // 3), 10 + 35 * (number % 3)
        ids[top : top + 20, left : left + 20] = number + 1
    Image.fromarray(np.repeat((40 + 30 * ids[..., None]).astype(np.uint8), 3, 2)).save(tmp_path / "images/a.png")
    Image.fromarray(ids).save(tmp_path / "good/a.png")
    Image.fromarray(np.roll(ids, 2, 1)).save(tmp_path / "coarse/a.png")
    return tmp_path


def test_each_object_of_a_map_is_an_example(cells):
    found = read_examples(cells / "images", cells / "good", cells / "coarse")
    assert len(found) == 6
    for one in found:
        assert one.picture == "a"
        assert one.image.shape[:2] == one.coarse.shape == one.truth.shape == one.valid.shape
        assert one.truth.sum() == (one.coarse > 0.5).sum() == 400
        assert (one.truth & (one.coarse > 0.5)).sum() == 360


def test_without_coarse_masks_some_are_made(cells):
    found = read_examples(cells / "images", cells / "good", None)
    assert 6 < len(found) <= MOST_EXAMPLES
    assert all((one.coarse > 0.5).any() for one in found)


def test_of_many_photographs_some_are_read_and_no_more_masks_made_than_are_used(cells, monkeypatch):
    for number in range(2 * MOST_EXAMPLES):
        for name in ("images", "good"):
            (cells / name / f"{number}.png").hardlink_to(cells / name / "a.png")
    read, made = [], []
    before = examples.read_photograph
    monkeypatch.setattr(examples, "read_photograph", lambda path: read.append(path) or before(path))
    makers = {str(number): lambda truth, _: made.append(0) or truth.astype(np.float32) for number in range(5)}
    monkeypatch.setattr(examples, "MAKERS", makers)
    found = read_examples(cells / "images", cells / "good", None)
    assert len(read) == len(found) == len(made) == MOST_EXAMPLES
    assert len({one.picture for one in found}) > 30


def test_folders_without_pairs_are_refused(cells):
    (cells / "good/a.png").rename(cells / "good/b.png")
    with pytest.raises(FileError, match="no files of equal stems"):
        read_examples(cells / "images", cells / "good", None)


def test_the_errors_tried_are_those_of_the_masks_that_come_out(cells):
    one = read_examples(cells / "images", cells / "good", cells / "coarse")[0]
    refined = np.clip(one.coarse * 0.6 + np.roll(one.truth, 1, 1) * 0.4, 0, 1).astype(np.float32)
    choices = all_choices([Choice()])
    for choice, error in zip(choices, errors_of(one, [refined]), strict=True):
        inside = settled(one.coarse, refined, choice) > 0.5
        iou = (inside & one.truth).sum() / (inside | one.truth).sum()
        assert error == pytest.approx(1 - iou, abs=1e-6), choice.in_words()


def test_void_of_a_good_mask_does_not_count(cells):
    levels = np.zeros((80, 120), np.uint8)
    levels[20:60, 30:80] = 255
    levels[20:60, 76:80] = 128
    Image.fromarray(levels).save(cells / "good/a.png")
    coarse = np.zeros((80, 120), np.uint8)
    coarse[24:64, 30:80] = 255
    Image.fromarray(coarse).save(cells / "coarse/a.png")
    (one,) = read_examples(cells / "images", cells / "good", cells / "coarse")
    assert one.truth.sum() == 40 * 46
    assert (~one.valid).sum() == 40 * 4
