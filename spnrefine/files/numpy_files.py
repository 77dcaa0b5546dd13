"""Masks in NumPy's files: NPY, and NPZ with one array that is the mask."""

import io
import math
import zipfile
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.limits import CURE, MEGA, check_pixels, max_array_bytes, max_values

FORMATS = ("NPY", "NPZ")
KEYS = ("mask", "masks", "labels", "probability", "arr_0")
"""The names by which an NPZ's mask is known where it holds several arrays, the first that is there."""

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_UNPICKLED = (
    "save the mask alone, for cellpose as numpy.save('mask.npy', numpy.load(file, allow_pickle=True).item()['masks'])"
)
_NPY_MAGIC, _ZIP_MAGIC = b"\x93NUMPY", b"PK\x03\x04"


@dataclass(frozen=True, eq=False)
class Stored:
    """A file's mask: ``pixels`` (H, W), or (K, H, W) for a stack of planes, and ``array`` as stored.

    ``array`` may have axes of length 1 before ``pixels``' own, or be (H, W, 1).

    Of an NPZ: the ``key`` of the mask, ``others``, the arrays beside it, and whether they are ``compressed``.
    """

    format: str
    array: np.ndarray
    pixels: np.ndarray
    key: str = "mask"
    others: dict[str, np.ndarray] = field(default_factory=dict)
    compressed: bool = True


def is_array(data: bytes) -> bool:
    """Whether a file's bytes begin as NPY or NPZ do."""
    return data.startswith((_NPY_MAGIC, _ZIP_MAGIC))


def read(data: bytes, name: str) -> Stored:
    """Read a mask; FileError when the bytes hold none, or more than `limits` allow, which headers tell beforehand."""
    is_npz = data.startswith(_ZIP_MAGIC)
    try:
        (_check_archive if is_npz else _check_array)(data, name)
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        arrays = {key: loaded[key] for key in loaded.files} if is_npz else {"": loaded}
    except (FileError, MemoryError):
        raise
    except Exception as error:  # ValueError, EOFError, SyntaxError, BadZipFile: all say that the bytes are no array
        raise FileError(f"{name} is no whole NumPy array ({error}): save it again with numpy.save.") from error
    if not is_npz:
        return Stored("NPY", loaded, _pixels(loaded, name))
    key = next((key for key in KEYS if key in arrays), next(iter(arrays), "")) if arrays else ""
    if not arrays or (len(arrays) > 1 and key not in KEYS):
        held = ", ".join(arrays) or "no array"
        raise FileError(f"{name} holds {held}: name the array that is the mask {KEYS[0]!r}.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    array = arrays.pop(key)
    return Stored("NPZ", array, _pixels(array, name), key, arrays, compressed)


def write(array: np.ndarray, format: str, stored: Stored | None) -> bytes:
    """Encode a mask as NPY, or as NPZ among the arrays that ``stored`` had beside it, in its byte order."""
    if stored is not None and array.dtype == stored.array.dtype.newbyteorder("="):
        array = array.astype(stored.array.dtype)
    buffer = io.BytesIO()
    if format == "NPY":
        np.save(buffer, array, allow_pickle=False)
    else:
        stored = stored or Stored(format, array, array)
        save = np.savez_compressed if stored.compressed else np.savez
        save(buffer, **{stored.key: array}, **stored.others)  # type: ignore[arg-type]  # only arrays
    return buffer.getvalue()


def _check_array(data: bytes, name: str) -> None:
    file = io.BytesIO(data)
    size = _stated_bytes(file, name)
    if size > len(data) - file.tell():
        raise FileError(f"{name} is no whole NumPy array (its end is missing): save or copy it again.")


def _check_archive(data: bytes, name: str) -> None:
    total = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.compress_type not in _COMPRESSIONS or not entry.filename.endswith(".npy"):
                raise FileError(f"{name} holds {entry.filename!r}, which NumPy has not written: save it again.")
            with archive.open(entry) as file:
                total += _stated_bytes(file, name)
            _check_total(total, name)


def _stated_bytes(file: IO[bytes], name: str) -> int:
    """Return how many bytes an array has by its header, which is read, and refuse one with too many numbers.

    Whatever the header of version 3.0 has beyond that of 2.0, the names of fields in UTF-8, no mask has.
    """
    read = np.lib.format.read_array_header_1_0
    if np.lib.format.read_magic(file) != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:  # they are pickled, in fewer or more bytes than the header states
        raise FileError(f"{name} holds pickled objects, as cellpose's _seg.npy does: {_UNPICKLED}.")
    if math.prod(shape) > max_values():
        most = f"at most {max_values() / MEGA:g} million values are read"
        raise FileError(f"{name} holds an array of shape {shape}, and {most}: {CURE}.")
    sides = [side for side in shape if side != 1]
    if len(sides) > 1:
        check_pixels(sides[-1], sides[-2], name)
    size = math.prod(shape) * dtype.itemsize
    _check_total(size, name)
    return size


def _check_total(size: int, name: str) -> None:
    if size > max_array_bytes():
        most = f"at most {max_array_bytes() / MEGA:g} MB are read"
        raise FileError(f"{name} holds arrays of {size / MEGA:.0f} MB or more, and {most}: {CURE}.")


def _pixels(array: np.ndarray, name: str) -> np.ndarray:
    pixels = array
    while pixels.ndim > 2 and len(pixels) == 1:
        pixels = pixels[0]
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or pixels.size == 0 or pixels.dtype.kind not in "biuf":
        given = f"{array.dtype.name} of shape {array.shape}"
        raise FileError(
            f"{name} holds {given}: give a mask as bools, integers or floats of shape (height, width), or a stack of "
            "them of shape (planes, height, width)."
        )
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))
