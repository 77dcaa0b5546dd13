"""Pages of a mask go with the pages of the photograph, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.files import tiff_files as tiff
from tests.model.make_check import draw

SHIFTS = ((0, 0), (9, -12), (-8, 15))
"""How far each page is from the first."""


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    """A gray photograph and the coarse mask of what is in it."""
    image, coarse = draw(80, 100, seed=7)
    return np.asarray(Image.fromarray(image).convert("L")), coarse > 127


def shifted(array: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(array, shift, axis=(0, 1)) for shift in SHIFTS])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_page_by_page(run, scene, tmp_path: Path) -> None:
    gray, coarse = scene
    (tmp_path / "page.tif").write_bytes(tiff.write(gray))
    (tmp_path / "mask.tif").write_bytes(tiff.write(coarse.astype(np.uint8)))
    assert run(tmp_path / "page.tif", "--mask", tmp_path / "mask.tif", "-o", tmp_path / "one.tif").exit_code == 0
    alone = tifffile.imread(tmp_path / "one.tif") > 0
    (tmp_path / "pages.tif").write_bytes(tiff.write(shifted(gray), photometric="minisblack"))
    masks = {
        "ids.tif": tiff.write(shifted(coarse * np.uint16(300)), photometric="minisblack", compression="deflate"),
        "bools.ome.tif": tiff.write(shifted(coarse * np.uint8(255)), photometric="minisblack", ome=True),
    }
    for name, data in masks.items():
        (tmp_path / name).write_bytes(data)
        result = run(tmp_path / "pages.tif", "--mask", tmp_path / name, "-o", tmp_path / f"fine_{name}", "--json")
        assert result.exit_code == 0, result.stderr
        record = json.loads(result.stdout)
        assert record["status"] == "refined"
        fine = tifffile.imread(tmp_path / f"fine_{name}")
        assert fine.dtype == tifffile.imread(tmp_path / name).dtype
        for page, shift in zip(fine, SHIFTS, strict=True):
            assert overlap(np.roll(page > 0, (-shift[0], -shift[1]), axis=(0, 1)), alone) > 0.9
            assert len(np.unique(page)) == 2


@pytest.mark.parametrize("planes", [1, 2])
def test_another_number_of_pages_is_refused(run, scene, tmp_path: Path, planes: int) -> None:
    gray, coarse = scene
    (tmp_path / "pages.tif").write_bytes(tiff.write(shifted(gray), photometric="minisblack"))
    mask = shifted(coarse)[:planes].astype(np.uint8)
    (tmp_path / "mask.tif").write_bytes(tiff.write(mask, photometric="minisblack"))
    result = run(tmp_path / "pages.tif", "--mask", tmp_path / "mask.tif")
    assert result.exit_code == 1
    assert f"mask.tif has {planes} plane" in result.stderr
    assert "pages.tif 3 pages: expected one plane for each page" in result.stderr


def test_each_plane_is_a_map_of_ids_with_labels(run, scene, tmp_path: Path) -> None:
    gray, coarse = scene
    Image.fromarray(gray).save(tmp_path / "photo.png")
    halves = np.where(np.arange(100) < 50, 20, 140).astype(np.uint8)
    (tmp_path / "ids.tif").write_bytes(tiff.write(np.stack([coarse * halves, coarse * halves[::-1]])))
    result = run(tmp_path / "photo.png", "--mask", tmp_path / "ids.tif", "--labels", "-o", tmp_path / "fine.tif")
    assert result.exit_code == 0, result.stderr
    fine = tifffile.imread(tmp_path / "fine.tif")
    assert fine.dtype == np.uint8
    for plane in fine:
        assert set(np.unique(plane)) == {0, 20, 140}
    assert (fine[0] > 0).sum() == pytest.approx((fine[1] > 0).sum(), rel=0.05)
    assert ((fine[0] == 20) & (fine[1] == 140)).sum() > 0.9 * (fine[0] == 20).sum()


def test_bands_and_what_was_spread_stand_in_the_record(run, scene, tmp_path: Path) -> None:
    gray, coarse = scene
    bands = np.stack([np.zeros_like(gray, np.uint16), *[gray * np.uint16(9)] * 3])
    (tmp_path / "satellite.tif").write_bytes(tiff.write(bands, photometric="minisblack", planarconfig="separate"))
    Image.fromarray(coarse).save(tmp_path / "mask.png")
    (tmp_path / "mask.pgw").write_text("1")
    result = run(
        tmp_path / "satellite.tif", "--mask", tmp_path / "mask.png", "--bands", "4,3,2", "--json",
        "-o", tmp_path / "fine.png",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert any("were spread over 8 bits" in note for note in json.loads(result.stdout)["notes"])
    assert (tmp_path / "fine.pgw").read_text() == "1"
    wrong = run(tmp_path / "satellite.tif", "--mask", tmp_path / "mask.png", "--bands", "4,x")
    assert wrong.exit_code == 2
    assert "neither three numbers of bands" in wrong.stderr
