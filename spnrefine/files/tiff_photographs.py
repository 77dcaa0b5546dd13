"""Photographs in TIFF: any number of bits, bands, channels and pages as RGB of 8 bits."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.orientation import turn
from spnrefine.files.stretch import to_eight_bits
from spnrefine.files.tiff_decoders import damage_named
from spnrefine.files.tiff_pages import BLACK_IS_ZERO, PALETTE, RGB, WHITE_IS_ZERO, YCBCR, Tiff

Bands = tuple[int, ...]
"""The bands that are seen as red, green and blue, counted from 1; or one, seen as gray."""

_NUMBERS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
_NODATA = 42113
_LARGEST = {"b": 1, "f": 1}


class TiffPhotographs:
    """The photographs in a TIFF: one, or one a page."""

    def __init__(self, data: bytes, name: str, bands: Bands | None = None):
        with damage_named(name):
            self._tiff, self._name, self._bands = Tiff(data, name), name, bands

    @property
    def orientation(self) -> int:
        return self._tiff.orientation

    def __len__(self) -> int:
        with damage_named(self._name):
            return len(self._planes)

    def read(self, number: int = 0) -> tuple[np.ndarray, tuple[str, ...]]:
        """Decode a photograph: (H, W, 3) uint8, RGB, upright; and what was done to its numbers.

        Raises
        ------
        FileError
            Damaged, too large, of a kind that is not read, or without the bands asked for.
        MissingExtraError
            A compression that needs imagecodecs.
        """
        with damage_named(self._name):
            return self._read(number)

    def _read(self, number: int) -> tuple[np.ndarray, tuple[str, ...]]:
        tiff, photometric = self._tiff, int(self._tiff.first.photometric)
        if photometric == YCBCR and not tiff.is_subsampled:  # JPEG, whose decoder makes RGB of it
            photometric = RGB
        planes = self._planes[number] if self._has_channels else [number]
        if photometric not in (*_NUMBERS, PALETTE):
            return self._by_pillow(planes[0]), ()
        tiff.check_total(len(planes))
        pixels = np.concatenate([turn(tiff.read(plane), tiff.orientation) for plane in planes], axis=2)
        if photometric == PALETTE:
            self._choose(1)
            return _colours(tiff, pixels[..., 0]), ()
        chosen = self._choose(pixels.shape[2])
        notes = []
        if self._bands is None and pixels.shape[2] >= 3 and photometric != RGB:
            notes.append(
                f"of the photograph's {pixels.shape[2]} bands, the first three are seen as red, green and blue"
            )
        seen, spread = self._eight_bits(pixels[..., chosen], together=photometric == RGB)
        if photometric == WHITE_IS_ZERO:
            seen = 255 - seen
        channels = [0, 0, 0] if len(chosen) == 1 else [0, 1, 2]
        if len(chosen) == 2:  # of two channels: red and green
            seen, channels = np.dstack([seen, np.zeros_like(seen[..., 0])]), [0, 1, 2]
        return np.ascontiguousarray(seen[..., channels]), (*notes, *([spread] if spread else []))

    def _eight_bits(self, values: np.ndarray, *, together: bool) -> tuple[np.ndarray, str | None]:
        page, kind = self._tiff.first, values.dtype.kind
        if kind == "u" and page.bitspersample == 8:
            return values, None
        top = 2**page.bitspersample - 1 if kind == "u" else _LARGEST.get(kind)
        if kind == "b" or (kind == "u" and page.bitspersample < 8):
            return np.round(values * (255 / (top or 1))).astype(np.uint8), None
        nodata = float(page.nodata) if _NODATA in page.tags else None
        return to_eight_bits(values, top, nodata, together=together)

    def _choose(self, held: int) -> list[int]:
        """Say which of the bands are seen."""
        if self._bands is None:
            return [0] if held < 3 and not self._has_channels else list(range(min(held, 3)))
        if not all(1 <= band <= held for band in self._bands):
            named = ",".join(map(str, self._bands))
            raise FileError(f"{self._name} has {held} bands: expected numbers up to that, not --bands {named}.")
        return [band - 1 for band in self._bands]

    @property
    def _has_channels(self) -> bool:
        return self._is_described and len(self._planes[0]) > 1

    @property
    def _is_described(self) -> bool:
        return bool(self._tiff.file.is_ome or self._tiff.file.is_imagej) and self._tiff.first.samplesperpixel == 1

    @cached_property
    def _planes(self) -> Sequence[Sequence[int]]:
        """The planes of each photograph: one, or those of the channels that OME or ImageJ tell of."""
        count = self._tiff.count
        single = [[number] for number in range(count)]
        if count == 1 or not self._is_described:
            return single
        try:
            series = self._tiff.file.series[0]
            axes, shape = series.axes, series.shape
        except Exception:  # descriptions may say anything
            return single
        leading = shape[:-2]
        if not axes.endswith("YX") or "C" not in axes or int(np.prod(leading)) != count:
            return single
        order = np.arange(count)
        if self._tiff.file.is_ome:
            places = {number: place for place, (number, _) in enumerate(self._tiff.like_first)}
            found = [None if page is None else places.get(page.index) for page in series.pages]
            if None in found or len(found) != count:
                return single
            order = np.array(found)
        channels = np.moveaxis(order.reshape(leading), axes.index("C"), -1)
        return channels.reshape(-1, channels.shape[-1]).tolist()

    def _by_pillow(self, plane: int) -> np.ndarray:
        """Let Pillow convert colours that are no RGB: CMYK, CIELab, YCbCr without JPEG."""
        tiff = self._tiff
        self._choose(3)
        try:
            image = tiff.picture(plane)
            pixels = np.array(image.convert("RGB"))
        except Exception as error:  # on what it does not know Pillow raises nearly every kind there is
            kind = getattr(tiff.first.photometric, "name", int(tiff.first.photometric))
            raise FileError(
                f"{self._name} is damaged, or has colours of the kind {kind} that are not read ({error}): export it "
                "as RGB."
            ) from error
        return np.ascontiguousarray(turn(pixels, image.getexif().get(274, 1)))


def _colours(tiff: Tiff, ids: np.ndarray) -> np.ndarray:
    table = tiff.first.colormap
    if table is None or table.ndim != 2 or int(ids.max(initial=0)) >= table.shape[1]:
        raise FileError(f"{tiff.name} has numbers without a colour in its palette: export it as RGB.")
    small = table if int(table.max(initial=0)) < 256 else table >> 8
    return small.T.astype(np.uint8)[ids]
