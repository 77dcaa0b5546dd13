"""Photographs as RGB arrays that stand upright."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.opening import Picture, Source, decode, describe, read_bytes
from spnrefine.files.orientation import turn

_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags of TIFF 6.0


@dataclass(frozen=True, eq=False)
class Photograph:
    """An upright photograph, and how its file stored it.

    Attributes
    ----------
    pixels : (H, W, 3) uint8 array, RGB, upright.
    orientation : int in 1..8, the EXIF orientation of the stored pixels; 1 when they were upright.
    """

    pixels: np.ndarray
    orientation: int = 1


def read_photograph(source: Source) -> Photograph:
    """Read a photograph and turn it upright by its EXIF orientation.

    Gray, palette and CMYK are converted to RGB; 16-bit gray is scaled by its own bit depth; an alpha channel is
    dropped, the colours under it stay as stored; an embedded colour profile is not applied. Of several frames, the
    first counts.

    Parameters
    ----------
    source : Path, or the file's bytes.

    Raises
    ------
    FileError
        The source is missing, empty, cut short, not a picture, or too large.
    """
    name = describe(source)
    picture = decode(read_bytes(source), name)
    pixels = turn(_rgb(picture, name), picture.pending)
    return Photograph(np.ascontiguousarray(pixels), picture.orientation)


def read_image(source: Source) -> np.ndarray:
    """Read a photograph's pixels: an (H, W, 3) uint8 array, RGB, upright; as `read_photograph`."""
    return read_photograph(source).pixels


def _rgb(picture: Picture, name: str) -> np.ndarray:
    image = picture.image
    image.info.pop("transparency", None)  # a transparent colour is a colour all the same
    if image.mode.startswith("I;16") or (image.mode == "I" and picture.format == "PNG"):  # older Pillow: I for 16 bits
        return np.repeat(_eight_bit_gray(image)[..., None], 3, axis=2)
    if image.mode in ("I", "F"):
        raise FileError(f"{name} holds 32-bit numbers, not 8 or 16 bits as photographs do: export it with 8 bits.")
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))  # not asarray: that cannot be written to


def _eight_bit_gray(image: Image.Image) -> np.ndarray:
    tags = getattr(image, "tag_v2", {})
    top = 2 ** int(tags.get(_BITS_PER_SAMPLE, (16,))[0]) - 1
    gray = np.asarray(image).astype(np.uint32)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        gray = top - gray
    return ((gray * 255 + top // 2) // top).astype(np.uint8)
