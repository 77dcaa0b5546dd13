"""The pages of a TIFF: which of them are planes of one picture, and their pixels as they are stored.

``tifffile`` reads the tags.
"""

import io
import logging
import re
from functools import cached_property
from typing import Any, Literal

import numpy as np
import tifffile
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files import opening, tiff_codecs, tiff_decoders, tiff_segments
from spnrefine.files.limits import CURE, MAX_PAGES, MEGA, check_pixels, max_values
from spnrefine.files.tiff_decoders import told

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, YCBCR = 0, 1, 2, 3, 4, 6
"""Values of the tag PhotometricInterpretation."""
_CFA, _LINEAR_RAW = 32803, 34892
_REDUCED_OR_MASK = 0b101
"""Bits of the tag NewSubfileType: an overview or a thumbnail, and the mask of another page."""
_ORDERS: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
_ORIENTATION, _SUB_IFDS = 274, 330

# What the library finds odd in a file is no business of who runs the program.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class Tiff:
    """An open TIFF.

    Attributes
    ----------
    first : the first page that is a picture of full size; the others have to be like it.
    dtype : of its samples.
    left_out : whether overviews, or masks of what is covered, lie beside the pictures.
    """

    def __init__(self, data: bytes, name: str):
        """Read the tags of the first page; FileError where there is none that is read."""
        self.data, self.name, self.left_out = data, name, False
        try:
            self.file = tifffile.TiffFile(io.BytesIO(data))
            self._number, self.first = self._find_first()
        except Exception as error:  # tifffile raises nearly every kind there is
            raise FileError(f"{name} is a damaged TIFF ({told(error)}): export or copy it again.") from error
        self._check(self.first)
        dtype = tiff_segments.dtype_of(self.first)
        if dtype is None:
            raise FileError(f"{name} holds {_numbers(self.first)}: save it as integers or floats of 8 to 64 bits.")
        self.dtype = dtype

    @property
    def shape(self) -> tuple[int, int]:
        return self.first.imagelength, self.first.imagewidth

    @cached_property
    def pages(self) -> list[tuple[int, Any]]:
        """All pages of full size, each with its number in the file; FileError for damaged ones, or too many."""
        found = []
        for number in range(MAX_PAGES + 1):
            try:
                page = self.file.pages[number]
            except IndexError:
                break
            except Exception as error:
                raise FileError(
                    f"{self.name} is damaged or cut short at page {number + 1} ({told(error)}): export or copy it "
                    "again."
                ) from error
            if _is_picture(page) or number == self._number:
                found.append((number, page))
                self.left_out |= _has_levels(page)
            else:
                self.left_out = True
        else:
            raise FileError(f"{self.name} has more than {MAX_PAGES} pages: save those that matter as a file.")
        self._check_end(self.file.pages[number - 1])
        return found

    def _check_end(self, last: Any) -> None:
        """Refuse a file whose last page names one more, which is not there: tifffile is content without."""
        order, is_big = self.file.byteorder, self.file.is_bigtiff
        head, row, link = (8, 20, 8) if is_big else (2, 12, 4)
        count = int.from_bytes(self.data[last.offset : last.offset + head], _ORDERS[order])
        start = last.offset + head + row * count
        following = int.from_bytes(self.data[start : start + link], _ORDERS[order])
        if start + link > len(self.data) or following >= len(self.data):
            raise FileError(f"{self.name} is cut short (pages are missing): export or copy it again.")

    @cached_property
    def like_first(self) -> list[tuple[int, Any]]:
        """Those of `pages` that have the size and kind of the first."""
        return [(number, page) for number, page in self.pages if _kind(page) == _kind(self.first)]

    @cached_property
    def planes_in_first(self) -> int:
        """Planes behind the first page's own pixels, which the description alone tells of: large stacks of ImageJ."""
        text = self.first.description or ""
        found = re.search(r"^images=(\d+)", text, re.MULTILINE) if text.startswith("ImageJ=") else None
        if found is None and '"truncated": true' in text:
            shape = re.search(r'"shape": \[([\d, ]+)\]', text)
            height, width = self.shape
            total = np.prod([int(n) for n in shape[1].split(",")], dtype=object) if shape else 1
            return max(int(total) // (height * width * self.first.samplesperpixel), 1)
        return max(int(found[1]), 1) if found else 1

    @property
    def count(self) -> int:
        """The number of planes like the first page."""
        return self.planes_in_first if self._is_of_one_page else len(self.like_first)

    @cached_property
    def _is_of_one_page(self) -> bool:
        return self.planes_in_first > 1 and len(self.like_first) == 1

    def check_total(self, planes: int) -> None:
        """Refuse more values than fit into memory, before any is decoded."""
        height, width = self.shape
        if height * width * planes * self.first.samplesperpixel > max_values():
            most = f"at most {max_values() / MEGA:g} million values are read"
            raise FileError(f"{self.name} has {planes} pages of {width} x {height} pixels, and {most}: {CURE}.")

    def read(self, plane: int = 0) -> np.ndarray:
        """Decode a plane, as it is stored: an (H, W, samples) array of ``dtype``; FileError where it is damaged."""
        if self._is_of_one_page and plane:
            return self._behind_first(plane)
        number, page = self.like_first[plane] if plane else (self._number, self.first)
        compression = int(page.compression)
        if compression in tiff_codecs.KNOWN and not self.is_subsampled:
            return tiff_segments.decode(page, self.data, self.name)
        return tiff_decoders.decode(page, number, self.data, self.name)

    @property
    def orientation(self) -> int:
        """The tag Orientation: how the pixels are to be turned, 1..8."""
        tag = self.first.tags.get(_ORIENTATION)
        return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1

    @property
    def is_subsampled(self) -> bool:
        """Whether colours have fewer pixels than brightness, so that samples do not stand one beside the other."""
        return int(self.first.photometric) == YCBCR and int(self.first.compression) not in tiff_decoders.JPEG

    def picture(self, plane: int = 0) -> Image.Image:
        """Let Pillow decode a plane: what it makes of the file's colours, turned by the file's orientation or not."""
        number = self.like_first[plane][0] if plane else self._number
        image = opening.open_image(self.data)
        image.seek(number)
        image.load()
        return image

    def _find_first(self) -> tuple[int, Any]:
        """Return the first page that is no overview and no mask; where all are, the first."""
        for number in range(MAX_PAGES):
            try:
                page = self.file.pages[number]
            except IndexError:
                break
            if _is_picture(page):
                return number, page
        return 0, self.file.pages[0]

    def _check(self, page: Any) -> None:
        check_pixels(page.imagewidth, page.imagelength, self.name)
        if page.imagedepth > 1:
            raise FileError(f"{self.name} is a volume in one page: save it with a page for each plane.")
        if int(page.photometric) in (_CFA, _LINEAR_RAW):
            raise FileError(f"{self.name} is a camera's raw picture: develop it into a JPEG, or a TIFF in RGB.")
        self.check_total(1)

    def _behind_first(self, plane: int) -> np.ndarray:
        height, width = self.shape
        shape = (height, width, self.first.samplesperpixel)
        dtype = self.dtype.newbyteorder(self.file.byteorder)
        size = int(np.prod(shape)) * dtype.itemsize
        start = self.first.dataoffsets[0] + plane * size
        if self.dtype == bool or int(self.first.compression) != tiff_codecs.NONE or start + size > len(self.data):
            raise FileError(
                f"{self.name} is said to hold {self.count} planes but ends before plane {plane + 1}: copy it again."
            )
        return np.frombuffer(self.data, dtype, size // dtype.itemsize, start).reshape(shape).astype(self.dtype)


def _has_levels(page: Any) -> bool:
    """Tell if a page has others within it, as OME's pyramids have their levels."""
    return _SUB_IFDS in page.tags


def _is_picture(page: Any) -> bool:
    return not int(page.subfiletype) & _REDUCED_OR_MASK and int(page.photometric) != MASK


def _kind(page: Any) -> tuple:
    return page.imagelength, page.imagewidth, page.samplesperpixel, page.bitspersample, int(page.sampleformat)


def _numbers(page: Any) -> str:
    kind = {1: "unsigned integers", 2: "integers", 3: "floats", 5: "complex integers", 6: "complex numbers"}
    return f"{kind.get(int(page.sampleformat), 'numbers of an unknown kind')} of {page.bitspersample} bits"
