"""Pages of a TIFF whose strips and tiles are pictures: JPEG, which Pillow reads, and what needs imagecodecs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from spnrefine.errors import FileError, MissingExtraError, SpnRefineError
from spnrefine.files import opening
from spnrefine.files.orientation import turn_back

JPEG = (6, 7)
"""Values of the tag Compression."""
_WHITE_IS_ZERO, _ORIENTATION = 0, 274


def decode(page: Any, number: int, data: bytes, name: str) -> np.ndarray:
    """Decode a page, as it is stored: (H, W, samples); YCbCr becomes RGB.

    Parameters
    ----------
    number : of the page in the file.

    Raises
    ------
    FileError
        Damaged, or of a kind that is not read.
    MissingExtraError
        It needs imagecodecs.
    """
    if int(page.compression) in JPEG:
        try:
            return _by_pillow(page, number, data)
        except Exception as error:  # on what it does not know Pillow raises nearly every kind there is
            if find_spec("imagecodecs") is None:
                raise _damaged(page, name, error) from error
    if find_spec("imagecodecs") is None:
        raise MissingExtraError(
            f"{name} is compressed with {_compression(page)}, which needs imagecodecs: pip install "
            "'spnrefine[codecs]', or save it with deflate or without compression."
        )
    try:
        pixels = page.asarray(maxworkers=1)
    except Exception as error:  # each codec has errors of its own
        raise _damaged(page, name, error) from error
    if int(page.planarconfig) != 1 and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, 2)
    return np.ascontiguousarray(pixels).reshape(page.imagelength, page.imagewidth, -1)


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn whatever a damaged TIFF makes of code that trusts its tags into FileError."""
    try:
        yield
    except (SpnRefineError, MemoryError):
        raise
    except Exception as error:
        raise FileError(f"{name} is a damaged TIFF ({told(error)}): export or copy it again.") from error


def told(error: Exception) -> str:
    """Return what an error says, or of which kind it is."""
    return str(error) or type(error).__name__


def _by_pillow(page: Any, number: int, data: bytes) -> np.ndarray:
    image = opening.open_image(data)
    image.seek(number)
    orientation = image.getexif().get(_ORIENTATION, 1)
    image.load()
    turned = image.getexif().get(_ORIENTATION, 1) != orientation
    pixels = np.asarray(image)
    pixels = np.ascontiguousarray(turn_back(pixels, orientation) if turned else pixels)
    if int(page.photometric) == _WHITE_IS_ZERO:  # Pillow has turned it into brightness
        pixels = 255 - pixels
    return pixels.reshape(page.imagelength, page.imagewidth, -1)


def _damaged(page: Any, name: str, error: Exception) -> FileError:
    return FileError(
        f"{name} is damaged, or has a kind of {_compression(page)} that is not read ({told(error)}): export it again, "
        "with deflate or without compression."
    )


def _compression(page: Any) -> str:
    return getattr(page.compression, "name", f"the unknown compression {int(page.compression)}")
