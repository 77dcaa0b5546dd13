"""The formats of pictures that are opened, wherever a picture may come from, and their extensions.

Pillow reads three times as many, some of which start other programs (EPS) or are hardly ever tried: a stranger's file
must not choose among them.
"""

from contextlib import suppress
from functools import cache
from importlib import import_module

from PIL import Image

PICTURES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "GIF": (".gif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf"),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif"),
    "JXL": (".jxl",),
}
"""What Pillow calls each format, and the extensions that its files have, in lower case.

Its readers of the last two are packages of their own, which the extras heif and jxl bring.
"""

NAMED = "JPEG, PNG, TIFF, BMP or WebP"
"""The formats named to users; the others of `PICTURES` are rare."""

NOT_OPENED = (".tga",)
"""Extensions of photographs all the same, so that a folder of them is told what they are."""

PHOTOGRAPHS = (
    *(".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(".gif", ".avif", ".jp2", ".j2k", ".jpx", ".jpf", ".jfif", ".jpe", ".heic", ".heif", ".jxl", *NOT_OPENED),
)
"""The extensions of photographs, in the order in which they are tried where only a stem is known."""
MASKS = (*PHOTOGRAPHS, ".npy", ".npz")
"""The extensions of masks and label maps."""

_PLUGINS = {format: f"{format.capitalize()}ImagePlugin" for format in PICTURES} | {
    "JPEG2000": "Jpeg2KImagePlugin",
    "WEBP": "WebPImagePlugin",
}
_MAGICS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II", b"MM", b"P"),
    *(b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP", b"\xff\x0a", b"\0\0\0\x0cJXL "),
    *(b"\x93NUMPY", b"PK\x03\x04"),
)


def openable() -> tuple[str, ...]:
    """List the formats of `PICTURES` that Pillow has a reader for."""
    _load_readers()
    return tuple(format for format in PICTURES if format in Image.OPEN)


@cache
def _load_readers() -> None:
    for plugin in _PLUGINS.values():
        with suppress(ImportError):  # a Pillow that is older than the format
            import_module(f"PIL.{plugin}")


def may_be_read(start: bytes) -> bool:
    """Tell by its first 16 bytes whether a file may be a picture or an array that is read; without opening it."""
    return start.startswith(_MAGICS) or start[8:12] == b"WEBP" or start[4:8] == b"ftyp"


def name_of(start: bytes) -> str | None:
    """Name the format of a file that Pillow could open, by its first 16 bytes alone; None where it knows none."""
    Image.init()
    for format in Image.ID:
        factory, accepts = Image.OPEN[format]
        try:
            if accepts is not None and accepts(start) is True:
                return f"{format} ({getattr(factory, 'format_description', None) or format})"
        except Exception:  # too short for this one
            continue
    return None


def is_tiff(data: bytes) -> bool:
    """Whether a file's bytes begin as those of a TIFF or BigTIFF."""
    return data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
