"""Which pairs are found, which are held aside, which are left out and why."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.train.data.pairs import find_folders, find_tree, is_held_aside, with_coarse
from spnrefine.train.data.store import build_store
from spnrefine.train.recipe import Recipe
from tests.train.sets import VOID, draw_pair, write_pair


def test_a_tree_of_sets_is_found(tree: Path):
    split = find_tree(tree, held_aside=0.0, void={"ids": VOID})
    assert [pair.stem for pair in split.train if pair.labels] == ["ids0", "ids1", "ids2"]
    assert [(pair.stem, pair.void) for pair in split.val] == [("ids0", VOID), ("ids1", VOID)]
    assert sum(pair.set_name == "discs" for pair in split.train) == 12


def test_holding_aside_rests_on_the_stem_alone():
    aside = [stem for stem in map(str, range(1000)) if is_held_aside(stem, 0.03)]
    assert aside[:4] == ["51", "55", "149", "152"]  # must never change: trained weights have not seen these
    assert 15 <= len(aside) <= 45
    assert {stem for stem in map(str, range(1000)) if is_held_aside(stem, 0.02)} <= set(aside)


def test_pairs_in_two_folders_are_held_aside(tree: Path):
    folders = tree / "discs" / "images", tree / "discs" / "masks"
    split = find_folders(*folders, labels=False, held_aside=0.5)
    assert len(split.train) + len(split.val) == 12
    assert {pair.stem for pair in split.val} == {f"disc{i}" for i in range(12) if is_held_aside(f"disc{i}", 0.5)}


def test_masks_of_networks_are_those_of_the_same_sub_folders(tmp_path: Path):
    for place in ("images/a/1.jpg", "images/b/1.jpg", "masks/a/1.png", "masks/b/1.png", "net/b/1.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = find_folders(tmp_path / "images", tmp_path / "masks", labels=False, held_aside=0.0)
    coarse = {pair.name: pair.coarse for pair in with_coarse(found, [tmp_path / "net"], tree=False).train}
    assert coarse == {"a/1": (), "b/1": (tmp_path / "net/b/1.png",)}


@pytest.mark.parametrize("content", [None, "empty"])
def test_nothing_to_train_on_is_one_sentence(tmp_path: Path, content: str | None):
    root = tmp_path / "sets"
    if content:
        root.mkdir()
    with pytest.raises(FileError, match=r"sets, each|folders with images/ and masks/"):
        find_tree(root, held_aside=0.1)


def test_bad_pairs_are_named_and_left_out(tmp_path: Path):
    rng = np.random.default_rng(0)
    image, mask = draw_pair(rng)
    write_pair(tmp_path / "set", "good", image, mask)
    write_pair(tmp_path / "set", "cut", image, mask)
    write_pair(tmp_path / "set", "sizes", image, mask[:-1])
    write_pair(tmp_path / "set", "blank", image, np.zeros_like(mask))
    cut = tmp_path / "set" / "images" / "cut.png"
    cut.write_bytes(cut.read_bytes()[:100])
    why: dict[str, str] = {}
    store = build_store(
        find_tree(tmp_path, held_aside=0.0).train,
        Recipe(),
        device=torch.device("cpu"),
        seed=0,
        threads=2,
        skipped=lambda pair, reason: why.update({pair.stem: reason}),
    )
    assert len(store) == 1
    assert set(why) == {"cut", "sizes", "blank"}
    assert "96x72" in why["sizes"]
    assert "96x71" in why["sizes"]
    assert "no object" in why["blank"]


def test_only_bad_pairs_is_an_error(tmp_path: Path):
    image, mask = draw_pair(np.random.default_rng(0))
    write_pair(tmp_path / "set", "blank", image, np.zeros_like(mask))
    pairs = find_tree(tmp_path, held_aside=0.0).train
    with pytest.raises(FileError, match="None of the 1 pairs"):
        build_store(pairs, Recipe(), device=torch.device("cpu"), seed=0, threads=1, skipped=lambda *_: None)


def test_more_is_held_aside_of_a_small_set(tmp_path: Path):
    for name, count in (("small", 60), ("large", 400)):
        for folder in ("images", "masks"):
            (tmp_path / name / folder).mkdir(parents=True)
            for index in range(count):
                (tmp_path / name / folder / f"{index}.png").touch()
    split = find_tree(tmp_path, held_aside=0.03)
    aside = {name: [pair.stem for pair in split.val if pair.set_name == name] for name in ("small", "large")}
    assert aside["small"] == sorted(str(index) for index in range(60) if is_held_aside(str(index), 0.1))
    assert aside["large"] == sorted(str(index) for index in range(400) if is_held_aside(str(index), 0.04))
    assert not find_tree(tmp_path, held_aside=0.0).val


def test_sub_folders_and_masks_of_other_names_are_seen_as_a_batch_sees_them(tmp_path: Path):
    image, mask = draw_pair(np.random.default_rng(0))
    names = ("a", "sub/a", "sub/deeper/b", ".hidden/c")
    for folder, pixels, suffix in (
        ("images", image, ""),
        ("masks", mask, "_mask"),
        ("both", image, ""),
        ("both", mask, "_mask"),
    ):
        for name in names:
            path = tmp_path / folder / f"{name}{suffix}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    for images, masks in (("images", "masks"), ("both", "both")):
        pairs = find_folders(tmp_path / images, tmp_path / masks, labels=False, held_aside=0).train
        found = {pair.image.relative_to(tmp_path / images).as_posix(): pair.mask for pair in pairs}
        expected = ("a", "sub/a", "sub/deeper/b")
        assert found == {f"{name}.png": tmp_path / masks / f"{name}_mask.png" for name in expected}
    Image.fromarray(image).save(tmp_path / "images/sub/a.jpg")
    with pytest.raises(FileError, match="are photographs of one name"):
        find_folders(tmp_path / "images", tmp_path / "masks", labels=False, held_aside=0)
