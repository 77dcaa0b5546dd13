"""Pictures are read in one room, so that a mask means the same wherever it is read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import spnrefine
from tests import sources

PACKAGE = Path(spnrefine.__file__).parent
OUTSIDE = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "files")

READERS = {
    "PIL.Image": {"open"},
    "cv2": {"imread", "imreadmulti", "imreadanimation", "imdecode", "imdecodemulti", "imdecodeanimation"},
    "numpy": {"load"},
}
"""What reads pictures and masks, by module."""
ELSEWHERE = {"imageio", "skimage.io", "tifffile", "matplotlib.image", "torchvision.io", "rasterio", "pyvips"}
"""Modules that read pictures, and have no other use here."""


def readers_in(tree: ast.Module) -> Iterator[str]:
    """Name what in a source reads a picture, by whatever name it was imported."""
    known: dict[str, str] = {}  # what a name in this file stands for
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                yield from _named(alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield from _named(f"{node.module}.{alias.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, _, rest = sources.dotted(node).partition(".")
            yield from _named(f"{known.get(first, first)}.{rest}")


def _named(name: str) -> Iterator[str]:
    module, _, function = name.rpartition(".")
    if function in READERS.get(module, ()) or any(f"{name}.".startswith(f"{other}.") for other in ELSEWHERE):
        yield name


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_files_reads_pictures(path: Path) -> None:
    assert not list(readers_in(sources.tree(path)))


@pytest.mark.parametrize(
    "source",
    [
        "from PIL import Image\nImage.open(path)",
        "from PIL import Image as Picture\nwith Picture.open(path) as file: pass",
        "import PIL.Image\nPIL.Image.open(path)",
        "import PIL.Image as I\nread = I.open",
        "from PIL.Image import open as read",
        "import cv2\ncv2.imread(path)",
        "import cv2 as cv\ncv.imdecode(data, 0)",
        "from cv2 import imread",
        "import numpy as np\nnp.load(path)",
        "def later():\n    import imageio.v3 as iio",
        "from skimage import io",
        "import skimage.io",
    ],
)
def test_a_reader_is_seen_by_any_name(source: str) -> None:
    assert list(readers_in(ast.parse(source)))


def test_other_uses_are_no_readers() -> None:
    source = "from PIL import Image\nImage.fromarray(a)\nfile.open()\nopen(path)\nimport cv2\ncv2.resize(a, s)"
    assert not list(readers_in(ast.parse(source)))
