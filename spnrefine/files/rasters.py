"""Mask files as arrays and back, with what a format holds besides the pixels: bit depth, palette, channels."""

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo, iTXt

from spnrefine.errors import FileError
from spnrefine.files import netpbm, numpy_files
from spnrefine.files.formats import is_tiff
from spnrefine.files.opening import Source, decode, describe, read_bytes
from spnrefine.files.orientation import turn
from spnrefine.files.packed import Pixels

if TYPE_CHECKING:
    from spnrefine.files.tiff_form import Form

EXTENSIONS = {"PNG": ".png", "TIFF": ".tif", "BMP": ".bmp", "WEBP": ".webp", "NPY": ".npy", "NPZ": ".npz"}
"""The formats a mask can be written in, all lossless, and the extension of each."""

_SPELLINGS = {"TIF": "TIFF"}
# Pillow's name for the pixels, by type and channels.
_MODES = {
    ("bool", 1): "1",
    ("uint8", 1): "L",
    ("uint16", 1): "I;16",
    ("int32", 1): "I",
    ("float32", 1): "F",
    ("uint8", 2): "LA",
    ("uint8", 3): "RGB",
    ("uint8", 4): "RGBA",
}
_WRITABLE = {
    "PNG": {"1", "L", "P", "I;16", "LA", "RGB", "RGBA"},
    "BMP": {"1", "L", "P", "RGB"},
    "WEBP": {"L", "RGB", "RGBA"},
}


@dataclass(frozen=True, eq=False)
class Raster:
    """The pixels of a mask file, upright, and what else is needed to write them back.

    Attributes
    ----------
    pixels : (H, W, C) array; C is 1 to 4 and the channels are gray or ids, gray and alpha, RGB, or RGBA; or C is the
        number of planes of a stack.
    format : the name of the format it was read from: a key of `EXTENSIONS`, or another of Pillow's names.
    data : the file's bytes, or None when the pixels no longer are the file's.
    palette : the colours of the ids, three bytes each, or None.
    extras : what else the format is told on writing (a palette's transparency, resolution, text, other arrays).
    npy_shape : the shape of an NPY array, which may be (1, H, W) or (H, W, 1).
    is_stack : whether the channels are planes, one a page of a TIFF, or (K, H, W) in NPY and NPZ.
    form : what a TIFF says besides its pixels, or None.
    are_ids : whether gray of 8 bits is ids for certain: it was stored in 2 to 7 bits.
    white : the file's own white, from which gray of 8 bits was spread, so that ids in it are other numbers; or None.
    notes : what is read or written otherwise than may be thought.
    """

    pixels: Pixels = Pixels()  # noqa: RUF009  # a descriptor, which is not called for a default
    format: str  # type: ignore[misc]  # what stands before has no default either
    data: bytes | None = None
    palette: bytes | None = None
    extras: dict[str, Any] | None = None
    npy_shape: tuple[int, ...] | None = None
    is_stack: bool = False
    form: "Form | None" = None
    are_ids: bool = False
    white: int | None = None
    notes: tuple[str, ...] = ()


def read_raster(source: Source) -> Raster:
    """Read a mask file; FileError when it is missing, empty, damaged, no raster, or has frames that are no planes."""
    name, data = describe(source), read_bytes(source)
    if numpy_files.is_array(data):
        stored = numpy_files.read(data, name)
        is_stack, shape = stored.pixels.ndim == 3, stored.array.shape
        pixels = np.ascontiguousarray(np.moveaxis(stored.pixels, 0, 2)) if is_stack else stored.pixels[..., None]
        return Raster(pixels, stored.format, data, npy_shape=shape, extras={"stored": stored}, is_stack=is_stack)
    if is_tiff(data):
        from spnrefine.files import tiff_masks  # most commands read no TIFF

        return Raster(format="TIFF", data=data, **vars(tiff_masks.read(data, name)))
    picture = decode(data, name)
    if picture.has_frames and picture.format != "MPO":  # MPO: a camera's JPEG with a preview behind it
        raise FileError(f"{name} holds several frames: save the one that is the mask as a file of its own.")
    image, palette, extras = picture.image, None, {}
    if image.mode == "P":
        palette = bytes(image.getpalette("RGB") or b"")
    elif image.mode == "PA":
        image = image.convert("RGBA")
    elif image.mode not in _MODES.values() and not image.mode.startswith("I;16"):
        raise FileError(f"{name} has colours of the kind {image.mode}: save the mask as gray, palette or RGBA PNG.")
    pixels = np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and picture.format == "PNG"):
        pixels = pixels.astype(np.uint16)  # big-endian files come big-endian, and with older Pillow as 32 bits
    pixels, white = pixels.reshape(*pixels.shape[:2], -1), None
    if picture.format == "PPM":
        white = netpbm.white_of(data)
        if white is not None and white > 255:  # what is not of 8 bits is never a picture to look at
            pixels, white = netpbm.as_stored(pixels, white), None
    notes: tuple[str, ...] = ()
    if picture.format == "PNG":
        _check_depth(data, name)
        extras, notes = _said_by_png(image), _spread_by_png(data)
    if "transparency" in image.info:
        extras["transparency"] = image.info["transparency"]
    pixels = np.ascontiguousarray(turn(pixels, picture.pending))
    return Raster(pixels, picture.format, data, palette, extras, white=white, notes=notes)


def as_ids(raster: Raster) -> Raster:
    """Give a raster the numbers that its file holds, where gray was spread from a white of the file's own."""
    if raster.white is None:
        return raster
    return replace(raster, pixels=netpbm.as_stored(raster.pixels, raster.white), white=None)


def _check_depth(data: bytes, name: str) -> None:
    """Refuse colours, and gray with alpha, of 16 bits, of which Pillow reads 8: ids would be others."""
    depth, colours = data[24], data[25]
    if depth == 16 and colours:
        kind = {2: "colours", 4: "gray with alpha", 6: "colours with alpha"}.get(colours, "pixels")
        raise FileError(f"{name} has {kind} of 16 bits: save ids as gray of 16 bits, or a mask with 8 bits.")


def _spread_by_png(data: bytes) -> tuple[str, ...]:
    """Say what gray of 2 or 4 bits is read as, by PNG's own rules and by most programs.

    Ids in it are other numbers than those stored. What programs make of gray of 8 bits to save room looks the same, so
    that the numbers stored would be no safer guess.
    """
    depth, colours = data[24], data[25]
    if colours or depth not in (2, 4):
        return ()
    return (
        f"its gray of {depth} bits is read as multiples of {255 // (2**depth - 1)} up to 255, and so are ids in it",
    )


def _said_by_png(image: Image.Image) -> dict[str, Any]:
    """Gather the resolution and the text of a PNG, for Pillow to write."""
    said: dict[str, Any] = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    texts = getattr(image, "text", {})
    if texts:
        said["pnginfo"] = PngInfo()
        for key, text in texts.items():
            said["pnginfo"].add_itxt(key, text) if isinstance(text, iTXt) else said["pnginfo"].add_text(key, text)
    return said


def write_raster(raster: Raster, format: str) -> bytes:
    """Encode a raster without loss in ``format``, a key of `EXTENSIONS`; FileError where the format cannot hold it."""
    if format in numpy_files.FORMATS and holds(format, raster):
        planes = np.moveaxis(raster.pixels, 2, 0) if raster.is_stack else raster.pixels[..., 0]
        array = planes.reshape(raster.npy_shape or planes.shape)
        return numpy_files.write(array, format, (raster.extras or {}).get("stored"))
    if not holds(format, raster):
        if raster.is_stack:
            raise FileError(
                f"{format} cannot hold a stack of {raster.pixels.shape[2]} planes: write it as TIFF or NPY."
            )
        kind = f"{raster.pixels.shape[2]} x {raster.pixels.dtype.name}"
        raise FileError(f"{format} cannot hold this mask's pixels ({kind}): write it as PNG, TIFF or NPY.")
    if format == "TIFF":
        from spnrefine.files import tiff_form

        return tiff_form.write(raster.pixels, raster.form, raster.palette, is_stack=raster.is_stack)
    image = Image.fromarray(raster.pixels[..., 0] if raster.pixels.shape[2] == 1 else raster.pixels)
    if format == "WEBP":
        return _save(image, format, lossless=True, exact=True)
    if raster.palette is not None:
        # A palette shorter than the highest id would make Pillow write too few bits, and wrap the ids around.
        image.putpalette(raster.palette.ljust(3 * (int(raster.pixels.max(initial=0)) + 1), b"\0"))
    return _save(image, format, **(raster.extras or {}) if format == raster.format else {})


def encode_like(coarse: Raster, refined: Raster, format: str) -> bytes:
    """Encode a raster as `write_raster` does; but where all is as in the file that ``coarse`` is of, as its bytes."""
    if coarse.data is not None and format == coarse.format and refined.palette == coarse.palette:
        before, after = coarse.pixels, refined.pixels
        if before.dtype == after.dtype and np.array_equal(before, after):
            return coarse.data
    return write_raster(refined, format)


def holds(format: str, raster: Raster) -> bool:
    """Whether ``format`` can hold such pixels without loss; WebP holds gray as three equal channels."""
    if format in numpy_files.FORMATS:
        return (raster.is_stack or raster.pixels.shape[2] == 1) and raster.palette is None
    if format == "TIFF":
        from spnrefine.files.tiff_form import TYPES

        return raster.pixels.dtype.name in TYPES
    if raster.is_stack:
        return False
    mode = "P" if raster.palette is not None else _MODES.get((raster.pixels.dtype.name, raster.pixels.shape[2]))
    return mode in _WRITABLE[format]


def format_named(name: str) -> str:
    """Turn a format's name or extension ('PNG', '.tif', 'tiff') into a key of `EXTENSIONS`, or raise FileError."""
    key = name.removeprefix(".").upper()
    key = _SPELLINGS.get(key, key)
    if key not in EXTENSIONS:
        raise FileError(f"Masks are not written as {name!r}: use one of {', '.join(EXTENSIONS.values())}.")
    return key


def _save(image: Image.Image, format: str, **extras: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **extras)
    return buffer.getvalue()
