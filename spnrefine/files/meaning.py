"""What the numbers in a mask file mean: two values, probabilities or ids."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.labelmaps import LabelMap
from spnrefine.files.rasters import Raster
from spnrefine.files.stacks import Stack, read_stack

Kind = Literal["binary", "probability", "labels"]

ROUNDED = {"WEBP"}
"""Formats that, where they are lossy, give gray back as three channels that differ by one here and there."""

DEFAULT_VOID = 255
"""The id that means "left undecided" where values are ids: Pascal VOC's."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Meaning:
    """A raster's pixels, understood.

    Attributes
    ----------
    probability : (H, W) float32 array in 0..1; 0 where void; of any object, where there are several ids.
    kind : 'binary' (two values), 'probability', or 'labels' (ids).
    labels : (H, W) array of ids, 0 the background, where there are several others; None where there is one object.
    void : (H, W) bool array, the pixels that must come back untouched; or None when there are none.
    channels : the raster's channels that carry the mask.
    background, foreground : the two values a hard mask is written with.
    colours : (N, 3) uint8 array, the colours that ids are written as, by id; or None.
    stack : the planes, where the raster is a stack of them; or None. ``probability`` is then that of any object.
    """

    probability: np.ndarray
    kind: Kind
    channels: slice
    foreground: int
    background: int = 0
    void: np.ndarray | None = None
    labels: np.ndarray | None = None
    colours: np.ndarray | None = None
    stack: Stack | None = None


def interpret(
    raster: Raster, *, labels: bool, void: int | None, name: str, labelmap: LabelMap | None = None
) -> Meaning:
    """Say what a raster's numbers mean, by the rules of `spnrefine.files.masks.read_mask`; ``name`` is for errors."""
    if raster.is_stack:
        if labels or void is not None:
            given = "--labels" if labels else "--void"
            raise FileError(f"{name} holds {raster.pixels.shape[2]} planes, not ids: leave out {given}.")
        stack, foreground = read_stack(raster.pixels, name)
        kind: Kind = "binary" if bool(((stack.planes == 0) | (stack.planes == 1)).all()) else "probability"
        return Meaning(
            probability=stack.any_object,
            kind=kind,
            channels=slice(0, len(stack.planes)),
            foreground=foreground,
            stack=stack,
        )
    if labelmap is not None and _is_colour_coded(raster.pixels, labelmap):
        return _colour_coded(raster.pixels, labelmap, void, name)
    channels = _mask_channels(raster.pixels, name, apart=1 if raster.format in ROUNDED else 0)
    values = raster.pixels[..., channels.start]
    if values.dtype.kind == "f":
        if labels:
            raise FileError(f"{name} holds {values.dtype.name} numbers, not ids: read it without --labels.")
        return _probabilities(channels, values, void, name)
    if labels or raster.palette is not None or values.dtype.name not in ("bool", "uint8"):
        return _ids(channels, values, raster.palette, void, name)
    return _gray(channels, values, void)


def _is_colour_coded(pixels: np.ndarray, labelmap: LabelMap) -> bool:
    """Whether the colours are classes: not where alpha is the mask, nor in black and white that has no such class."""
    if pixels.dtype != np.uint8 or pixels.shape[2] not in (3, 4) or bool((pixels[..., 3:] != 255).any()):
        return False
    white = (labelmap.colours == 255).all(axis=1).any()
    colours = pixels[..., :3]
    black_and_white = bool((((colours == 0) | (colours == 255)) & (colours == colours[..., :1])).all())
    return bool(white) or not black_and_white


def _colour_coded(pixels: np.ndarray, labelmap: LabelMap, void: int | None, name: str) -> Meaning:
    ids = labelmap.ids(pixels[..., :3], name)
    void_at = _where(ids, labelmap.void if void is None else void)
    return Meaning(
        probability=_inside(ids, void_at),
        kind="labels",
        channels=slice(0, 3),
        foreground=1,
        void=void_at,
        labels=ids,
        colours=labelmap.colours,
    )


def same_pixels(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are equal in type, shape and values."""
    return one.dtype == other.dtype and np.array_equal(one, other)


def _close(one: np.ndarray, other: np.ndarray, apart: int) -> bool:
    return same_pixels(one, other) or (apart > 0 and int(np.abs(one.astype(np.int16) - other).max()) <= apart)


def _mask_channels(pixels: np.ndarray, name: str, apart: int) -> slice:
    """Find the channels that carry the mask: all of them equal but for ``apart``, or the alpha channel alone."""
    count = pixels.shape[2]
    colours = slice(0, count - 1 if count in (2, 4) else count)
    gray = all(_close(pixels[..., 0], pixels[..., channel], apart) for channel in range(1, colours.stop))
    if count in (1, 3):
        if not gray:
            raise FileError(
                f"{name} is a colour picture, not a mask: save the mask as gray, palette or RGBA PNG, or put the "
                "labelmap.txt of its colours beside it."
            )
        return colours
    opaque = bool((pixels[..., -1] == 255).all())
    if opaque and gray and pixels[..., 0].min() != pixels[..., 0].max():
        return colours
    return slice(count - 1, count)


def _probabilities(channels: slice, values: np.ndarray, void: int | None, name: str) -> Meaning:
    void_at = _where(values, void)
    known = values if void_at is None else np.where(void_at, 0, values)
    if not bool(np.isfinite(known).all()) or known.min() < 0 or known.max() > 1:
        raise FileError(f"{name} holds numbers outside 0..1: divide them so that they are probabilities.")
    kind: Kind = "binary" if bool(((known == 0) | (known == 1)).all()) else "probability"
    return Meaning(probability=known.astype(np.float32), kind=kind, channels=channels, foreground=1, void=void_at)


def _gray(channels: slice, values: np.ndarray, void: int | None) -> Meaning:
    present = _present(values) - {void}
    void_at = _where(values, void)
    top = 1 if values.dtype.kind == "b" or (1 in present and present <= {0, 1}) else 255
    kind: Kind = "binary" if present <= {0, top} else "probability"
    probability = values.astype(np.float32) / np.float32(top)
    if void_at is not None:
        probability[void_at] = 0
    return Meaning(probability=probability, kind=kind, channels=channels, foreground=top, void=void_at)


def _ids(channels: slice, values: np.ndarray, palette: bytes | None, void: int | None, name: str) -> Meaning:
    present = _present(values)
    if void is None and not (present <= {0, 255} and _is_gray(palette)):
        void = DEFAULT_VOID
    objects = sorted(present - {0, void})
    if objects and objects[0] < 0:
        raise FileError(
            f"{name} holds the negative id {objects[0]}: ids start at 0, and --void names the one to leave alone."
        )
    foreground = objects[0] if objects else 1
    void_at = _where(values, void)
    if len(objects) > 1:
        inside, several = _inside(values, void_at), values
    else:
        inside, several = (values == foreground).astype(np.float32), None
    return Meaning(
        probability=inside, kind="labels", channels=channels, foreground=foreground, void=void_at, labels=several
    )


def _inside(ids: np.ndarray, void_at: np.ndarray | None) -> np.ndarray:
    """Return 1 where there is any object, (H, W) float32."""
    inside = ids != 0 if void_at is None else (ids != 0) & ~void_at
    return inside.astype(np.float32)


def _present(values: np.ndarray) -> set[int]:
    """Collect the values that occur; faster than sorting them where a table can hold them all."""
    if values.dtype.kind == "b":
        return {value for value, there in ((0, not values.all()), (1, values.any())) if there}
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        seen = np.zeros(2 ** (8 * values.dtype.itemsize), bool)
        seen[values] = True
        return set(np.flatnonzero(seen).tolist())
    return {int(value) for value in np.unique(values)}


def _where(values: np.ndarray, void: int | None) -> np.ndarray | None:
    void_at = None if void is None else values == void
    return void_at if void_at is not None and bool(void_at.any()) else None


def _is_gray(palette: bytes | None) -> bool:
    """Whether there is no palette, or one whose colours all are gray."""
    return palette is None or (palette[0::3] == palette[1::3] == palette[2::3])
