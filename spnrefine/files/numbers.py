"""The numbers of a mask, once it is known what they are: probabilities, gray levels, two values or ids."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.floats import outside_in_words, rounded_into_range
from spnrefine.files.packed import Packed
from spnrefine.files.palettes import is_gray
from spnrefine.files.stacks import Stack
from spnrefine.files.strays import strays_from_hard

Kind = Literal["binary", "probability", "labels"]

DEFAULT_VOID = 255
"""The id that means "left undecided" where values are ids of 8 bits: Pascal VOC's."""

NO_VOID: Literal["none"] = "none"
"""In place of an id: nothing is void, whatever is usual."""

Void = int | Literal["none"] | None
"""The id that is void; `NO_VOID`; or None for what is usual in such a file."""

MINUS_ONE = -1
"""The background where ids start at 0, as networks of instances give them."""


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
    background, foreground : the two values a hard mask is written with. ``labels`` are the file's ids less
        ``background``, which is -1 where the file's ids start at 0 and that is the background.
    colours : (N, 3) uint8 array, the colours that ids are written as, by id; or None.
    notes : what was decided where a file left it open, and what to do if it was meant otherwise.
    stack : the planes, where the raster is a stack of them; or None. ``probability`` is then that of any object.
    """

    probability: Packed = Packed()  # noqa: RUF009  # a descriptor, which is not called for a default
    kind: Kind
    channels: slice
    foreground: int
    background: int = 0
    void: np.ndarray | None = None
    labels: np.ndarray | None = None
    colours: np.ndarray | None = None
    stack: Stack | None = None
    notes: tuple[str, ...] = ()


def of_probabilities(channels: slice, values: np.ndarray, void: Void, name: str) -> Meaning:
    """Take floats (H, W) for probabilities; ``name`` is for errors."""
    void_at = void_where(values, void)
    known = rounded_into_range(values if void_at is None else np.where(void_at, 0, values))
    if not bool(np.isfinite(known).all()) or known.min() < 0 or known.max() > 1:
        held, advice = outside_in_words(known)
        raise FileError(f"{name} holds {held}: {advice}.")
    kind: Kind = "binary" if bool(((known == 0) | (known == 1)).all()) else "probability"
    return Meaning(probability=known.astype(np.float32), kind=kind, channels=channels, foreground=1, void=void_at)


def of_gray(channels: slice, values: np.ndarray, void: Void) -> Meaning:
    """Take bools, or levels of 8 or 16 bits (H, W), for probabilities: the highest level there can be is 1."""
    present = values_present(values) - {void}
    void_at = void_where(values, void)
    top = 1 if values.dtype.kind == "b" or (1 in present and present <= {0, 1}) else np.iinfo(values.dtype).max
    kind: Kind = "binary" if present <= {0, top} else "probability"
    notes: tuple[str, ...] = ()
    if kind == "probability" and values.dtype == np.uint8 and void_at is None and strays_from_hard(values):
        values = np.where(values > 127, np.uint8(top), np.uint8(0))
        notes = ("levels beside its edges, such as JPEG leaves, are taken for 0 and 255",)
    probability = np.divide(values, np.float32(top), dtype=np.float32)
    if void_at is not None:
        probability[void_at] = 0
    return Meaning(probability=probability, kind=kind, channels=channels, foreground=top, void=void_at, notes=notes)


def of_two_values(channels: slice, values: np.ndarray, background: int, foreground: int) -> Meaning:
    """Take (H, W) values, ``background`` and ``foreground`` alone, for a hard mask."""
    return Meaning(
        probability=(values == foreground).astype(np.float32),
        kind="binary",
        channels=channels,
        foreground=foreground,
        background=background,
    )


def of_ids(channels: slice, values: np.ndarray, palette: bytes | None, void: Void, name: str) -> Meaning:
    """Take integers (H, W) for ids, with the colours of a ``palette`` or None; ``name`` is for errors."""
    present = values_present(values)
    notes: tuple[str, ...] = ()
    if void is None and not (present <= {0, 255} and is_gray(palette)):
        if values.dtype.itemsize == 1:
            void = DEFAULT_VOID
        elif max(present) == DEFAULT_VOID and len(present - {0}) > 1:
            notes = ("255 is an id among others in more than 8 bits: --void 255 leaves it untouched",)
    objects = sorted(present - {0, void})
    background = 0
    if objects and objects[0] == MINUS_ONE:
        background, objects = MINUS_ONE, sorted(present - {MINUS_ONE, void})
        if 0 in objects:
            notes = ("-1 is taken for the background, 0 for an object: --void -1 leaves -1 untouched",)
    if objects and objects[0] < 0:
        raise FileError(
            f"{name} holds the negative id {objects[0]}: ids start at 0, or at -1 where that is the background, and "
            "--void names the one to leave alone."
        )
    foreground = objects[0] if objects else background + 1
    void_at = void_where(values, void)
    if len(objects) > 1:
        several = values if background == 0 else values.astype(np.int64) - background
        probability = any_object(several, void_at)
    else:
        probability, several = (values == foreground).astype(np.float32), None
    return Meaning(
        probability=probability,
        kind="labels",
        channels=channels,
        foreground=foreground,
        background=background,
        void=void_at,
        labels=several,
        notes=notes,
    )


def any_object(ids: np.ndarray, void_at: np.ndarray | None) -> np.ndarray:
    """Return 1 where there is any object, (H, W) float32."""
    inside = ids != 0 if void_at is None else (ids != 0) & ~void_at
    return inside.astype(np.float32)


def values_present(values: np.ndarray) -> set[int]:
    """Collect the values that occur; faster than sorting them where a table can hold them all."""
    if values.dtype.kind == "b":
        return {value for value, there in ((0, not values.all()), (1, values.any())) if there}
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        seen = np.zeros(2 ** (8 * values.dtype.itemsize), bool)
        if values.dtype.itemsize == 1:
            seen = cv2.calcHist([np.ascontiguousarray(values)], [0], None, [256], [0, 256]).ravel() > 0
        else:
            seen[values] = True
        return set(np.flatnonzero(seen).tolist())
    return {int(value) for value in np.unique(values)}


def void_where(values: np.ndarray, *voids: Void) -> np.ndarray | None:
    """Return where a value is one of ``voids``, (H, W) bool; None where none is."""
    named = [void for void in voids if isinstance(void, int)]
    if not named:
        return None
    void_at = values == named[0] if len(named) == 1 else np.isin(values, named)
    return void_at if bool(void_at.any()) else None
