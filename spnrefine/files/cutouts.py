"""Masks in an alpha channel: the colours that go with what the alpha shows, and cut-outs of any mask."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.orientation import turn_back
from spnrefine.files.rasters import Raster, format_named, write_raster

if TYPE_CHECKING:
    from spnrefine.files.masks import Mask

FORMATS = "PNG", "TIFF", "WEBP"
"""That hold RGBA."""
Colours = Callable[[], NDArray[np.uint8]]
"""Returns the object's own colours (H, W, 3) uint8, upright; called only where they are needed."""
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow makes gray


def format_of(extension: str) -> str:
    """Name the format of an extension, such as '.png', for cut-outs; FileError where there is none that holds them."""
    with suppress(FileError):
        if (format := format_named(extension)) in FORMATS:
            return format
    raise FileError(f"A cut-out cannot be written as {extension!r}: use .png, .tif or .webp.")


def encode_cutout(colours: NDArray[np.uint8], alpha: NDArray[np.float32], extension: str) -> bytes:
    """Encode colours (H, W, 3) and alpha (H, W) in 0..1 as RGBA of 8 bits, not premultiplied.

    Raises
    ------
    FileError
        The format of the extension, such as '.png', cannot hold it.
    """
    format = format_of(extension)
    shown = np.rint(255 * np.clip(alpha, 0, 1)).astype(np.uint8)
    return write_raster(Raster(np.dstack([colours, shown]), format), format)


def give_colours(mask: "Mask", pixels: NDArray, colours: Colours | None) -> None:
    """Give pixels, in place, whose alpha is another than the mask's the colours that go with it.

    A mask painted in one colour goes on in that colour, inside and outside. What else shows more than before, or shows
    in part, gets ``colours``; what no longer shows keeps what it has. A mask in no alpha channel is left as it is.

    Parameters
    ----------
    mask : as it was read.
    pixels : (H, W, 2 or 4) uint8, the mask's with the alpha that it is to have.
    """
    if mask.channels.start == 0:
        return
    stored, before = mask.raster.pixels, turn_back(mask.probability > 0.5, mask.orientation)
    was, now = stored[..., -1], pixels[..., -1]
    inside, outside = (_one_colour(stored[before == side][:, :-1]) for side in (True, False))
    shows = (now > was) | ((now > 0) & (now < 255))
    if inside is not None:
        pixels[shows, :-1] = inside
    elif colours is not None and shows.any():
        found = turn_back(colours(), mask.orientation)[shows]
        pixels[shows, :-1] = found if pixels.shape[2] == 4 else np.rint(found @ LUMA)[:, None]
    if outside is not None:
        pixels[before & (now == 0), :-1] = outside


def _one_colour(colours: NDArray) -> NDArray | None:
    """Return the colour (C,) that all of (N, C) have; None where there are several, or none at all."""
    return colours[0] if len(colours) and bool((colours == colours[0]).all()) else None
