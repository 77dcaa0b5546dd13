"""Photographs as RGB arrays that stand upright."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import cv2
import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.formats import is_tiff
from spnrefine.files.opening import Picture, Source, decode, describe, read_bytes
from spnrefine.files.orientation import turn
from spnrefine.files.stretch import to_eight_bits

if TYPE_CHECKING:
    from spnrefine.files.tiff_photographs import Bands, TiffPhotographs

_TOP = 2**16 - 1
_COLOURS = (2, 6)  # PNG's colour types of RGB and RGBA
_PNG, _PNG_DEPTH, _PNG_COLOUR = b"\x89PNG\r\n\x1a\n", 24, 25


@dataclass(frozen=True, eq=False)
class Photograph:
    """An upright photograph, and how its file stored it.

    Attributes
    ----------
    pixels : (H, W, 3) uint8 array, RGB, upright.
    orientation : int in 1..8, the EXIF orientation of the stored pixels; 1 when they were upright.
    notes : what was done to its numbers, where they are not seen as they are.
    """

    pixels: np.ndarray
    orientation: int = 1
    notes: tuple[str, ...] = ()


class Photographs(Sequence[Photograph]):
    """The photographs of a file: one, or one a page of a TIFF; each is decoded when it is asked for.

    Parameters
    ----------
    source : Path, or the file's bytes.
    bands : those of a TIFF that are seen as red, green and blue, or one as gray; counted from 1.

    Raises
    ------
    FileError
        The source is missing, empty, not a picture, or too large; on asking for one: it is damaged.
    """

    def __init__(self, source: Source, bands: "Bands | None" = None):
        self._name, self._data = describe(source), read_bytes(source)
        self._tiff: TiffPhotographs | None = None
        if is_tiff(self._data):
            from spnrefine.files import tiff_photographs  # most commands read no TIFF

            self._tiff = tiff_photographs.TiffPhotographs(self._data, self._name, bands)
        if bands is not None and self._tiff is None:
            raise FileError(f"{self._name} is no TIFF, whose bands --bands chooses: leave it out.")

    def __len__(self) -> int:
        return 1 if self._tiff is None else len(self._tiff)

    @overload
    def __getitem__(self, number: int) -> Photograph: ...
    @overload
    def __getitem__(self, number: slice) -> list[Photograph]: ...
    def __getitem__(self, number: int | slice) -> Photograph | list[Photograph]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if number and not 0 <= number < len(self):  # the first is there, and pages are counted only where need be
            raise IndexError(number)
        if self._tiff is not None:
            pixels, notes = self._tiff.read(number)
            return Photograph(pixels, self._tiff.orientation, notes)
        picture = decode(self._data, self._name)
        pixels, notes = _rgb(picture, self._data)
        return Photograph(np.ascontiguousarray(turn(pixels, picture.pending)), picture.orientation, notes)


class Given(Photographs):
    """The one photograph that is an array already, (H, W, 3) uint8, RGB, upright."""

    def __init__(self, pixels: np.ndarray):
        self._tiff = None
        self._photograph = Photograph(pixels)

    def __getitem__(self, number: int | slice) -> Any:
        """Return the photograph, which is number 0."""
        return [self._photograph][number]


def read_photograph(source: Source, bands: "Bands | None" = None) -> Photograph:
    """Read a photograph and turn it upright by its EXIF orientation.

    Gray, palette and CMYK are converted to RGB; numbers of more than 8 bits are scaled by their own bit depth, or
    spread where they use little of it (`spnrefine.files.stretch`); an alpha channel is dropped, the colours under it
    stay as stored; an embedded colour profile is not applied. Of several frames or pages, the first counts.

    Parameters
    ----------
    source : Path, or the file's bytes.
    bands : as for `Photographs`.

    Raises
    ------
    FileError
        The source is missing, empty, cut short, not a picture, or too large.
    """
    return Photographs(source, bands)[0]


def read_image(source: Source) -> np.ndarray:
    """Read a photograph's pixels: an (H, W, 3) uint8 array, RGB, upright; as `read_photograph`."""
    return read_photograph(source).pixels


def _rgb(picture: Picture, data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    image = picture.image
    image.info.pop("transparency", None)  # a transparent colour is a colour all the same
    values = None
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)[..., None]
    elif data.startswith(_PNG) and data[_PNG_DEPTH] == 16 and data[_PNG_COLOUR] in _COLOURS:
        values = _sixteen_bit_colours(data)
    if values is None:
        return np.array(image if image.mode == "RGB" else image.convert("RGB")), ()  # not asarray: it is read-only
    seen, note = to_eight_bits(values, 1 if values.dtype.kind == "f" else _TOP)
    return seen.repeat(3, axis=2) if seen.shape[2] == 1 else seen, (note,) if note else ()


def _sixteen_bit_colours(data: bytes) -> np.ndarray | None:
    """Read RGB (H, W, 3) of 16 bits, of which Pillow keeps 8; None where that fails."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.ndim != 3:
        return None
    return np.ascontiguousarray(found[..., 2::-1])
