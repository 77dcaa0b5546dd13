"""Masks and label maps that are taken for true, to train on and to measure by: read as masks are everywhere.

Where masks that are to be refined may be doubtful, because whoever made them sees what comes of them, a truth that is
read wrongly spoils figures and weights without a sign. So a truth whose meaning is not certain is refused.
"""

from dataclasses import dataclass, replace

import numpy as np

from spnrefine.errors import FileError, ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import Mask, of_raster
from spnrefine.files.meaning import LOSSY
from spnrefine.files.numbers import DEFAULT_VOID, Void
from spnrefine.files.opening import Source, describe
from spnrefine.files.orientation import turn
from spnrefine.files.rasters import Raster, as_ids, read_raster
from spnrefine.files.sizes import align

BACKGROUND_BELOW, OBJECT_ABOVE = 100, 155
"""Gray levels of a truth, of 255: background is below the first, the object above the second, void between them."""

FEWEST_IDS = 1 / 20
"""Low values beside 255 are ids, and 255 is void, where at least so many of their pixels stand against one of 255.

Fewer may be the stray pixels of a mask of 0 and 255 that was once compressed or blurred.
"""
MOST_LISTED = 12  # values in an error


@dataclass(frozen=True, eq=False)
class ObjectTruth:
    """Where an object is: ``inside``, (H, W) bool; nobody knows about the pixels of ``void``, (H, W) bool."""

    inside: np.ndarray
    void: np.ndarray


@dataclass(frozen=True, eq=False)
class LabelTruth:
    """What is where: ``ids``, (H, W) integers; those of the pixels of ``void``, (H, W) bool, mean nothing."""

    ids: np.ndarray
    void: np.ndarray

    @property
    def largest(self) -> int:
        """The largest id; 0 where all is void."""
        return int(self.ids[~self.void].max(initial=0))


def read_object(source: Source, photograph: Photograph | None = None, *, void: int | None = None) -> ObjectTruth:
    """Read where an object is: the meaning of a mask by `spnrefine.files.masks.read_mask`, with these additions.

    - Gray levels and probabilities: background below 100 of 255, the object above 155, void between.
    - 8-bit gray without a level from 100 to 254 but with lower ones beside 0: ids, and 255 is void. Not in JPEG, nor
      in an alpha channel.
    - Several ids: the object is all of them.
    - A palette of black and white alone: white is the object, whatever its index.

    Parameters
    ----------
    source : Path, or the file's bytes.
    photograph : what the truth is of; a truth of its stored pixels is turned upright along with it.
    void : the value of pixels that do not count; by default 255 beside ids, else none.

    Raises
    ------
    FileError
        The source is no whole mask of one plane, or its meaning is not certain.
    ShapeError
        It has another size than the photograph.
    """
    name, raster = describe(source), _painted(read_raster(source))
    # 8-bit gray is judged below, more strictly than masks are
    mask = of_raster(raster, source, labels=False if _is_8_bits(raster) else None, void=_void_among(raster, void))
    if mask.stack is not None:
        raise FileError(f"{name} holds {len(mask.stack.planes)} planes: give a truth of one plane.")
    if _may_be_ids(mask) and _are_ids(as_ids(raster).pixels[..., 0], void, name):
        mask = of_raster(raster, source, labels=True, void=DEFAULT_VOID if void is None else void)
    if mask.labels is not None and bool(mask.labels.all()):
        raise FileError(f"{name} holds several ids but none of them is 0, the background: make what is no object 0.")
    mask = _upright(mask, photograph, name)
    inside = mask.probability > (OBJECT_ABOVE + 0.5) / 255  # halfway to the next level: probabilities are rounded
    undecided = ~inside & (mask.probability > (BACKGROUND_BELOW - 0.5) / 255)
    return ObjectTruth(inside, undecided if mask.void is None else undecided | mask.void)


def read_labels(source: Source, photograph: Photograph | None = None, *, void: int | None = None) -> LabelTruth:
    """Read a label map: the ids of a palette, of gray with 8 or more bits, or by colour from a ``labelmap.txt``.

    Parameters
    ----------
    source : Path, or the file's bytes.
    photograph : as for `read_object`.
    void : the id of pixels that do not count; by default 255 in 8 bits, and in more where it is the highest and 254 is
        not there, or what the ``labelmap.txt`` says.

    Raises
    ------
    FileError
        The source is no whole label map.
    ShapeError
        It has another size than the photograph.
    """
    name, raster = describe(source), as_ids(read_raster(source))
    if raster.is_stack or raster.pixels.dtype.kind == "f" or raster.pixels.shape[2] in (2, 4):
        given = f"{raster.pixels.shape[2]} x {raster.pixels.dtype.name}"
        raise FileError(f"{name} is no label map but holds {given} a pixel: give one channel of ids.")
    chosen = _void_among(raster, void)
    mask = of_raster(
        raster, source, labels=True, void=DEFAULT_VOID if chosen is None and _is_8_bits(raster) else chosen
    )
    if mask.colours is not None:
        mask = of_raster(raster, source, labels=True, void=void)
    ids = raster.pixels[..., 0] if mask.labels is None else mask.labels
    mask = _upright(mask, photograph, name)
    ids = np.ascontiguousarray(turn(ids, mask.orientation))
    return LabelTruth(ids, np.zeros(ids.shape, bool) if mask.void is None else np.ascontiguousarray(mask.void))


def _painted(raster: Raster) -> Raster:
    """Put the gray levels in the place of a palette of black and white alone: programs save these in either order."""
    if raster.palette is None:
        return raster
    colours = np.zeros((256, 3), np.uint8)
    given = np.frombuffer(raster.palette, np.uint8).reshape(-1, 3)
    colours[: len(given)] = given
    used = colours[np.unique(raster.pixels)]
    if not bool(((used == 0) | (used == 255)).all() and (used == used[:, :1]).all()):
        return raster
    return replace(raster, pixels=colours[raster.pixels[..., 0], :1], palette=None)


def _may_be_ids(mask: Mask) -> bool:
    raster = mask.raster
    gray = mask.kind == "probability" and raster.pixels.dtype == np.uint8
    return gray and mask.channels.start == 0 and raster.format not in LOSSY  # neither alpha nor a photograph's format


def _are_ids(levels: np.ndarray, void: int | None, name: str) -> bool:
    """Tell whether 8-bit gray (H, W) that is not 0 and 1, nor 0 and 255, is ids, not gray levels.

    Raises
    ------
    FileError
        Nothing says which.
    """
    counts = np.bincount(levels.ravel() if void is None else levels[levels != void], minlength=256)
    low, white = int(counts[1:BACKGROUND_BELOW].sum()), int(counts[255])
    between = bool(counts[BACKGROUND_BELOW : OBJECT_ABOVE + 1].any())
    if counts[OBJECT_ABOVE + 1 : 255].any() or (white and (between or not low)):
        return False
    held = ", ".join(map(str, np.flatnonzero(counts)[:MOST_LISTED]))
    if between:
        raise FileError(f"{name} holds {held}, of which nothing is the object for certain: make that 255, or 1.")
    if not counts[0]:
        raise FileError(f"{name} holds {held} but no 0, the background: make the background 0 and void 255.")
    if low < FEWEST_IDS * white:
        raise FileError(
            f"{name} holds {held}, and few pixels but those of 0 and 255, so that 255 may be void or the object: "
            "make the background 0, the object 255 and void 128."
        )
    return True


def _is_8_bits(raster: Raster) -> bool:
    return raster.pixels.dtype == np.uint8


def _void_among(raster: Raster, void: int | None) -> Void:
    """Return what is void in a truth: 255 among ids of more bits too, where no id is higher and none is 254.

    Maps of instances count on: one that holds an instance 255 holds its neighbour, as a class map hardly does.
    """
    pixels = raster.pixels
    if void is not None or pixels.dtype.kind not in "iu" or _is_8_bits(raster) or pixels.max() != DEFAULT_VOID:
        return void
    is_mask = bool(((pixels == 0) | (pixels == DEFAULT_VOID)).all())
    return None if is_mask or bool((pixels == DEFAULT_VOID - 1).any()) else DEFAULT_VOID


def _upright(mask: Mask, photograph: Photograph | None, name: str) -> Mask:
    if photograph is None:
        return mask
    mask = align(mask, photograph)
    (height, width), (rows, columns) = mask.shape, photograph.pixels.shape[:2]
    if (height, width) != (rows, columns):
        raise ShapeError(
            f"{name} has {width}x{height} pixels, its photograph {columns}x{rows}: give a mask of the same size."
        )
    return mask
