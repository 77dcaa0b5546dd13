"""Bytes into a picture: one door through which every untrusted file passes, with one kind of error."""

import io
import os
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files import foreign, formats
from spnrefine.files.limits import Content, check_bytes, check_pixels, max_bytes
from spnrefine.files.regular import is_file

Source = Path | bytes

_ORIENTATION_TAG = 0x0112
_LARGE = 1 << 20  # bytes of files that are not read on where their first ones tell no format
# Pillow's pixel limit and Python's warning filters belong to the process; threads take turns at changing them.
_pillow = threading.Lock()


class Named(bytes):
    """Bytes that have a name of their own, by which errors call them."""

    name: str

    def __new__(cls, data: bytes, name: str) -> "Named":
        """Take the bytes, and the name."""
        named = super().__new__(cls, data)
        named.name = name
        return named


@dataclass(frozen=True)
class Picture:
    """A decoded first frame, as Pillow holds it, not turned upright unless its format's reader did so."""

    image: Image.Image
    format: str
    orientation: int  # EXIF, of the stored pixels, 1..8
    pending: int  # EXIF, that still has to be applied to ``image``

    @property
    def has_frames(self) -> bool:
        """Whether there are frames behind the first; one is looked for, whatever their number."""
        return bool(getattr(self.image, "is_animated", False))


def describe(source: Source) -> str:
    """Name a source in an error."""
    return getattr(source, "name", "standard input") if isinstance(source, bytes) else str(source)


def read_bytes(source: Source, content: Content = Content.PICTURE) -> bytes:
    """Read all bytes of a source.

    Raises
    ------
    FileError
        There are none to be had, more than its ``kind`` may have, or a large file begins as none of this kind does.
    """
    name = describe(source)
    if isinstance(source, bytes):
        check_bytes(len(source), content, name)
        data = source
    else:
        try:
            data = _read_file(Path(source), content, name)
        except FileNotFoundError as error:
            raise FileError(f"{name} does not exist: check the path.") from error
        except IsADirectoryError as error:
            raise FileError(f"{name} is a folder: give a file, or use 'spnrefine batch' for folders.") from error
        except FileError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a path with a null byte
            reason = getattr(error, "strerror", None) or str(error)
            raise FileError(f"{name} cannot be read ({reason}): check the path and its permissions.") from error
    if not data:
        hint = "pipe a file into it" if name == "standard input" else "make or copy it again"
        raise FileError(f"{name} is empty (0 bytes): {hint}.")
    return data


def _read_file(path: Path, content: Content, name: str) -> bytes:
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise FileError(f"{name} is a device: give a file.")
        check_bytes(status.st_size, content, name)
        start = file.read(foreign.LONGEST_START)
        if content is Content.PICTURE and status.st_size > _LARGE and not formats.may_be_read(start):
            raise _unknown(start, name)
        pieces = [start]
        left = max_bytes(content) + 1 - len(start)
        while left > 0 and pieces[-1]:  # a pipe has no size, and a file can grow
            pieces.append(file.read(min(left, max(status.st_size, _LARGE))))
            left -= len(pieces[-1])
        if left <= 0:
            check_bytes(max_bytes(content) + 1, content, name)
    return b"".join(pieces)


def count_pixels(source: Source) -> int:
    """Count the pixels of a picture by its header alone; 0 where that says nothing, which `decode` then explains."""
    if isinstance(source, Path) and not is_file(source):  # a pipe would be waited for
        return 0
    try:
        with _open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            return image.width * image.height
    except Exception:  # as in decode
        return 0


def decode(data: bytes, name: str) -> Picture:
    """Decode the first frame of a picture in one of the formats of `formats.PICTURES`.

    Raises
    ------
    FileError
        For anything that is not a whole picture of these formats, of at most `limits.max_pixels` pixels.
    """
    try:
        foreign.prepare(data, name, check_pixels)
        image = open_image(data)
        check_pixels(*image.size, name)
        if not _is_whole(data, image.format):
            raise FileError(f"{name} is cut short (its end is missing): export or copy it again.")
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)  # decodes a PNG, which may have it behind the pixels
        image.load()
        pending = image.getexif().get(_ORIENTATION_TAG, 1)  # 1 where the reader has turned it (TIFF)
        return Picture(image, image.format or "", orientation, pending)
    except (FileError, MissingExtraError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise _unknown(data, name) from error
    except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
        foreign.refuse(data, name)  # of some formats Pillow knows the mark alone
        raise damaged(name, error) from error


def damaged(what: str, error: Exception) -> FileError:
    """Say that a picture, or a page of one, could not be decoded."""
    return FileError(f"{what} is damaged or cut short ({error}): export or copy it again.")


def _unknown(start: bytes, name: str) -> FileError:
    """Say that a file is no picture that is opened, and what it is, if it is one of the others that Pillow knows."""
    foreign.refuse(start, name)
    found = formats.name_of(start)
    if found is None or found.partition(" ")[0] in formats.PICTURES:
        return FileError(f"{name} is not a whole picture that can be read: give a {formats.NAMED}.")
    return FileError(f"{name} is of the format {found}, which is not opened: give a {formats.NAMED}.")


def open_image(data: bytes) -> Image.Image:
    """Read the header of a picture with Pillow, whatever size it says; its pixels are not decoded yet."""
    return _open(io.BytesIO(data))


def _open(file: io.BytesIO | Path) -> Image.Image:
    """Read the header alone; the pixels are decoded outside the lock, in several threads side by side."""
    known = formats.openable()
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=known)
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
