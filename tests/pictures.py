"""Reading pictures in tests, without a file left open."""

import io
from pathlib import Path

from PIL import Image


def open_picture(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))
