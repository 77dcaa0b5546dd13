"""Files that are read with an extra alone, or not at all: named as what they are, with the way out."""

import importlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files.jpegxl import is_jpegxl, size_of

LONGEST_START = 352
"""Bytes by which all of these are known: NIfTI has its mark at their end."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True)
class _Foreign:
    """``what`` a file is, after "is"; how one knows, and ``advice``, what to do with it."""

    what: str
    is_one: Callable[[bytes], bool]
    advice: str


def _starts(*marks: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda data: data[at:].startswith(marks)


def _is_nifti(data: bytes) -> bool:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data[:4096], LONGEST_START)
        except zlib.error:
            return False
    return data[344:348] in (b"n+1\0", b"ni1\0")


_SLICE = "save the slice as PNG or TIFF"
_NOT_READ = (
    _Foreign("a DICOM file", _starts(b"DICM", at=128), f"{_SLICE}, for instance with pydicom"),
    _Foreign("a NIfTI volume", _is_nifti, f"{_SLICE}, or the volume as TIFF, for instance with nibabel"),
    _Foreign("an NRRD volume", _starts(b"NRRD0"), f"{_SLICE}, or the volume as TIFF, for instance with SimpleITK"),
    _Foreign(
        "a MetaImage volume",
        _starts(b"ObjectType = Image", b"NDims = "),
        f"{_SLICE}, or the volume as TIFF, for instance with SimpleITK",
    ),
    _Foreign(
        "an HDF5 file",
        _starts(b"\x89HDF\r\n\x1a\n"),
        "save its array with numpy.save, for instance with h5py",
    ),
    _Foreign(
        "a picture in LERC", _starts(b"Lerc2 ", b"CntZImage "), "save it as TIFF, for instance with imagecodecs or GDAL"
    ),
    _Foreign("a picture in JPEG XR", _starts(b"II\xbc"), "save it as PNG or TIFF"),
    _Foreign("an OpenEXR picture", _starts(b"v/1\x01"), "save it as TIFF"),
    _Foreign(
        "a camera's raw picture",
        lambda data: data.startswith((b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\0")) or data[4:12] == b"ftypcrx ",
        "develop it into a JPEG or TIFF",
    ),
    _Foreign("a MATLAB file", _starts(b"MATLAB 5.0 MAT"), "save its array with numpy.save, for instance with SciPy"),
    _Foreign(
        "a pickled Python object",
        _starts(b"\x80\x04\x95", b"\x80\x05\x95"),
        "save its array with numpy.save",
    ),
)


def is_heif(data: bytes) -> bool:
    """Whether a file's bytes begin as HEIC and HEIF do; AVIF, of the same family, is no such file."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avi" not in data[8:40]


def prepare(data: bytes, name: str, check_pixels: Callable[[int, int, str], None]) -> None:
    """Have Pillow learn a format that an extra brings, if this is one; ``check_pixels`` refuses pictures too large.

    Raises
    ------
    MissingExtraError
        The extra is not installed.
    FileError
        The picture is too large, or its header damaged.
    """
    if is_heif(data):
        if find_spec("pillow_heif") is None:
            raise MissingExtraError(
                f"{name} is in HEIC, which needs pillow-heif: pip install 'spnrefine[heif]', or export it as PNG."
            )
        importlib.import_module("pillow_heif").register_heif_opener()
    elif is_jpegxl(data):
        if find_spec("pillow_jxl") is None:
            raise MissingExtraError(
                f"{name} is in JPEG XL, which needs pillow-jxl-plugin: pip install 'spnrefine[jxl]', or save it as PNG."
            )
        size = size_of(data)
        if size is None:
            raise FileError(f"{name} is a damaged JPEG XL picture: export or copy it again.")
        check_pixels(*size, name)  # opening it decodes it
        importlib.import_module("pillow_jxl")


def refuse(data: bytes, name: str) -> None:
    """Raise FileError that names what a file is, if it is one of those known that are not read."""
    found = next((foreign for foreign in _NOT_READ if foreign.is_one(data)), None)
    if found is not None:
        raise FileError(f"{name} is {found.what}, which is not read: {found.advice}.")
