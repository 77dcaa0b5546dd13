"""Masks that lie or measure otherwise than their photograph: turned, of another size, or with a letterbox's padding."""

from dataclasses import replace

import numpy as np

from spnrefine.errors import ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import Mask
from spnrefine.files.orientation import turn
from spnrefine.files.resampling import bilinear, nearest

Shape = tuple[int, int]

LETTERBOX = "letterbox"
PRESENT = 0.1  # probabilities up to it are no object


def align(mask: Mask, photograph: Photograph) -> Mask:
    """Turn a mask that was drawn on a photograph's stored pixels upright along with it.

    A mask of the upright photograph's size is upright. One that only has the size of the stored pixels, before EXIF
    turned them, is turned with them, and turned back on writing. Any other is returned as it is.
    """
    size = photograph.pixels.shape[:2]
    if mask.shape == size or mask.shape != size[::-1] or photograph.orientation not in (5, 6, 7, 8):
        return mask
    void = None if mask.void is None else turn(mask.void, photograph.orientation)
    labels = None if mask.labels is None else np.ascontiguousarray(turn(mask.labels, photograph.orientation))
    probability = np.ascontiguousarray(turn(mask.probability, photograph.orientation))
    stack = mask.stack and mask.stack.turned(photograph.orientation)
    turned = replace(mask, probability=probability, void=void, labels=labels, stack=stack)
    return replace(turned, orientation=photograph.orientation)


def resize_mask(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Resize a mask to ``shape`` (height, width): probabilities bilinearly, what is written back by nearest pixel."""
    probability = bilinear(mask.probability, shape)
    void = None if mask.void is None else nearest(mask.void, shape)
    if void is not None:
        probability[void] = 0
    stored_shape = shape if mask.orientation == 1 else shape[::-1]
    raster = replace(mask.raster, pixels=nearest(mask.raster.pixels, stored_shape), data=None, npy_shape=None)
    labels = None if mask.labels is None else nearest(mask.labels, shape)
    stack = mask.stack and mask.stack.resized(shape)
    return replace(mask, probability=probability, void=void, labels=labels, stack=stack, raster=raster)


def fit(mask: Mask, shape: Shape, resize: bool | str, *, name: str, photograph: str) -> Mask:
    """Give a mask the size of its photograph, ``shape`` (height, width), where it is allowed and is the same picture.

    Parameters
    ----------
    resize : whether a mask of another size is resized, if its proportions are the photograph's; 'letterbox' first cuts
        off the zeros that a network was given above and below its photographs, or left and right, to fill its own size.
    name, photograph : for errors.

    Raises
    ------
    ShapeError
        The sizes differ, and ``resize`` is False or cannot be done.
    """
    if mask.shape == shape:
        return mask
    given = f"{name} is {mask.shape[1]} x {mask.shape[0]} pixels, {photograph} is {shape[1]} x {shape[0]}"
    if _is_scaled(mask.shape, shape):
        if not resize:
            raise ShapeError(f"{given}: expected equal sizes, or --resize-mask.")
        return resize_mask(mask, shape)
    inner = _inside_padding(mask.shape, shape)
    if mask.shape == shape[::-1]:
        raise ShapeError(f"{given}: its sides are exchanged, so turn or transpose it.")
    times = mask.shape[0] / shape[0]
    if mask.shape[1] == shape[1] and times == int(times):
        raise ShapeError(f"{given}: it is {int(times)} masks above each other, so save each as a file of its own.")
    padded = _is_zero_outside(mask, inner)
    if resize != LETTERBOX:
        if padded:
            way_out = "if zeros were put around it to make it so, --resize-mask letterbox cuts them off"
        else:
            way_out = "expected the photograph's size, or at least its proportions with --resize-mask"
        raise ShapeError(f"{given}: {way_out}.")
    if not padded:
        raise ShapeError(f"{given}: expected zeros where a letterbox has its padding, but there is an object.")
    return resize_mask(_cut(mask, inner), shape)


def _is_scaled(shape: Shape, whole: Shape) -> bool:
    """Whether (height, width) has the proportions of ``whole``: each side may be rounded up or down."""
    return abs(shape[0] / whole[0] - shape[1] / whole[1]) <= 1 / whole[0] + 1 / whole[1]


def _inside_padding(shape: Shape, whole: Shape) -> tuple[slice, slice]:
    """Return where in ``shape`` (height, width) a picture of ``whole`` lies that was made to fit and put amid it."""
    scale = min(shape[0] / whole[0], shape[1] / whole[1])
    sides = [min(round(side * scale), room) for side, room in zip(whole, shape, strict=True)]
    starts = [(room - side) // 2 for side, room in zip(sides, shape, strict=True)]
    rows, columns = (slice(start, start + side) for start, side in zip(starts, sides, strict=True))
    return rows, columns


def _is_zero_outside(mask: Mask, inner: tuple[slice, slice]) -> bool:
    outside = np.ones(mask.shape, bool)
    outside[inner] = False
    return not bool((mask.probability[outside] > PRESENT).any()) and (
        mask.void is None or not bool(mask.void[outside].any())
    )


def _cut(mask: Mask, inner: tuple[slice, slice]) -> Mask:
    """Return the part of a mask that is not turned."""
    stack = mask.stack and replace(mask.stack, planes=np.ascontiguousarray(mask.stack.planes[(slice(None), *inner)]))
    raster = replace(mask.raster, pixels=np.ascontiguousarray(mask.raster.pixels[inner]), data=None, npy_shape=None)
    void, labels = (None if array is None else np.ascontiguousarray(array[inner]) for array in (mask.void, mask.labels))
    probability = np.ascontiguousarray(mask.probability[inner])
    return replace(mask, probability=probability, void=void, labels=labels, stack=stack, raster=raster)
