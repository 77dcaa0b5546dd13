"""What a TIFF says besides its pixels, kept from the mask that came in and written with the refined one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

from spnrefine.files import tiff_codecs, tiff_segments
from spnrefine.files.orientation import UPRIGHT, turn_back
from spnrefine.files.resampling import nearest
from spnrefine.files.tiff_directories import LONG, SHORT, Entry, assemble, numbers
from spnrefine.files.tiff_pages import BLACK_IS_ZERO, PALETTE, RGB, Tiff

TYPES = {"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"}
TYPES |= {"float16", "float32", "float64"}
"""The types of samples that are written."""

ALPHA = 2
"""The value of the tag ExtraSamples for an alpha channel under which colours are whole."""
_SAMPLE_FORMATS = {"b": 1, "u": 1, "i": 2, "f": 3}
_DESCRIPTION, _COLOURS, _ORIENTATION = 270, 320, 274
_OWN = {280, 281, 288, 289, 292, 293, 340, 341, 347, *range(512, 522), 529, 530, 531, 532, _COLOURS}
_OWN |= set(tifffile.TIFF.TAG_FILTERED)
"""Tags that are true of how the pixels were stored, or point to what is not kept."""
_PLACES = {282, 283, 296, 33550, 33922, 34264}
"""Tags by which a pixel has a size or a place on earth: of resized masks they would be wrong."""
_POINTERS = (13, 18)  # types whose values are places in the file


@dataclass(frozen=True, eq=False)
class Form:
    """How the TIFF of a mask was stored.

    Attributes
    ----------
    dtype, samples, bits : of the pixels that it held; ``bits`` may be fewer than the type has.
    shape, is_tiled, rows, columns : of the picture, and of its strips or tiles.
    photometric, is_planar, extras : the tags PhotometricInterpretation, PlanarConfiguration and ExtraSamples.
    planes : how many there were; fewer pages where the description alone tells of them.
    tags : of each page, what else it says.
    colours : the tag ColorMap, which is that of ``palette``; or None.
    is_inverted : whether the raster holds the opposite of the stored pixels: 1-bit pictures in which 0 is white.
    bands : (H, W, N), what lies behind the mask in its page, upright; or None.
    """

    dtype: np.dtype
    samples: int = 1
    bits: int = 8
    shape: tuple[int, int] = (0, 0)
    is_tiled: bool = False
    rows: int = 0
    columns: int = 0
    photometric: int = BLACK_IS_ZERO
    is_planar: bool = False
    extras: tuple[int, ...] = ()
    byteorder: str = "<"
    is_big: bool = False
    compression: int = tiff_codecs.ADOBE_DEFLATE
    predictor: int = 1
    orientation: int = UPRIGHT
    planes: int = 1
    tags: tuple[dict[int, Entry], ...] = ({},)
    colours: Entry | None = None
    palette: bytes | None = None
    is_inverted: bool = False
    bands: np.ndarray | None = None


def form_of(tiff: Tiff, pages: list[Any]) -> Form:
    """Gather what the pages of a mask say."""
    page, compression = tiff.first, int(tiff.first.compression)
    photometric = int(page.photometric)
    return Form(
        dtype=tiff.dtype,
        samples=page.samplesperpixel,
        bits=page.bitspersample,
        shape=tiff.shape,
        is_tiled=page.is_tiled,
        rows=page.tilelength if page.is_tiled else min(page.rowsperstrip or page.imagelength, page.imagelength),
        columns=page.tilewidth if page.is_tiled else page.imagewidth,
        photometric=photometric if photometric <= PALETTE else RGB,
        is_planar=int(page.planarconfig) == 2,
        extras=tuple(int(extra) for extra in page.extrasamples),
        byteorder=tiff.file.byteorder,
        is_big=tiff.file.is_bigtiff,
        compression=compression if compression in tiff_codecs.KNOWN else tiff_codecs.ADOBE_DEFLATE,
        predictor=int(page.predictor),
        orientation=tiff.orientation,
        planes=tiff.count,
        tags=tuple(_tags(tiff, each) for each in pages),
        colours=next((_entry(tiff, tag) for tag in page.tags if tag.code == _COLOURS), None),
    )


def write(pixels: np.ndarray, form: Form | None, palette: bytes | None, *, is_stack: bool) -> bytes:
    """Encode a mask as TIFF.

    Parameters
    ----------
    pixels : (H, W, C) of one of `TYPES`, upright.
    form : that of the TIFF that the mask came in, if it did. What cannot be true of these pixels is left out.
    palette : the colours of ids, three bytes each, or None.
    is_stack : whether each channel is a plane: a page of its own, unless they came as the bands of one page.
    """
    form = form or Form(pixels.dtype, bits=0)
    if form.is_inverted and pixels.dtype == bool:
        pixels = ~pixels
    if form.bands is not None:
        bands = form.bands if form.bands.shape[:2] == pixels.shape[:2] else nearest(form.bands, pixels.shape[:2])
        pixels = np.concatenate([pixels, bands.astype(pixels.dtype)], axis=2)
    elif is_stack and not 1 < form.samples == pixels.shape[2]:
        return _assemble([pixels[..., [n]] for n in range(pixels.shape[2])], form, palette)
    return _assemble([pixels], form, palette)


def _assemble(planes: list[np.ndarray], form: Form, palette: bytes | None) -> bytes:
    planes = [np.ascontiguousarray(turn_back(plane, form.orientation)) for plane in planes]
    layout = _layout(planes, form)
    pages = []
    for number, plane in enumerate(planes):
        kept = form.tags[number] if number < len(form.tags) else {}
        if plane.shape[:2] != form.shape:
            kept = {code: entry for code, entry in kept.items() if code not in _PLACES}
        if plane.shape[:2] != form.shape or len(planes) != form.planes:
            kept = {code: entry for code, entry in kept.items() if code != _DESCRIPTION or not _tells_shape(entry)}
        tags = kept | _tags_of_pixels(plane, form, layout, palette)
        pages.append((tags, tiff_segments.encode(plane, layout)))
    is_big = form.is_big or sum(len(s) for _, segments in pages for s in segments) > 2**32 - 2**24
    return assemble(pages, form.byteorder, is_big=is_big, is_tiled=form.is_tiled)


def _layout(planes: list[np.ndarray], form: Form) -> dict[str, Any]:
    """Say how pixels are stored: as they were, as far as these can be."""
    height, width, samples = planes[0].shape
    dtype = planes[0].dtype
    whole = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    bits = form.bits if dtype == form.dtype and form.bits else whole
    if bits < whole and any(int(plane.max(initial=0)) >> bits for plane in planes):
        bits = whole
    compression, predictor = form.compression, form.predictor
    if compression in tiff_codecs.BILEVEL:
        # the older ones have options that Pillow chooses
        compression = tiff_codecs.CCITT_G4 if bits == samples == 1 else tiff_codecs.ADOBE_DEFLATE
    fits = bits == whole > 1 and compression in tiff_codecs.PREDICTABLE
    kinds = {tiff_segments.HORIZONTAL: "ui", tiff_segments.FLOATING: "f"}
    return {
        "rows": form.rows if form.is_tiled or height == form.shape[0] else height,
        "columns": form.columns if form.is_tiled else width,
        "is_tiled": form.is_tiled,
        "is_planar": form.is_planar and samples == form.samples,
        "bits": bits,
        "byteorder": form.byteorder,
        "compression": compression,
        "predictor": predictor if fits and dtype.kind in kinds.get(predictor, "") else 1,
    }


def _tags_of_pixels(pixels: np.ndarray, form: Form, layout: dict[str, Any], palette: bytes | None) -> dict[int, Entry]:
    height, width, samples = pixels.shape
    order, bits = form.byteorder, layout["bits"]
    photometric = PALETTE if palette is not None else RGB if samples in (3, 4) else BLACK_IS_ZERO
    extras: tuple[int, ...] = (ALPHA,) if samples in (2, 4) else ()
    if samples == form.samples and (form.photometric == PALETTE) == (palette is not None):
        photometric, extras = form.photometric, form.extras
    tags = {
        256: numbers(LONG, [width], order),
        257: numbers(LONG, [height], order),
        258: numbers(SHORT, [bits] * samples, order),
        259: numbers(SHORT, [layout["compression"]], order),
        262: numbers(SHORT, [photometric], order),
        277: numbers(SHORT, [samples], order),
        284: numbers(SHORT, [2 if layout["is_planar"] else 1], order),
        339: numbers(SHORT, [_SAMPLE_FORMATS[pixels.dtype.kind]] * samples, order),
    }
    if layout["is_tiled"]:
        tags |= {322: numbers(LONG, [form.columns], order), 323: numbers(LONG, [form.rows], order)}
    else:
        tags[278] = numbers(LONG, [layout["rows"]], order)
    if layout["predictor"] > 1:
        tags[317] = numbers(SHORT, [layout["predictor"]], order)
    if extras:
        tags[338] = numbers(SHORT, extras, order)
    if palette is not None:
        tags[_COLOURS] = form.colours if form.colours and palette == form.palette else _colours(palette, bits, order)
    return tags


def _colours(palette: bytes, bits: int, order: str) -> Entry:
    table = np.zeros((3, 2**bits), np.uint16)
    given = np.frombuffer(palette, np.uint8).reshape(-1, 3)[: 2**bits].T
    table[:, : given.shape[1]] = given.astype(np.uint16) * 257
    return numbers(SHORT, table.ravel().tolist(), order)


def _tags(tiff: Tiff, page: Any) -> dict[int, Entry]:
    return {
        tag.code: _entry(tiff, tag) for tag in page.tags if tag.code not in _OWN and int(tag.dtype) not in _POINTERS
    }


def _entry(tiff: Tiff, tag: tifffile.TiffTag) -> Entry:
    value = tiff.data[tag.valueoffset : tag.valueoffset + tag.valuebytecount]
    return int(tag.dtype), tag.count, value


def _tells_shape(entry: Entry) -> bool:
    """Whether a description is one of those by which programs know the shape: tifffile's, ImageJ's and OME's."""
    return entry[2].startswith((b'{"shape"', b"ImageJ=")) or b"<OME" in entry[2][:1000]
