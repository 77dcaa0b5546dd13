"""The pages of a TIFF as planes of a stack: one probability or one hard mask a page."""

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.limits import CURE, MAX_PAGES, MEGA, check_pixels, max_values
from spnrefine.files.opening import Picture, damaged
from spnrefine.files.orientation import turn

MODES = {"1": "1-bit", "L": "8-bit gray", "F": "floats"}


def read(picture: Picture, count: int, name: str) -> np.ndarray:
    """Read the pages of a TIFF, ``count`` of them: an (H, W, K) array of bools, uint8 or float32, upright.

    ``count`` is what `Picture.count_frames` says.

    Raises
    ------
    FileError
        Pages that are damaged, differ in size or kind, or are neither 1-bit, 8-bit gray nor floats.
    """
    image = picture.image
    mode, size = image.mode, image.size
    if count > MAX_PAGES:
        raise FileError(f"{name} has more pages than the {MAX_PAGES} that a stack may have: save it as NPY.")
    if mode not in MODES:
        raise FileError(
            f"{name} holds {count} pages of the kind {mode}, where a stack has {', '.join(MODES.values())}, "
            "one plane a page: save the page that is the mask as a file of its own."
        )
    if size[0] * size[1] * count > max_values():
        most = f"at most {max_values() / MEGA:g} million values are read"
        raise FileError(f"{name} has {count} pages of {size[0]} x {size[1]} pixels, and {most}: {CURE}.")
    planes = []
    for number in range(count):
        try:
            image.seek(number)
            check_pixels(*image.size, name)
            image.load()
        except (FileError, MemoryError):
            raise
        except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
            raise damaged(f"{name} (page {number + 1})", error) from error
        if (image.mode, image.size) != (mode, size):
            raise FileError(
                f"{name} has pages of several sizes or kinds ({size[0]} x {size[1]} {mode}, {image.width} x "
                f"{image.height} {image.mode}): save the one that is the mask as a file of its own."
            )
        planes.append(turn(np.asarray(image), picture.pending))
    return np.stack(planes, axis=2)
