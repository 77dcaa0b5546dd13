"""The pages of a TIFF as planes of a stack: one probability or one hard mask a page."""

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.opening import MAX_PIXELS, Picture
from spnrefine.files.orientation import turn

MODES = {"1": "1-bit", "L": "8-bit gray", "F": "floats"}
MAX_VALUES = 4 * MAX_PIXELS
"""Of all pages together: beyond it a small file of many pages would fill the memory."""


def read(picture: Picture, name: str) -> np.ndarray:
    """Read all pages of a TIFF: an (H, W, K) array of bools, uint8 or float32, upright.

    Raises
    ------
    FileError
        Pages that are damaged, differ in size or kind, or are neither 1-bit, 8-bit gray nor floats.
    """
    image = picture.image
    mode, size = image.mode, image.size
    if mode not in MODES:
        raise FileError(
            f"{name} holds {picture.frames} pages of the kind {mode}, where a stack has {', '.join(MODES.values())}, "
            "one plane a page: save the page that is the mask as a file of its own."
        )
    if size[0] * size[1] * picture.frames > MAX_VALUES:
        most = f"at most {MAX_VALUES // 10**6} million values are read"
        raise FileError(
            f"{name} has {picture.frames} pages of {size[0]} x {size[1]} pixels: {most}, so make it smaller."
        )
    planes = []
    for number in range(picture.frames):
        try:
            image.seek(number)
            image.load()
        except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
            raise FileError(
                f"{name} is damaged or cut short at page {number + 1} ({error}): export or copy it again."
            ) from error
        if (image.mode, image.size) != (mode, size):
            raise FileError(
                f"{name} has pages of several sizes or kinds ({size[0]} x {size[1]} {mode}, {image.width} x "
                f"{image.height} {image.mode}): save the one that is the mask as a file of its own."
            )
        planes.append(turn(np.asarray(image), picture.pending))
    return np.stack(planes, axis=2)
