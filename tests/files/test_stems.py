from pathlib import Path

import pytest

from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS, PHOTOGRAPHS
from spnrefine.files.stems import by_path, by_stem, masks_of, pair_trees


def touched(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_files_are_found_by_stem_and_hidden_ones_are_not(tmp_path: Path) -> None:
    folder = touched(tmp_path / "masks", "b.PNG", "a.png", "a.tif", ".c.png", "notes.txt")
    (folder / "d.png").mkdir()
    assert by_stem(folder, MASKS) == {"a": [folder / "a.png", folder / "a.tif"], "b": [folder / "b.PNG"]}
    assert list(by_stem(folder)) == ["a", "b", "notes"]


def test_photographs_and_masks_are_paired_by_name(tmp_path: Path) -> None:
    photographs = touched(tmp_path / "images", "b.webp", "a-2.jpg", "a.jpg", "alone.jpg", "readme.txt")
    masks = touched(tmp_path / "masks", "a.png", "b.npy", "a-2.tif", "other.png", "readme.png")
    pairs = [(photograph.name, mask.name) for photograph, mask in pair_trees(photographs, masks)]
    assert pairs == [("a-2.jpg", "a-2.tif"), ("a.jpg", "a.png"), ("b.webp", "b.npy")]


@pytest.mark.parametrize(
    ("photographs", "masks", "named"),
    [
        (("a.jpg", "a.png"), ("a.png",), ("images/a.jpg", "images/a.png", "photographs of one name")),
        (("a.jpg",), ("a.png", "a.tif"), ("masks/a.png", "masks/a.tif", "masks of one name")),
    ],
)
def test_two_files_of_one_stem_are_refused_and_named(tmp_path: Path, photographs, masks, named) -> None:
    folders = touched(tmp_path / "images", *photographs), touched(tmp_path / "masks", *masks)
    with pytest.raises(FileError) as error:
        list(pair_trees(*folders))
    assert all(words in str(error.value) for words in named)


def test_two_of_a_stem_that_has_no_partner_are_nobodys_business(tmp_path: Path) -> None:
    folders = touched(tmp_path / "images", "a.jpg", "a.png", "b.jpg"), touched(tmp_path / "masks", "b.png")
    assert len(list(pair_trees(*folders))) == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere is no folder"):
        by_stem(tmp_path / "nowhere")


def test_whatever_a_photograph_may_be_called_a_lossless_mask_may_be_too() -> None:
    assert {".png", ".tif", ".tiff", ".bmp", ".webp"} <= set(PHOTOGRAPHS) & set(MASKS)


def test_sub_folders_are_gone_through_but_those_left_out(tmp_path: Path) -> None:
    images = touched(tmp_path / "images", "b.jpg")
    for folder in ("sub", "out", ".hidden"):
        touched(images / folder, "b.jpg", "a.txt")
    (images / "sub" / "back").symlink_to(images)
    (images / "linked").symlink_to(touched(tmp_path / "elsewhere", "c.jpg"))
    found = by_path(images, PHOTOGRAPHS, [images / "out"])
    assert found.pop("linked/c") == [images / "linked/c.jpg"]
    assert found == {"b": [images / "b.jpg"], "sub/b": [images / "sub/b.jpg"]}
    masks = touched(tmp_path / "masks", "b_mask.png", "other_mask.png")
    touched(masks / "sub", "b.png")
    assert [*masks_of(images, found, masks)] == ["b", "other_mask", "sub/b"]
    touched(images, "b_mask.png")
    assert masks_of(images, found, images) == {"b": [images / "b_mask.png"]}, "no photograph is its own mask"
