"""A mask in every kind of file, made in memory."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.files.making import SHAPE, encode, inside, npy, open_bytes, palette_image

COARSE, REFINED = inside(), inside(1)
HALF = np.where(COARSE, 200, 30).astype(np.uint8)
RGB = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


def values(two: tuple[float, float], dtype: str, where: np.ndarray = COARSE) -> np.ndarray:
    return np.where(where, two[1], two[0]).astype(dtype)


def gray(where: np.ndarray, top: int = 255) -> np.ndarray:
    return values((0, top), "uint8", where)


# name: (make the file of a mask from where the object is, kind, format)
FILES = {
    "1-bit PNG": (lambda at: encode(Image.fromarray(at), "PNG"), "binary", "PNG"),
    "1-bit TIFF": (lambda at: encode(Image.fromarray(at), "TIFF", compression="group4"), "binary", "TIFF"),
    "1-bit BMP": (lambda at: encode(Image.fromarray(at), "BMP"), "binary", "BMP"),
    "gray PNG": (lambda at: encode(Image.fromarray(gray(at)), "PNG"), "binary", "PNG"),
    "gray PNG of 0 and 1": (lambda at: encode(Image.fromarray(gray(at, 1)), "PNG"), "binary", "PNG"),
    "gray TIFF": (lambda at: encode(Image.fromarray(gray(at)), "TIFF", compression="tiff_lzw"), "binary", "TIFF"),
    "gray BMP": (lambda at: encode(Image.fromarray(gray(at)), "BMP"), "binary", "BMP"),
    "WebP": (lambda at: encode(Image.fromarray(gray(at)), "WEBP", lossless=True), "binary", "WEBP"),
    "RGB PNG": (lambda at: encode(Image.fromarray(np.dstack([gray(at)] * 3)), "PNG"), "binary", "PNG"),
    "RGBA PNG": (lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "PNG"), "binary", "PNG"),
    "RGBA TIFF": (lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "TIFF"), "binary", "TIFF"),
    "RGBA WebP": (
        lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "WEBP", lossless=True, exact=True),
        "binary",
        "WEBP",
    ),
    "opaque RGBA PNG": (
        lambda at: encode(Image.fromarray(np.dstack([gray(at)] * 3 + [gray(at | True)])), "PNG"),
        "binary",
        "PNG",
    ),
    "gray and alpha PNG": (
        lambda at: encode(Image.fromarray(np.dstack([RGB[..., 0], gray(at)])), "PNG"),
        "binary",
        "PNG",
    ),
    "palette PNG": (lambda at: encode(palette_image(gray(at, 7)), "PNG"), "labels", "PNG"),
    "palette PNG of 4 colours": (lambda at: encode(palette_image(gray(at, 3), 4), "PNG"), "labels", "PNG"),
    "palette TIFF": (lambda at: encode(palette_image(gray(at, 7)), "TIFF"), "labels", "TIFF"),
    "palette BMP": (lambda at: encode(palette_image(gray(at, 7)), "BMP"), "labels", "BMP"),
    "16-bit PNG": (lambda at: encode(Image.fromarray(values((0, 26001), "uint16", at)), "PNG"), "labels", "PNG"),
    "16-bit TIFF": (lambda at: encode(Image.fromarray(values((0, 300), "uint16", at)), "TIFF"), "labels", "TIFF"),
    "32-bit TIFF": (lambda at: encode(Image.fromarray(values((0, 70000), "int32", at)), "TIFF"), "labels", "TIFF"),
    "float TIFF": (lambda at: encode(Image.fromarray(at.astype(np.float32)), "TIFF"), "binary", "TIFF"),
    "bool NPY": (lambda at: npy(at), "binary", "NPY"),
    "8-bit NPY": (lambda at: npy(gray(at)), "binary", "NPY"),
    "16-bit NPY": (lambda at: npy(values((0, 9), "uint16", at)), "labels", "NPY"),
    "64-bit NPY": (lambda at: npy(values((0, 2**40), "int64", at)), "labels", "NPY"),
    "half NPY": (lambda at: npy(at.astype(np.float16)), "binary", "NPY"),
    "double NPY, one channel": (lambda at: npy(at.astype(np.float64)[None]), "binary", "NPY"),
    "big-endian NPY": (lambda at: npy(at.astype(">f4")[..., None]), "binary", "NPY"),
}
EACH = pytest.mark.parametrize(("make", "kind", "format"), FILES.values(), ids=FILES.keys())


def pixels_of(data: bytes) -> np.ndarray:
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data))
    return np.asarray(open_bytes(data))
