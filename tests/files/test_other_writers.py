"""Masks of the programs that people have go through the product and are read again by those programs.

The table of docs/files.md is what the test finds; where it no longer is, the test shows the rows as they are now.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from spnrefine.files.images import read_photograph
from tests.documents import ROOT
from tests.model.make_check import draw

PACKAGES = ["tifffile", "imagecodecs", "rasterio", "imageio", "scikit-image", "pyvips[binary]", "SimpleITK"]
PACKAGES += ["opencv-python-headless", "pillow"]
SCRIPT = Path(__file__).with_name("other_writers.py")
HOW = ("bits", "photometric", "compression", "predictor", "tiled", "bands", "byteorder", "big", "pages", "tags")


def ask(python: Path, *arguments: object) -> Any:
    done = subprocess.run([python, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow(reason="installs the writers from the registry, 400 MB of packages")
def test_what_real_writers_get_back(run, tmp_path: Path) -> None:
    python = tmp_path / "writers" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "writers"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    rows = rows_of(run, python, tmp_path)
    page = (ROOT / "docs/files.md").read_text()
    missing = [row for row in rows if without_version(row) not in map(without_version, page.splitlines())]
    assert not missing, "\n".join(missing)


def rows_of(run: Any, python: Path, folder: Path) -> list[str]:
    image, coarse = draw(96, 128, seed=7)
    ids = np.where(coarse > 127, 1 + (np.arange(128) > 60), 0).astype(np.uint8)
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    smooth[:2], smooth[2:4] = 0, 255  # the whole range, so that only 12 bits in 16 are spread
    np.save(folder / "ids.npy", ids)
    np.save(folder / "rgb.npy", smooth)
    all_written = ask(python, "write", folder)
    written = [each for each in all_written if each[3].startswith("ids")]
    Image.fromarray(image).save(folder / "photo.png")
    asked, records = [], []
    for writer, _, what, name in written:
        photo = folder / "photo.png"
        labels = ["--labels"] if "stack" in what or "volume" in what else []
        result = run(photo, "--mask", folder / name, "-o", folder / f"fine_{name}", "--json", *labels)
        assert result.exit_code == 0, (writer, what, result.stderr)
        records.append(json.loads(result.stdout))
        asked += [(writer, name), (writer, f"fine_{name}")]
    (folder / "asked.json").write_text(json.dumps(asked))
    found = ask(python, "read", folder)
    rows = []
    for (writer, version, what, _), record, before, after in zip(
        written, records, found[::2], found[1::2], strict=True
    ):
        assert record["status"] == "refined", (writer, what, record)
        same = {key: before[key] == after[key] for key in ("dtype", "shape", "values", *HOW) if key in before}
        assert all(same[key] for key in ("dtype", "shape", "values")), (writer, what, before, after)
        assert abs(before["share"] - after["share"]) < 0.1, (writer, what, before, after)
        lost = [f"{key} {before[key]}, now {after[key]}" for key, kept in same.items() if not kept]
        said = "; ".join([*lost, *(note for note in record["notes"] if "became" not in note)])
        rows.append(f"| {writer} | {version} | {what} | {before['dtype']} | {said or 'all'} |")
    return rows + [seen(folder / name, smooth, *about) for *about, name in all_written if name.startswith("rgb")]


def seen(path: Path, expected: np.ndarray, writer: str, version: str, what: str) -> str:
    """Say how a photograph is read; what is no JPEG, pixel for pixel, but for rounding."""
    photograph = read_photograph(path)
    apart = np.abs(photograph.pixels.astype(int) - expected)
    assert apart.mean() < (4 if "JPEG" in what else 1), (writer, what, apart.mean())
    return f"| {writer} | {version} | {what} | photograph | {'; '.join(photograph.notes) or 'seen as it is'} |"


def without_version(row: str) -> str:
    cells = row.split("|")
    return "|".join(cells[:2] + cells[3:])
