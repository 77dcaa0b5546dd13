"""Stacks of probabilities and masks through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.files.test_stacks import planes_of, tiff
from tests.model.make_check import draw
from tests.pictures import open_picture


@pytest.fixture
def photo(tmp_path):
    image, _ = draw(80, 100, seed=7)
    Image.fromarray(image).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def planes():
    """Background and two objects that touch, soft; they sum to 1."""
    _, coarse = draw(80, 100, seed=7)
    inside = coarse.astype(np.float32) / 255
    left = np.linspace(1.5, -0.5, 100, dtype=np.float32).clip(0, 1)
    return np.stack([1 - inside, inside * left, inside * (1 - left)])


def refine(run, photo, mask, *more):
    result = run(photo, "--mask", mask, "--overwrite", "--json", *more)
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    return record, planes_of(Path(record["output"]).read_bytes())


def test_a_distribution_stays_one(run, photo, planes, tmp_path):
    np.save(tmp_path / "mask.npy", planes)
    record, hard = refine(run, photo, tmp_path / "mask.npy")
    assert record["status"] == "refined"
    assert record["output"] == str(tmp_path / "photo_refined.npy")
    assert (hard.dtype, hard.shape) == (np.float32, planes.shape)
    np.testing.assert_array_equal(hard.sum(axis=0), 1)
    assert set(np.unique(hard)) == {0, 1}
    _, soft = refine(run, photo, tmp_path / "mask.npy", "--soft")
    np.testing.assert_allclose(soft.sum(axis=0), 1, atol=1e-5)
    assert len(np.unique(soft)) > 100
    np.testing.assert_array_equal(soft.argmax(axis=0), hard.argmax(axis=0))
    changed = (hard.argmax(axis=0) != planes.argmax(axis=0)).sum() / (planes.argmax(axis=0) > 0).sum()
    assert record["changed"] == pytest.approx(changed, abs=1e-5)


def test_planes_of_zeros_and_ones_give_what_the_ids_give(run, photo, planes, tmp_path):
    ids = planes.argmax(axis=0).astype(np.uint16)
    np.save(tmp_path / "planes.npy", np.arange(3)[:, None, None] == ids)
    np.save(tmp_path / "ids.npy", ids)
    all_the_way = "--strength", 1  # else a judge has a say, which sees how much of a picture an object is
    _, hard = refine(run, photo, tmp_path / "planes.npy", *all_the_way)
    refine(run, photo, tmp_path / "ids.npy", *all_the_way)
    np.testing.assert_array_equal(hard.argmax(axis=0), np.load(tmp_path / "photo_refined.npy"))
    assert hard.dtype == bool


def test_independent_pages_are_refined_one_by_one(run, photo, planes, tmp_path):
    whole, part = planes[1] + planes[2] > 0.5, planes[1] > 0.5
    (tmp_path / "mask.tif").write_bytes(tiff([whole, part, np.zeros_like(part)], compression="group4"))
    record, refined = refine(run, photo, tmp_path / "mask.tif")
    assert record["components_after"] >= 2
    assert not refined[2].any()
    for number, page in enumerate((whole, part)):
        Image.fromarray(page).save(tmp_path / "alone.png")
        alone, _ = refine(run, photo, tmp_path / "alone.png", "-o", tmp_path / "alone_refined.npy")
        np.testing.assert_array_equal(refined[number], np.load(tmp_path / "alone_refined.npy") > 0)
        assert alone["status"] == "refined"
    record, _ = refine(run, photo, tmp_path / "mask.tif", "--max-change", 0)
    assert record["status"] == "kept"
    assert [note.partition(":")[0] for note in record["notes"]] == ["plane 0", "plane 1"]


@pytest.mark.parametrize("option", [("--band", 0), ("--max-change", 0)])
def test_a_distribution_held_back_comes_back_byte_for_byte(run, photo, planes, tmp_path, option):
    for name, data in (("mask.tif", tiff(planes)), ("pages.tif", tiff(planes[1:] * 0.9))):
        (tmp_path / name).write_bytes(data)
        for soft in ([], ["--soft"]):
            record, _ = refine(run, photo, tmp_path / name, "-o", tmp_path / "out.tif", *option, *soft)
            assert record["changed"] == 0
            assert (tmp_path / "out.tif").read_bytes() == data


def test_parts_and_holes_of_a_distribution_are_kept(run, photo, planes, tmp_path):
    np.savez(tmp_path / "mask.npz", probability=planes)
    record, _ = refine(run, photo, tmp_path / "mask.npz", "--keep-topology")
    assert record["components_before"] == record["components_after"]
    assert record["holes_before"] == record["holes_after"]
    assert record["changed"] > 0


@pytest.mark.parametrize(("plane", "status"), [(0, "empty"), (1, "full")])
def test_one_plane_alone_has_no_edge(run, photo, plane, status, tmp_path):
    planes = np.zeros((3, 80, 100), np.float32)
    planes[plane] = 1
    np.save(tmp_path / "mask.npy", planes)
    record, refined = refine(run, photo, tmp_path / "mask.npy")
    assert record["status"] == status
    np.testing.assert_array_equal(refined, planes)


def test_a_folder_of_stacks_with_overlays_and_a_report(run, photo, planes, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"photos/{name}.png").write_bytes(photo.read_bytes())
    np.save(tmp_path / "masks/a.npy", planes)
    (tmp_path / "masks/b.tif").write_bytes(tiff((planes[1:] * 200).astype(np.uint8)))
    command = ("batch", tmp_path / "photos", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out")
    result = run(*command, "--overlay", tmp_path / "look", "--report", tmp_path / "review.html")
    assert result.exit_code == 0, result.stderr
    assert planes_of((tmp_path / "out/b.tif").read_bytes()).shape == (2, 80, 100)
    assert np.load(tmp_path / "out/a.npy").shape == (3, 80, 100)
    assert open_picture(tmp_path / "look/a.jpg").size == (100, 80)


@pytest.mark.parametrize("resize", [[], ["--resize-mask"]])
def test_planes_that_come_last_are_pointed_out(run, photo, planes, tmp_path, resize):
    np.save(tmp_path / "mask.npy", np.moveaxis(planes, 0, 2))
    result = run(photo, "--mask", tmp_path / "mask.npy", *resize)
    assert result.exit_code == 1
    assert result.stderr.endswith("has shape (80, 100, 3): expected its planes first, (K, 80, 100).\n")


def test_a_stack_cannot_be_written_as_png(run, photo, planes, tmp_path):
    np.save(tmp_path / "mask.npy", planes)
    result = run(photo, "--mask", tmp_path / "mask.npy", "-o", tmp_path / "out.png")
    assert result.exit_code == 1
    assert result.stderr == "Error: PNG cannot hold a stack of 3 planes: write it as TIFF or NPY.\n"
    assert not (tmp_path / "out.png").exists()


def test_a_stack_goes_through_a_pipe(shell, photo, planes, tmp_path):
    np.save(tmp_path / "mask.npy", planes)
    result = shell("cat mask.npy | spnrefine photo.png --mask - > out.npy", tmp_path)
    assert result.returncode == 0, result.stderr
    assert np.load(tmp_path / "out.npy").shape == planes.shape
