"""Stacks whose planes each are a mask of their own: of the pages of a photograph, or of ids."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spnrefine.files.masks import Mask, written
from spnrefine.files.rasters import Raster, encode_like, format_named


def planes(raster: Raster) -> list[Raster]:
    """Take a stack apart: each plane as a raster of one channel."""
    return [
        replace(raster, pixels=np.ascontiguousarray(raster.pixels[..., [n]]), data=None, npy_shape=None, is_stack=False)
        for n in range(raster.pixels.shape[2])
    ]


def of_planes(raster: Raster, pages: Sequence[Mask]) -> Mask:
    """Put the masks of a stack's planes together: a mask that is the first of them, and has them as its ``pages``."""
    return replace(pages[0], raster=raster, pages=tuple(pages))


def encode_volume(
    mask: Mask, refined: Sequence[np.ndarray], *, soft: bool = False, threshold: float = 0.5, format: str | None = None
) -> bytes:
    """Encode the refined planes as the stack was encoded; each as `spnrefine.files.masks.encode_mask` takes it.

    Raises
    ------
    ShapeError
        One differs in size from its coarse plane.
    FileError
        The format cannot hold the stack.
    """
    format = mask.format if format is None else format_named(format)
    found = [
        written(page, plane, format, soft=soft, threshold=threshold)
        for page, plane in zip(mask.pages, refined, strict=True)
    ]
    pixels = np.concatenate([raster.pixels for raster in found], axis=2)
    shape = mask.raster.npy_shape if pixels.shape == mask.raster.pixels.shape else None
    raster = replace(found[0], pixels=pixels, data=None, npy_shape=shape, is_stack=True, form=mask.raster.form)
    return encode_like(mask.raster, raster, format)
