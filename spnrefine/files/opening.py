"""Bytes into a picture: one door through which every untrusted file passes, with one kind of error."""

import io
import os
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from spnrefine.errors import FileError
from spnrefine.files import formats
from spnrefine.files.limits import MAX_PAGES, Content, check_bytes, check_pixels, max_bytes

Source = Path | bytes

_ORIENTATION_TAG = 0x0112
_START, _LARGE = 16, 1 << 20  # bytes that tell a format, and of files that are not read on where these tell none
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Pillow's pixel limit and Python's warning filters belong to the process; threads take turns at changing them.
_pillow = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A decoded first frame, as Pillow holds it, not turned upright unless its format's reader did so."""

    image: Image.Image
    format: str
    orientation: int  # EXIF, of the stored pixels, 1..8
    pending: int  # EXIF, that still has to be applied to ``image``

    def count_frames(self, name: str) -> int:
        """Count the frames or pages, up to one more than `MAX_PAGES`, as each has to be looked for.

        Raises
        ------
        FileError
            A page's header is damaged.
        """
        number = 0
        try:
            if self.format != "TIFF":  # none of these holds a stack: that there are several is all that matters
                return 2 if getattr(self.image, "is_animated", False) else 1
            for number in range(1, MAX_PAGES + 1):
                self.image.seek(number)
            return MAX_PAGES + 1
        except EOFError:
            return number
        except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
            raise damaged(name, error) from error
        finally:
            self.image.seek(0)


def describe(source: Source) -> str:
    """Name a source in an error."""
    return "standard input" if isinstance(source, bytes) else str(source)


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
        hint = "pipe a file into it" if isinstance(source, bytes) else "make or copy it again"
        raise FileError(f"{name} is empty (0 bytes): {hint}.")
    return data


def _read_file(path: Path, content: Content, name: str) -> bytes:
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise FileError(f"{name} is a device: give a file.")
        check_bytes(status.st_size, content, name)
        start = file.read(_START)
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
        image = _open(io.BytesIO(data))
        check_pixels(*image.size, name)
        if not _is_whole(data, image.format):
            raise FileError(f"{name} is cut short (its end is missing): export or copy it again.")
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)  # decodes a PNG, which may have it behind the pixels
        image.load()
        pending = image.getexif().get(_ORIENTATION_TAG, 1)  # 1 where the reader has turned it (TIFF)
        return Picture(image, image.format or "", orientation, pending)
    except (FileError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        if data.startswith(_TIFF_MAGICS):
            kinds = "8 or 16 bits, or with floats of 32 bits"
            raise FileError(
                f"{name} is a damaged TIFF, or of a kind that is not read: save it with {kinds}."
            ) from error
        raise _unknown(data, name) from error
    except Exception as error:  # on bad bytes Pillow's readers raise nearly every kind there is
        raise damaged(name, error) from error


def damaged(what: str, error: Exception) -> FileError:
    """Say that a picture, or a page of one, could not be decoded."""
    return FileError(f"{what} is damaged or cut short ({error}): export or copy it again.")


def _unknown(start: bytes, name: str) -> FileError:
    """Say that a file is no picture that is opened, and what it is, if it is one of the others that Pillow knows."""
    found = formats.name_of(start[:_START])
    if found is None or found.partition(" ")[0] in formats.PICTURES:
        return FileError(f"{name} is not a whole picture that can be read: give a {formats.NAMED}.")
    return FileError(f"{name} is of the format {found}, which is not opened: give a {formats.NAMED}.")


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
