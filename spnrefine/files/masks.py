"""What the numbers in a mask file mean, and a refined mask in the clothes of the one that came in."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spnrefine.boxes.where import above
from spnrefine.errors import FileError, ShapeError
from spnrefine.files.cutouts import Colours, give_colours
from spnrefine.files.labelmaps import labelmap_of, palette
from spnrefine.files.meaning import LOSSY, interpret
from spnrefine.files.numbers import Kind, Meaning, Void
from spnrefine.files.opening import Source, describe
from spnrefine.files.orientation import turn_back
from spnrefine.files.packed import compact
from spnrefine.files.rasters import EXTENSIONS, Raster, as_ids, encode_like, format_named, holds, read_raster


@dataclass(frozen=True, eq=False, kw_only=True)
class Mask(Meaning):
    """A coarse mask, and all that is needed to write a refined one in the same way.

    Attributes
    ----------
    probability, kind, void, channels, background, foreground, labels, colours, stack, notes : as in `Meaning`.
    raster : the file's pixels, not turned by ``orientation``.
    suffix : the extension of the file's name, or '' when it came as bytes.
    orientation : EXIF orientation by which `spnrefine.files.sizes.align` turned the mask along with its photograph; 1
        when it did not.
    pages : the masks of the planes, where each is one of its own, as `spnrefine.files.volumes` makes them; else none.
        All but ``raster`` is then that of the first.
    """

    raster: Raster
    suffix: str = ""
    orientation: int = 1
    pages: tuple["Mask", ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        height, width = compact(self).shape
        return height, width

    @property
    def format(self) -> str:
        """The format a refined mask is written in unless told otherwise: its own, PNG where that loses (JPEG)."""
        return self.raster.format if self.raster.format in EXTENSIONS else "PNG"

    @property
    def keeps_format(self) -> bool:
        """False when the mask came in a format that masks are not written in, such as JPEG."""
        return self.format == self.raster.format


def read_mask(source: Source, *, labels: bool | None = None, void: Void = None) -> Mask:
    """Read a mask and say what its numbers mean.

    - 1-bit and bool: background and mask.
    - 8-bit gray: value / 255 is a probability; two values when only {0, 1}, {0, 255} or {0, v} occur; ids with
      ``labels``. A few values that lie beside each other in areas, as ids do, are refused unless ``labels`` says what
      they are.
    - Floats (TIFF, NPY, NPZ): probabilities in 0..1; with ``labels``, or from -1 on, whole numbers are ids.
    - Palettes, and integers of more than 8 bits: ids, 0 the background; or -1, where ids start at 0. Integers of 16
      bits that are too scattered for ids, or where ``labels`` is False, are probabilities of 65535. In a palette of
      black and white alone, white is the mask.
    - RGBA and gray with alpha: the alpha channel; where that is opaque everywhere, the gray below it.
    - RGB: ids by colour when there is a ``labelmap.txt``; else as gray when the three channels are equal.
    - Several pages (TIFF) or planes (NPY, NPZ of shape (K, H, W)): a `Stack` of probabilities or hard masks.

    Parameters
    ----------
    source : Path, or the file's bytes.
    labels : take gray and floats for ids; or, where False, gray for probabilities; None goes by their values.
    void : the value of pixels that are to come back untouched, or 'none'. By default 255 where values are ids of 8
        bits, and none of more bits; but ids that are only 0 and 255, without a coloured palette, are a mask saved as 0
        and 255, and 255 is the mask.

    Raises
    ------
    FileError
        The source is no whole mask, or one whose meaning is not clear.
    """
    return of_raster(read_raster(source), source, labels=labels, void=void)


def of_raster(raster: Raster, source: Source, *, labels: bool | None = None, void: Void = None) -> Mask:
    """Say what the numbers of a raster mean that was read from ``source``; see `read_mask`."""
    labelmap = None if isinstance(source, bytes) else labelmap_of(Path(source))
    raster = as_ids(raster) if labels else raster
    meaning = interpret(raster, labels=labels, void=void, name=describe(source), labelmap=labelmap)
    return Mask(**vars(meaning), raster=raster, suffix="" if isinstance(source, bytes) else Path(source).suffix)


def read_probabilities(source: Source) -> Mask:
    """Read a mask of whose 8-bit gray it is known that it is probabilities; else as `read_mask`."""
    raster = read_raster(source)
    return of_raster(raster, source, labels=False if raster.pixels.dtype == np.uint8 else None)


def of_array(mask: np.ndarray) -> Mask:
    """Take an (H, W) array of bools, or of float32 probabilities, for a mask, as if it had come in a PNG."""
    return _of_gray(mask, mask, kind="binary", foreground=1)


def of_probability(probability: np.ndarray) -> Mask:
    """Take an (H, W) array of probabilities for a mask, as if it had been read from an 8-bit gray PNG."""
    return _of_gray(probability, np.round(255 * probability).astype(np.uint8), kind="probability", foreground=255)


def of_labels(labels: np.ndarray) -> Mask:
    """Take an (H, W) uint8 array of ids for a mask, as if it had been read from a palette PNG."""
    made = _of_gray(labels != 0, labels, kind="labels", foreground=1)
    return replace(made, labels=labels, raster=replace(made.raster, palette=palette().tobytes()))


def _of_gray(probability: np.ndarray, pixels: np.ndarray, *, kind: Kind, foreground: int) -> Mask:
    return Mask(
        probability=probability.astype(np.float32),
        kind=kind,
        channels=slice(0, 1),
        foreground=foreground,
        raster=Raster(pixels[..., None], "PNG"),
    )


def extension(mask: Mask) -> str:
    """Extension, dot included, for the file of a refined mask: its own, or '.png' when it came as bytes or as JPEG.

    A stack that came as bytes gets that of its format, for PNG holds none.

    Give it to `encode_mask` as the format, so that name and contents agree.
    """
    try:
        return mask.suffix if format_named(mask.suffix) == mask.raster.format else EXTENSIONS[mask.format]
    except FileError:  # no name, or one that says something else
        return EXTENSIONS[mask.format] if mask.suffix or mask.raster.is_stack else ".png"


def encode_mask(
    mask: Mask,
    refined: np.ndarray,
    *,
    soft: bool = False,
    threshold: float = 0.5,
    format: str | None = None,
    colours: Colours | None = None,
) -> bytes:
    """Encode a refined mask as the coarse one was encoded.

    A hard mask has the coarse one's format, type, channels, palette and two values (0 and 255 where that held 8-bit
    probabilities), and its void pixels. Where a format cannot hold such pixels, it gets 8-bit gray, and ids 16 bits.
    When no pixel changed sides, the pixels are the file's own (of a JPEG, its two values), and so are the bytes if the
    format is.

    Parameters
    ----------
    mask : the coarse mask.
    refined : (H, W) array: floats in 0..1, the refined probabilities; or bools, a hard mask; or ids where ``mask`` has
        several. Of a stack: (K, H, W), floats or bools.
    soft : write probabilities, as round(255 p) in 8-bit gray or the mask's own alpha; as round(65535 p) when those of
        16 bits came in, and as floats into TIFF, NPY and NPZ when floats came in.
    threshold : a hard mask is where probabilities are above it.
    format : name or extension of another format (a key of `EXTENSIONS`) than ``mask.format``.
    colours : the object's, for a mask in an alpha channel where that shows more of it, or a part.

    Raises
    ------
    ShapeError
        The two masks differ in size.
    FileError
        The format cannot hold the mask (ids never wrap around), or several ids are to be soft.
    """
    format = mask.format if format is None else format_named(format)
    raster = written(mask, refined, format, soft=soft, threshold=threshold, colours=colours)
    return encode_like(mask.raster, raster, format)


def written(
    mask: Mask, refined: np.ndarray, format: str, *, soft: bool, threshold: float, colours: Colours | None = None
) -> Raster:
    """Give a refined mask the clothes of the coarse one, as far as ``format``, a key of `EXTENSIONS`, can hold them."""
    expected = mask.shape if mask.stack is None else mask.stack.planes.shape
    if refined.shape != expected:
        raise ShapeError(f"The refined mask is {refined.shape}, the coarse one {expected}: give one size.")
    if soft and mask.labels is not None:
        raise FileError("A mask of several ids has no probabilities to write: leave out --soft.")
    before = above(compact(mask), threshold) if mask.labels is None else mask.labels
    decided = refined
    if mask.stack is not None:
        before = _channels_last(mask.stack.decide(mask.stack.planes, threshold))
        hard = mask.stack.decide(refined, threshold) if refined.dtype.kind == "f" else refined
        refined, decided = _channels_last(refined), _channels_last(hard)
    elif refined.dtype.kind == "f":
        decided = refined > threshold
    if soft:
        return _soft(mask, refined, format, colours)
    stays = np.array_equal(decided, before) and not (mask.kind == "probability" and mask.raster.format in LOSSY)
    return _fitted(mask, mask.raster if stays else _hard(mask, decided, colours), format)


def _hard(mask: Mask, decided: np.ndarray, colours: Colours | None) -> Raster:
    """Put the values, and around them what the file holds besides, where the refined mask says."""
    inside = turn_back(decided, mask.orientation)
    void = None if mask.void is None else turn_back(mask.void, mask.orientation)
    pixels = mask.raster.pixels.copy()
    value = pixels.dtype.type
    free = True if void is None else ~void[..., None]
    target = pixels[..., mask.channels]
    if mask.colours is not None:
        np.copyto(target, mask.colours[inside], where=free)
    elif mask.labels is not None:
        ids = inside + mask.background if mask.background else inside
        np.copyto(target, ids[..., None].astype(pixels.dtype), where=free)
    else:
        here = inside if mask.stack is not None else inside[..., None]
        np.copyto(target, value(mask.background), where=free)
        np.copyto(target, value(mask.foreground), where=here if void is None else here & free)
    give_colours(mask, pixels, colours)
    return replace(mask.raster, pixels=pixels)


def _soft(mask: Mask, refined: np.ndarray, format: str, colours: Colours | None) -> Raster:
    probability = refined if mask.void is None else np.where(mask.void, mask.probability, refined)
    probability = np.clip(turn_back(probability, mask.orientation), 0, 1)
    probability = probability if mask.stack is not None else probability[..., None]
    extras = {key: value for key, value in (mask.raster.extras or {}).items() if key != "transparency"}
    raster = replace(mask.raster, palette=None, extras=extras)
    dtype = mask.raster.pixels.dtype
    if dtype.kind == "f" and format in ("NPY", "NPZ", "TIFF"):
        return replace(raster, pixels=probability.astype(dtype))
    levels = np.round(255 * probability).astype(np.uint8)
    if mask.channels.start > 0 and holds(format, mask.raster):
        pixels = mask.raster.pixels.copy()
        pixels[..., mask.channels] = levels
        give_colours(mask, pixels, colours)
        return replace(raster, pixels=pixels)
    raster = replace(raster, pixels=levels)
    if mask.kind == "probability" and dtype == np.uint16:
        fine = replace(raster, pixels=np.round(65535 * probability.astype(np.float64)).astype(np.uint16))
        return fine if holds(format, fine) else raster
    return raster


def _fitted(mask: Mask, raster: Raster, format: str) -> Raster:
    """Change pixels that ``format`` cannot hold into those it can, or raise FileError."""
    if holds(format, raster):
        return raster
    values = raster.pixels if mask.stack is not None else raster.pixels[..., mask.channels.start, None]
    if mask.kind == "labels" and mask.colours is None:
        if values.min() < 0 or values.max() > 65535:
            raise FileError(f"The mask's ids do not fit {EXTENSIONS[format]} files of 16 bits: write it as NPY.")
        return replace(raster, pixels=values.astype(np.uint16), palette=None)
    return replace(raster, pixels=np.where(values == mask.foreground, 255, 0).astype(np.uint8))


def _channels_last(planes: np.ndarray) -> np.ndarray:
    return np.moveaxis(planes, 0, -1)
