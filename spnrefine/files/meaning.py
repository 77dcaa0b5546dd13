"""What the numbers in a mask file mean: two values, probabilities or ids."""

from dataclasses import replace

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files import numbers
from spnrefine.files.floats import starts_at_minus_one, whole_numbers
from spnrefine.files.labelmaps import LabelMap
from spnrefine.files.levels import are_fractions, are_ids, in_words
from spnrefine.files.numbers import Kind, Meaning, Void
from spnrefine.files.palettes import white_first
from spnrefine.files.rasters import Raster, as_ids
from spnrefine.files.stacks import read_stack

ROUNDED = {"WEBP"}
"""Formats that, where they are lossy, give gray back as three channels that differ by one here and there."""

LOSSY = {"JPEG", "MPO"}
"""Formats that leave stray levels beside the values of a mask."""

MOST_COLOURS, MOST_LOOKED_AT = 256, 1_000_000
"""So many colours, among so many pixels, are classes; photographs have more."""

MIDDLE_OF_16_BITS = 2**15
"""Levels above it are in use where 16 bits hold probabilities."""


def interpret(
    raster: Raster, *, labels: bool | None, void: Void, name: str, labelmap: LabelMap | None = None
) -> Meaning:
    """Say what a raster's numbers mean, by the rules of `spnrefine.files.masks.read_mask`; ``name`` is for errors."""
    if raster.is_stack:
        return _stack(raster, labels, void, name)
    if labelmap is not None and _is_colour_coded(raster.pixels, labelmap):
        return _colour_coded(raster.pixels, labelmap, void, name)
    channels = _mask_channels(raster.pixels, name, apart=1 if raster.format in ROUNDED else 0)
    values = raster.pixels[..., channels.start]
    if values.dtype.kind == "f":
        if labels or starts_at_minus_one(values, void):
            return numbers.of_ids(channels, whole_numbers(values, name), None, void, name)
        return numbers.of_probabilities(channels, values, void, name)
    if raster.palette is not None:
        black_and_white = None if labels else white_first(values, raster.palette)
        if black_and_white is not None:
            return numbers.of_two_values(channels, values, *black_and_white)
        return numbers.of_ids(channels, values, raster.palette, void, name)
    if values.dtype.name in ("bool", "uint8"):
        if labels or (labels is None and channels.start == 0 and raster.format not in LOSSY):
            stored = as_ids(raster).pixels[..., channels.start]
            return _ids_or_gray(channels, values, stored, void, name, certain=bool(labels) or raster.are_ids)
        present = numbers.values_present(values) - {void}
        if labels is None and channels.start > 0 and len(present) == 2 and not present & {1, 255} and 0 in present:
            return _of_one_value(channels, values, present, void, name)  # an overlay of one opacity
        return numbers.of_gray(channels, values, void)
    if values.dtype == np.uint16 and labels is False:
        return numbers.of_gray(channels, values, void)
    if labels is None and are_fractions(values):
        return _of_many_levels(channels, values, void, name)
    return numbers.of_ids(channels, values, None, void, name)


def _stack(raster: Raster, labels: bool | None, void: Void, name: str) -> Meaning:
    if labels or isinstance(void, int):
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


def _is_colour_coded(pixels: np.ndarray, labelmap: LabelMap) -> bool:
    """Whether the colours are classes: not where alpha is the mask, nor in black and white that has no such class."""
    if pixels.dtype != np.uint8 or pixels.shape[2] not in (3, 4) or bool((pixels[..., 3:] != 255).any()):
        return False
    white = (labelmap.colours == 255).all(axis=1).any()
    colours = pixels[..., :3]
    black_and_white = bool((((colours == 0) | (colours == 255)) & (colours == colours[..., :1])).all())
    return bool(white) or not black_and_white


def _colour_coded(pixels: np.ndarray, labelmap: LabelMap, void: Void, name: str) -> Meaning:
    ids = labelmap.ids(pixels[..., :3], name)
    void_at = numbers.void_where(ids, *(labelmap.voids if void is None else (void,)))
    return Meaning(
        probability=numbers.any_object(ids, void_at),
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
    opaque = count in (2, 4) and bool((pixels[..., -1] == 255).all())
    if not gray and (count == 3 or (opaque and _are_few_colours(pixels))):
        raise FileError(
            f"{name} is a colour picture, not a mask: save the mask as gray, palette or RGBA PNG, or put the "
            "labelmap.txt of its colours beside it."
        )
    if count in (1, 3):
        return colours
    if opaque and gray and pixels[..., 0].min() != pixels[..., 0].max():
        return colours
    return slice(count - 1, count)


def _are_few_colours(pixels: np.ndarray) -> bool:
    """Tell classes by their colours, (H, W, 4) without transparency, from an object that fills its cut-out."""
    if pixels.dtype != np.uint8:
        return False
    colours = np.ascontiguousarray(pixels.reshape(-1, 4)).view(np.uint32)
    some = np.unique(colours[:: -(-colours.size // MOST_LOOKED_AT)])
    return len(some) <= min(MOST_COLOURS, colours.size // 16)


def _ids_or_gray(
    channels: slice, values: np.ndarray, stored: np.ndarray, void: Void, name: str, *, certain: bool
) -> Meaning:
    """Take 8-bit gray for ids where that is ``certain``, or where it is 0 and one value that is no probability.

    ``stored`` are the numbers that would be the ids: others than ``values`` where the file has a white of its own.
    """
    present = numbers.values_present(values) - {void}
    if not certain and (len(present) == 1 or present <= {0, 1} or _are_sides(present)):
        return numbers.of_gray(channels, values, void)
    if certain:
        return numbers.of_ids(channels, values, None, void, name)
    if len(present) == 2 and 0 in present:
        return _of_one_value(channels, values, present, void, name)
    if not are_ids(stored, numbers.values_present(stored) - {void}):
        return numbers.of_gray(channels, values, void)
    present = numbers.values_present(stored) - {void}
    raise FileError(
        f"{name} holds {in_words(present)} in areas beside each other, as ids lie: give --labels if they are ids, or "
        "--no-labels if they are probabilities."
    )


def _of_one_value(channels: slice, values: np.ndarray, present: set[int], void: Void, name: str) -> Meaning:
    """Take 0 and one other value, which are ``present``, for a hard mask of these two."""
    taken = f"its values are {in_words(present)}: {max(present)} is taken for the object"
    return replace(numbers.of_ids(channels, values, None, void, name), notes=(taken,))


def _are_sides(present: set[int]) -> bool:
    """Whether these are two levels on either side of a half, such as 30 and 200, and not 0 and an id."""
    low, high = min(present), max(present)
    return len(present) == 2 and (high == 255 or low > 0) and low <= 127 < high


def _of_many_levels(channels: slice, values: np.ndarray, void: Void, name: str) -> Meaning:
    """Take integers that are too scattered for ids for probabilities of 16 bits, where they use that range."""
    if values.dtype == np.uint16 and int(values.max()) > MIDDLE_OF_16_BITS:
        taken = "its many levels of 16 bits are taken for probabilities: --labels takes them for ids"
        return replace(numbers.of_gray(channels, values, void), notes=(taken,))
    raise FileError(
        f"{name} holds {len(np.unique(values))} different numbers up to {values.max()}, hardly two neighbours of them "
        "alike: give --labels if they are ids, or save probabilities in 8 bits or as floats in 0..1."
    )
