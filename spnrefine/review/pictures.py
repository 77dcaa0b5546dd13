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
Legend = dict[str, Colour]
FONT = cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1

COARSE: Colour = (255, 140, 0)
REFINED: Colour = (0, 200, 120)
ADDED: Colour = (0, 200, 120)
REMOVED: Colour = (230, 30, 80)
TINT = 0.45
TINTED, OUTLINE = STYLES = "tint", "outline"
"""How an overlay shows a mask: its pixels tinted and its contour drawn, or the contour alone."""

DARK: Colour = (0, 0, 0)
CAPTION_HEIGHT = 28
GOLDEN = 0.618033988749895


def overlay(image: RGB, mask: NDArray, colour: Colour = REFINED, style: str = TINTED) -> RGB:
    """Show ``mask`` (H, W) on ``image`` (H, W, 3), in one of `STYLES`; each id gets a colour of its own.

    An outline has a dark line beside it, so that it is seen on any ground, and no pixel inside it is changed.
    """
    picture = image.copy()
    width = max(1, round(max(mask.shape) / 400))
    for number, box in zip(*find_ids(mask), strict=True):
        inside = mask[box.slices] == number
        own = colour if mask.dtype == bool else _colour_of(int(number))
        if style == TINTED:
            tinted = picture[box.slices]
            tinted[inside] = (1 - TINT) * tinted[inside] + TINT * np.array(own)
        contours, _ = cv2.findContours(
            inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(box.left, box.top)
        )
        if style == OUTLINE:
            cv2.drawContours(picture, contours, -1, DARK, width + 2, cv2.LINE_AA)
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


def compare(image: RGB, coarse: NDArray, refined: NDArray, style: str = TINTED) -> RGB:
    """Put photograph, coarse mask, refined mask and difference side by side, each with its name and colours above."""
    several = coarse.dtype != bool
    panels: dict[str, tuple[RGB, Legend]] = {
        "photograph": (image, {}),
        "coarse mask": (overlay(image, coarse, COARSE, style), {} if several else {"object": COARSE}),
        "refined mask": (overlay(image, refined, style=style), {} if several else {"object": REFINED}),
        "difference": (difference(image, coarse, refined), {"added": ADDED, "removed": REMOVED}),
    }
    return np.hstack(
        [np.vstack([_caption(name, legend, image.shape[1]), panel]) for name, (panel, legend) in panels.items()]
    )


def _colour_of(number: int) -> Colour:
    """Spread the ids over the hues, neighbours far apart."""
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.85, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def _caption(text: str, legend: Legend, width: int) -> RGB:
    """Name a panel, and what its colours mean on a line below; narrow panels cut both off."""
    strip = np.full((2 * CAPTION_HEIGHT - 8, width, 3), 255, np.uint8)
    _write(strip, text, 6, CAPTION_HEIGHT - 9)
    left, line = 6, 2 * CAPTION_HEIGHT - 17
    for name, colour in legend.items():
        cv2.rectangle(strip, (left, line - 9), (left + 9, line), colour, cv2.FILLED)
        left += 14
        _write(strip, name, left, line)
        left += cv2.getTextSize(name, *FONT)[0][0] + 12
    return strip


def _write(strip: RGB, text: str, left: int, line: int) -> None:
    face, scale, width = FONT
    cv2.putText(strip, text, (left, line), face, scale, (40, 40, 40), width, cv2.LINE_AA)


def format_of(extension: str) -> str:
    """Name the format of an extension such as ``.png`` or ``.jpg``.

    Raises
    ------
    FileError
        No format has this extension.
    """
    format = Image.registered_extensions().get(extension.lower())
    if format not in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
        raise FileError(f"A picture cannot be written as {extension!r}: use .png, .jpg, .webp, .tif or .bmp.")
    return format


def encode(picture: RGB, extension: str) -> bytes:
    """Encode a picture, (H, W, 3) or gray (H, W), in the format of an extension; errors as in :func:`format_of`."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format_of(extension), quality=92)
    return buffer.getvalue()
