"""What training sees of a photograph and its mask: the same as everybody who reads them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.classes import VOID, Classes
from spnrefine.train.data.decode import Decoded, decode
from spnrefine.train.data.found_classes import classes_of
from spnrefine.train.data.looks import read_pair
from spnrefine.train.data.pairs import Pair, Split, find_folders, find_tree, with_coarse
from spnrefine.train.recipe import Recipe
from tests.files.making import palette_image, with_orientation
from tests.train.sets import draw_pair, write_pair

IMAGE, OBJECT = draw_pair(np.random.default_rng(5))
RIM = np.roll(OBJECT, 3, axis=1) & ~OBJECT
BINARY = Classes(("background", "object"), ((0,), (1,)))
COLOURS = np.random.default_rng(6).integers(0, 256, (*OBJECT.shape, 3), dtype=np.uint8)


def gray(top: int, rim: int = 0) -> np.ndarray:
    return np.where(OBJECT, top, np.where(RIM, rim, 0)).astype(np.uint8)


def pair_of(folder: Path, mask: Image.Image, **how) -> Pair:
    Image.fromarray(IMAGE).save(folder / "photograph.png")
    mask.save(folder / "mask.png")
    return Pair(folder / "photograph.png", folder / "mask.png", "set", how.pop("labels", False), **how)


def decoded(pair: Pair) -> Decoded:
    found = decode(pair, Recipe(parts_chance=0), (0, 0))
    assert isinstance(found, Decoded), found
    return found


MASKS = {
    "0 and 1": (Image.fromarray(gray(1)), False, None),
    "void rim beside 1": (Image.fromarray(gray(1, 255)), True, None),
    "void rim beside a class": (Image.fromarray(gray(15, 255)), True, None),
    "void of 128": (Image.fromarray(gray(255, 128)), True, None),
    "void by choice": (Image.fromarray(gray(255, 7)), True, 7),
    "palette": (palette_image(gray(4)), False, None),
    "palette with void": (palette_image(gray(1, 255)), True, None),
    "alpha": (Image.fromarray(np.dstack([COLOURS, gray(255)])), False, None),
    "an id": (Image.fromarray(gray(2)), False, None),
    "16-bit id": (Image.fromarray(gray(1).astype(np.uint16) * 700), False, None),
}


@pytest.mark.parametrize(("mask", "has_rim", "void"), MASKS.values(), ids=MASKS)
def test_the_object_is_trained_on_and_void_is_not(tmp_path: Path, mask, has_rim: bool, void: int | None):
    pair = pair_of(tmp_path, mask, void=void)
    undecided = RIM if has_rim else np.zeros_like(RIM)
    found = decoded(pair)
    np.testing.assert_array_equal(found.masks[0], OBJECT)
    np.testing.assert_array_equal(found.texels[..., 3], np.where(undecided, 255, 0))
    image, numbers = read_pair(pair, BINARY)
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(numbers, np.where(undecided, VOID, OBJECT))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("labels", [False, True])
def test_a_turned_photograph_is_trained_on_upright_with_its_mask(tmp_path: Path, orientation: int, labels: bool):
    operation = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # Pillow's, that undoes EXIF's
    upright = Image.fromarray(IMAGE)
    stored = upright if operation is None else upright.transpose(Image.Transpose(operation))
    mask = Image.fromarray(gray(3 if labels else 255))
    drawn = mask.transpose(Image.Transpose(operation)) if orientation > 4 and operation is not None else mask
    pair = pair_of(tmp_path, drawn, labels=labels)
    stored.save(pair.image, exif=with_orientation(orientation))
    found = decoded(pair)
    np.testing.assert_array_equal(found.texels[..., :3], IMAGE)
    same = [np.array_equal(each, OBJECT) or np.array_equal(each, ~OBJECT) for each in found.masks]
    assert all(same)
    image, numbers = read_pair(pair, Classes.numbered(4) if labels else BINARY)
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(numbers, np.where(OBJECT, 3 if labels else 1, 0))


def test_what_a_network_made_is_read_and_turned_like_any_mask(tmp_path: Path):
    pair = pair_of(tmp_path, Image.fromarray(gray(255)))
    Image.fromarray(IMAGE).transpose(Image.Transpose.ROTATE_90).save(pair.image, exif=with_orientation(6))
    made = {"soft": gray(200), "ones": gray(1), "alpha": np.dstack([COLOURS, gray(255)])}
    for name, pixels in made.items():
        Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90).save(tmp_path / f"{name}.png")
    found = decoded(Pair(pair.image, pair.mask, "set", False, coarse=tuple(tmp_path / f"{n}.png" for n in made)))
    soft, ones, alpha = found.given
    assert np.array_equal(ones, alpha)
    assert (int(soft.max()), int(ones.max()), int(ones.min())) == (round(200 * 254 / 255) - 127, 127, -127)
    assert ((ones > 0) == (soft > 0)).mean() > 0.97


def test_what_is_not_certain_is_left_out_in_a_sentence(tmp_path: Path):
    trimap = np.where(OBJECT, 1, np.where(RIM, 3, 2)).astype(np.uint8)
    why = decode(pair_of(tmp_path, Image.fromarray(trimap)), Recipe(), (0, 0))
    assert isinstance(why, str)
    assert "1, 2, 3 but no 0" in why


def test_label_maps_of_16_bits_and_void(tmp_path: Path):
    ids = np.where(OBJECT, 70, np.where(RIM, 255, 0)).astype(np.uint16)
    found = decoded(pair_of(tmp_path, Image.fromarray(ids), labels=True))
    for mask in found.masks:
        assert np.array_equal(mask, OBJECT) or np.array_equal(mask, ~OBJECT & ~RIM)
    np.testing.assert_array_equal(found.texels[..., 3], np.where(RIM, 255, 0))
    instances = np.where(OBJECT, 700, 0).astype(np.uint16)
    with pytest.raises(FileError, match="ids up to 700"):
        classes_of([pair_of(tmp_path, Image.fromarray(instances), labels=True)])


def test_a_void_id_below_the_largest_is_no_class(tmp_path: Path):
    pair = pair_of(tmp_path, Image.fromarray(gray(5, 3)), labels=True, void=3)
    known = classes_of([pair])
    assert len(known.names) == 6
    np.testing.assert_array_equal(read_pair(pair, known)[1], np.where(RIM, VOID, gray(5)))


@pytest.mark.parametrize("second", ["images/a.jpg", "masks/a.webp"])
def test_two_files_of_one_stem_never_share_a_partner(tmp_path: Path, second: str):
    write_pair(tmp_path / "set", "a", IMAGE, OBJECT)
    Image.fromarray(IMAGE[:, ::-1]).save(tmp_path / "set" / second)
    named = rf"{second} and .*a\.png are|a\.png and .*{second} are"
    with pytest.raises(FileError, match=named):
        find_tree(tmp_path, held_aside=0.0)
    with pytest.raises(FileError, match=named):
        find_folders(tmp_path / "set/images", tmp_path / "set/masks", labels=False, held_aside=0.0)


def test_two_networks_masks_of_one_stem_are_refused(tmp_path: Path):
    write_pair(tmp_path / "set", "a", IMAGE, OBJECT)
    (tmp_path / "coarse").mkdir()
    for name in ("a.png", "a.tif"):
        Image.fromarray(gray(255)).save(tmp_path / "coarse" / name)
    split = Split(find_tree(tmp_path, held_aside=0.0).train, [])
    with pytest.raises(FileError, match=r"a\.png and .*a\.tif are masks of one name"):
        with_coarse(split, [tmp_path / "coarse"], tree=False)


def test_a_void_without_a_name_is_that_of_all_sets_that_have_none(tmp_path: Path):
    for name in ("street", "face"):
        write_pair(tmp_path / name, "a", IMAGE, gray(2), "labels")
    found = find_tree(tmp_path, held_aside=0.0, void={"street": 11, "": 4}).train
    assert {pair.set_name: pair.void for pair in found} == {"street": 11, "face": 4}
