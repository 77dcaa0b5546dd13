"""The mask in a TIFF: which pages and bands are it, as they are stored, for ids have no brightness."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.orientation import turn
from spnrefine.files.tiff_decoders import damage_named
from spnrefine.files.tiff_form import Form, form_of
from spnrefine.files.tiff_pages import BLACK_IS_ZERO, PALETTE, RGB, WHITE_IS_ZERO, YCBCR, Tiff

OVERVIEWS_GONE = "its overviews or internal masks are not written again"

_PHOTOMETRICS = {WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR}
_ALPHAS = (1, 2)  # of the tag ExtraSamples
_SOFTWARE = 305


@dataclass(frozen=True, eq=False)
class TiffMask:
    """What `read` found; attributes as of `spnrefine.files.rasters.Raster`."""

    pixels: np.ndarray
    form: Form
    palette: bytes | None = None
    is_stack: bool = False
    are_ids: bool = False
    notes: tuple[str, ...] = ()


def read(data: bytes, name: str) -> TiffMask:
    """Read the mask in a TIFF, upright.

    - Overviews, thumbnails and masks of what is covered are no planes.
    - Several pages of one band are a stack; so are bands of two values each, and the planes of tifffile's (K, H, W).
    - Of other bands the first is the mask; the others come along.
    - Numbers are those that are stored, also where 0 is white; but in 1-bit pictures of programs other than tifffile,
      which does not mind, white is what they show as white.

    Raises
    ------
    FileError
        Damaged, too large, or of a kind that is no mask.
    MissingExtraError
        A compression that needs imagecodecs.
    """
    with damage_named(name):
        return _read(data, name)


def _read(data: bytes, name: str) -> TiffMask:
    tiff = Tiff(data, name)
    photometric, samples = int(tiff.first.photometric), tiff.first.samplesperpixel
    if photometric not in _PHOTOMETRICS:
        kind = getattr(tiff.first.photometric, "name", photometric)
        raise FileError(f"{name} has colours of the kind {kind}: save the mask as gray, palette or RGBA.")
    count = _count(tiff)
    tiff.check_total(count)
    form = form_of(tiff, [page for _, page in tiff.like_first])
    notes = (OVERVIEWS_GONE,) if tiff.left_out else ()
    if count > 1:
        if samples > 1 or photometric == PALETTE:
            held = "palettes" if photometric == PALETTE else f"{samples} bands"
            raise FileError(
                f"{name} holds {count} pages of {held}, where a stack has one gray plane a page: save the page that is "
                "the mask as a file of its own."
            )
        return _stack(tiff, count, form, notes)
    pixels = turn(tiff.read(), tiff.orientation)
    if tiff.dtype == bool and photometric == WHITE_IS_ZERO and not _by_tifffile(tiff):
        return TiffMask(~pixels, replace(form, is_inverted=True), notes=notes)
    if samples == 1:
        palette = _palette(tiff.first) if photometric == PALETTE else None
        form = replace(form, palette=palette)
        return TiffMask(_whole(pixels), form, palette, are_ids=1 < form.bits < 8, notes=notes)
    if _are_planes(tiff):
        return TiffMask(_whole(pixels), form, is_stack=True, notes=notes)
    return _bands(tiff, pixels, form, notes)


def _count(tiff: Tiff) -> int:
    if len(tiff.pages) > len(tiff.like_first):
        other = next(page for _, page in tiff.pages if all(page is not like for _, like in tiff.like_first))
        raise FileError(
            f"{tiff.name} has pages of several sizes or kinds ({_kind(tiff.first)}, {_kind(other)}): save the one that "
            "is the mask as a file of its own."
        )
    return tiff.count


def _kind(page: Any) -> str:
    bits = f"{page.samplesperpixel} x {page.bitspersample}" if page.samplesperpixel > 1 else page.bitspersample
    return f"{page.imagewidth} x {page.imagelength} of {bits} bits"


def _stack(tiff: Tiff, count: int, form: Form, notes: tuple[str, ...]) -> TiffMask:
    planes = [turn(tiff.read(plane)[..., 0], tiff.orientation) for plane in range(count)]
    pixels = np.stack(planes, axis=2)
    if tiff.dtype == bool and form.photometric == WHITE_IS_ZERO and not _by_tifffile(tiff):
        return TiffMask(~pixels, replace(form, is_inverted=True), is_stack=True, notes=notes)
    return TiffMask(pixels, form, is_stack=True, are_ids=1 < form.bits < 8, notes=notes)


def _bands(tiff: Tiff, pixels: np.ndarray, form: Form, notes: tuple[str, ...]) -> TiffMask:
    samples, extras = pixels.shape[2], form.extras
    colours = 3 if form.photometric == RGB else 1
    has_alpha = samples == colours + 1 and extras[:1] != () and extras[0] in _ALPHAS
    if samples == colours or has_alpha:
        if has_alpha and pixels.dtype != np.uint8:
            raise FileError(f"{tiff.name} has an alpha channel of {form.bits} bits: save the mask with 8, or one band.")
        return TiffMask(_whole(pixels), form, notes=notes)
    if all(_has_two_values(pixels[..., band]) for band in range(samples)):
        return TiffMask(_whole(pixels), form, is_stack=True, notes=notes)
    if colours == 3:
        raise FileError(f"{tiff.name} has colours and {samples - 3} bands more: save the band that is the mask alone.")
    left = f"of its {samples} bands, the first was refined and the others were left as they are"
    form = replace(form, bands=pixels[..., 1:].copy())
    return TiffMask(_whole(pixels[..., :1]), form, are_ids=1 < form.bits < 8, notes=(*notes, left))


def _has_two_values(band: np.ndarray) -> bool:
    return band.dtype == bool or bool(((band == 0) | (band == band.max())).all() and band.max() in (0, 1, 255))


def _are_planes(tiff: Tiff) -> bool:
    """Whether tifffile was given (K, H, W), which it takes for a picture of K colours where K is 3 or 4."""
    try:
        shape = json.loads(tiff.first.description)["shape"]
    except (ValueError, KeyError, TypeError):
        return False
    separate = int(tiff.first.planarconfig) == 2
    return separate and shape == [tiff.first.samplesperpixel, *tiff.shape]


def _by_tifffile(tiff: Tiff) -> bool:
    software = tiff.first.tags.get(_SOFTWARE)
    return '{"shape"' in (tiff.first.description or "")[:10] or (software is not None and "tifffile" in software.value)


def _palette(page: Any) -> bytes | None:
    table = page.colormap
    if table is None or table.ndim != 2:
        return None
    table = table[:, :256]
    small = table if int(table.max()) < 256 else table >> 8  # some programs write 8 bits where 16 are asked for
    return np.ascontiguousarray(small.T.astype(np.uint8)).tobytes()


def _whole(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels)
