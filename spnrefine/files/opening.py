"""Bytes into a picture: one door through which every untrusted file passes, with one kind of error."""

import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files import foreign

Source = Path | bytes

MAX_PIXELS = 250_000_000
"""Larger pictures are refused: 200-megapixel cameras pass, a bomb does not."""

FORMATS = "JPEG, PNG, TIFF, BMP or WebP"
"""The formats named to users; whatever else Pillow reads is read as well."""

_ORIENTATION_TAG = 0x0112
# Pillow's pixel limit and Python's warning filters belong to the process; threads take turns at changing them.
_pillow = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A decoded first frame, as Pillow holds it, not turned upright unless its format's reader did so."""

    image: Image.Image
    format: str
    orientation: int  # EXIF, of the stored pixels, 1..8
    pending: int  # EXIF, that still has to be applied to ``image``
    frames: int


def describe(source: Source) -> str:
    """Name a source in an error."""
    return "standard input" if isinstance(source, bytes) else str(source)


def read_bytes(source: Source) -> bytes:
    """Read all bytes of a source; FileError when there are none to be had."""
    name = describe(source)
    if isinstance(source, bytes):
        data = source
    else:
        try:
            data = Path(source).read_bytes()
        except FileNotFoundError as error:
            raise FileError(f"{name} does not exist: check the path.") from error
        except IsADirectoryError as error:
            raise FileError(f"{name} is a folder: give a file, or use 'spnrefine batch' for folders.") from error
        except (OSError, ValueError) as error:  # ValueError: a path with a null byte
            reason = getattr(error, "strerror", None) or str(error)
            raise FileError(f"{name} cannot be read ({reason}): check the path and its permissions.") from error
    if not data:
        hint = "pipe a file into it" if isinstance(source, bytes) else "make or copy it again"
        raise FileError(f"{name} is empty (0 bytes): {hint}.")
    return data


def decode(data: bytes, name: str) -> Picture:
    """Decode the first frame of a picture in any format Pillow reads.

    Raises
    ------
    FileError
        For anything that is not a whole picture of at most `MAX_PIXELS` pixels.
    """
    try:
        foreign.prepare(data, name, check_pixels)
        image, orientation = _open(data)
        check_pixels(*image.size, name)
        if not _is_whole(data, image.format):
            raise FileError(f"{name} is cut short (its end is missing): export or copy it again.")
        image.load()
        pending = image.getexif().get(_ORIENTATION_TAG, 1)  # 1 where the reader has turned it (TIFF)
        return Picture(image, image.format or "", orientation, pending, getattr(image, "n_frames", 1))
    except (FileError, MissingExtraError):
        raise
    except UnidentifiedImageError as error:
        foreign.refuse(data, name)
        raise FileError(f"{name} is not a whole picture that can be read: give a {FORMATS}.") from error
    except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
        foreign.refuse(data, name)  # of some formats Pillow knows the mark alone
        raise FileError(f"{name} is damaged or cut short ({error}): export or copy it again.") from error


def check_pixels(width: int, height: int, name: str) -> None:
    """Refuse a picture of more than `MAX_PIXELS` pixels, by what its header says."""
    if width * height > MAX_PIXELS:
        most = f"at most {MAX_PIXELS // 10**6} million are read, so make it smaller"
        raise FileError(f"{name} has {width} x {height} pixels: {most}.")


def open_image(data: bytes) -> Image.Image:
    """Read the header of a picture with Pillow, whatever size it says; its pixels are not decoded yet."""
    return _open(data)[0]


def _open(data: bytes) -> tuple[Image.Image, int]:
    """Read the header alone; the pixels are decoded outside the lock, in several threads side by side."""
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(io.BytesIO(data))
            return image, image.getexif().get(_ORIENTATION_TAG, 1)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _is_whole(data: bytes, format: str | None) -> bool:
    """Look for the end mark where Pillow does without it; bytes that follow the end are no fault."""
    if format == "PNG":
        return b"\0\0\0\0IEND\xaeB`\x82" in data
    if format in ("JPEG", "MPO"):
        position = 2
        while data[position : position + 1] == b"\xff" and data[position : position + 2] != b"\xff\xda":
            # past fill bytes and whole segments, up to the first scan: a preview in a segment has an end of its own
            filled = data[position : position + 2] == b"\xff\xff"
            position += 1 if filled else 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        return data.find(b"\xff\xd9", position) >= 0
    return True
