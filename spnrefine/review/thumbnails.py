"""Small pictures of a change: one JPEG of the photograph, and both contours as SVG paths over it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.ids import find_ids
from spnrefine.review.pictures import RGB

Bools = NDArray[np.bool_]
Masks = NDArray[np.bool_] | NDArray[np.integer]

WIDTH, HEIGHT = 320, 240  # pixels, at most
FINE = 4  # contours are traced on a grid so much finer than the thumbnail's pixels
MARGIN = 0.12  # of the change's longer side
LEAST_SIDE = 64  # pixels of the photograph: a smaller crop would show no surroundings
JPEG_BYTES = 9_000  # the quality falls until a thumbnail takes no more
PATH_BYTES = 3_000  # a contour is simplified until it takes no more
QUALITIES = (80, 70, 60, 48, 36, 24)
TOLERANCES = (1.0, 2.0, 4.0, 8.0)  # of the simplified contour, in units of the fine grid


@dataclass(frozen=True)
class Thumbnail:
    """What the report keeps of one photograph and its masks: some ten kilobytes.

    Attributes
    ----------
    jpeg : the photograph's crop, at most `WIDTH` x `HEIGHT` pixels.
    width, height : of the box that the paths are drawn in; its shape is the crop's.
    coarse, refined : the masks' outlines as SVG path data, holes included (fill rule evenodd).
    """

    jpeg: bytes
    width: int
    height: int
    coarse: str
    refined: str


def thumbnail(image: RGB, coarse: Masks, refined: Masks, view: Box | None = None) -> Thumbnail:
    """Make the thumbnail of the part of ``image`` (H, W, 3) that the masks cover, before or after.

    The masks are (H, W), or (h, w) of a ``view`` of the image outside which nothing is set. Of several ids, 0 the
    background, each has its own outline, so that borders between two of them are seen too; or all have one together,
    where they are too many.
    """
    size, either = image.shape[:2], (coarse != 0) | (refined != 0)
    before, after, both = (
        Boxed.whole(mask) if view is None else Boxed(size, view, mask) for mask in (coarse, refined, either)
    )
    crop = crop_box(both)
    return cut(np.ascontiguousarray(image[crop.slices]), before.within(crop), after.within(crop))


def cut(picture: RGB, coarse: Masks, refined: Masks, *, open_ended: bool = False) -> Thumbnail:
    """Make the thumbnail of a ``picture`` (H, W, 3) and masks (H, W), which are cut-outs of larger ones.

    Where masks go on beyond these, ``open_ended`` outlines are closed outside of the box, where nobody sees it.
    """
    rows, columns = picture.shape[:2]
    scale = min(WIDTH / columns, HEIGHT / rows)
    fine = (max(1, round(columns * scale * FINE)), max(1, round(rows * scale * FINE)))
    if scale < 1:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Thumbnail(_jpeg(picture), *fine, *(_path(mask, fine, open_ended) for mask in (coarse, refined)))


def crop_box(masks: Boxed) -> Box:
    """Return the box around all that is set in ``masks``, widened to a thumbnail's shape.

    Where the photograph ends the box does too; masks with nothing set give the whole photograph.
    """
    height, width = masks.size
    top, bottom, left, right = masks.tight().box
    down, across = bottom - top, right - left
    if not across:
        return Box(0, height, 0, width)
    margin = 2 * MARGIN * max(across, down)
    tall, wide = (max(side + margin, LEAST_SIDE) for side in (down, across))
    tall, wide = max(tall, wide * HEIGHT / WIDTH), max(wide, tall * WIDTH / HEIGHT)
    return Box(*_interval(2 * top + down, tall, height), *_interval(2 * left + across, wide, width))


def _interval(twice_centre: int, length: float, end: int) -> tuple[int, int]:
    """An interval of ``length`` around a centre, pushed back into 0..end and cut where it is longer."""
    size = min(round(length), end)
    start = min(max((twice_centre - size) // 2, 0), end - size)
    return start, start + size


def _jpeg(picture: RGB) -> bytes:
    data = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        data = buffer.getvalue()
        if len(data) <= JPEG_BYTES:
            break
    return data


def _path(masks: Masks, fine: tuple[int, int], open_ended: bool) -> str:
    """Trace masks on the fine grid; where they are too ragged for `PATH_BYTES`, coarser, and the longest contours."""
    found = [contour for number in find_ids(masks)[0] for contour in _contours(masks == number, fine, open_ended)]
    if not found:
        return ""
    contours = sorted(found, key=len, reverse=True)
    pieces: list[str] = []
    for tolerance in TOLERANCES:
        pieces = [_piece(cv2.approxPolyDP(contour, tolerance, closed=True)) for contour in contours]
        if sum(map(len, pieces)) <= PATH_BYTES:
            return "".join(pieces)
    if masks.dtype != np.bool_:
        return _path(masks != 0, fine, open_ended)
    fits = int(np.searchsorted(np.cumsum([len(piece) for piece in pieces]), PATH_BYTES, side="right"))
    return "".join(pieces[: max(fits, 1)])


def _contours(mask: Bools, fine: tuple[int, int], open_ended: bool) -> Sequence[NDArray[Any]]:
    shrinks = mask.shape[1] > fine[0]
    grid = cv2.resize(mask.astype(np.uint8) * 255, fine, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    outside = 2 * FINE if open_ended else 0
    if outside:
        grid = cv2.copyMakeBorder(grid, outside, outside, outside, outside, cv2.BORDER_REPLICATE)
    bits = (grid > 127).view(np.uint8)
    return cv2.findContours(bits, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(-outside, -outside))[0]


def _piece(contour: NDArray[Any]) -> str:
    """One closed contour (N, 1, 2), ints, as SVG path data: its first point, then steps."""
    points = contour[:, 0, :]
    first, steps = points[0], np.diff(points, axis=0)
    numbers = "".join(f"{step}" if step < 0 else f" {step}" for step in steps.ravel().tolist())
    return f"M{first[0]} {first[1]}l{numbers.strip() or '0 0'}z"
