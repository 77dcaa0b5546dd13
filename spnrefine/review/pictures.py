"""Draw masks over their photograph."""

import colorsys
import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.boxes.ids import find_ids
from spnrefine.errors import FileError

RGB = NDArray[np.uint8]
Colour = tuple[int, int, int]

COARSE: Colour = (255, 140, 0)
REFINED: Colour = (0, 200, 120)
ADDED: Colour = (0, 200, 120)
REMOVED: Colour = (230, 30, 80)
TINT = 0.45
CAPTION_HEIGHT = 28
GOLDEN = 0.618033988749895


def overlay(image: RGB, mask: NDArray, colour: Colour = REFINED) -> RGB:
    """Tint ``image`` (H, W, 3) where ``mask`` (H, W) is set, and draw its contour; each id gets a colour of its own."""
    picture = image.copy()
    width = max(1, round(max(mask.shape) / 400))
    for number, box in zip(*find_ids(mask), strict=True):
        inside = mask[box.slices] == number
        own = colour if mask.dtype == bool else _colour_of(int(number))
        tinted = picture[box.slices]
        tinted[inside] = (1 - TINT) * tinted[inside] + TINT * np.array(own)
        contours, _ = cv2.findContours(
            inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(box.left, box.top)
        )
        cv2.drawContours(picture, contours, -1, own, width, cv2.LINE_AA)
    return picture


def difference(image: RGB, coarse: NDArray, refined: NDArray) -> RGB:
    """Show a dimmed gray ``image`` with the pixels that refinement added in green and those it removed in red.

    Where there are several ids, a pixel that went to another one is added.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    picture = np.repeat(gray[..., None] // 2 + 100, 3, axis=2).astype(np.uint8)
    changed = refined != coarse
    picture[changed & (refined != 0)] = ADDED
    picture[changed & (refined == 0)] = REMOVED
    return picture


def compare(image: RGB, coarse: NDArray, refined: NDArray) -> RGB:
    """Put photograph, coarse mask, refined mask and difference side by side, each with its name above."""
    panels = {
        "photograph": image,
        "coarse mask": overlay(image, coarse, COARSE),
        "refined mask": overlay(image, refined),
        "difference": difference(image, coarse, refined),
    }
    return np.hstack([np.vstack([_caption(name, image.shape[1]), panel]) for name, panel in panels.items()])


def _colour_of(number: int) -> Colour:
    """Spread the ids over the hues, neighbours far apart."""
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.85, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def _caption(text: str, width: int) -> RGB:
    strip = np.full((CAPTION_HEIGHT, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (6, CAPTION_HEIGHT - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return strip


def encode(picture: RGB, extension: str) -> bytes:
    """Encode a picture in the format of an extension such as ``.png`` or ``.jpg``.

    Raises
    ------
    FileError
        No format has this extension.
    """
    format = Image.registered_extensions().get(extension.lower())
    if format not in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
        raise FileError(f"A picture cannot be written as {extension!r}: use .png, .jpg, .webp, .tif or .bmp.")
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format, quality=92)
    return buffer.getvalue()
