"""One refinement from files to a file: read, refine, encode, write, and a record of it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError
from spnrefine.files import levels, masks, sizes
from spnrefine.files.images import Photograph, read_photograph
from spnrefine.files.masks import Mask
from spnrefine.files.opening import Source, describe
from spnrefine.job.record import Record
from spnrefine.job.single import refine_single
from spnrefine.job.stack import refine_stack
from spnrefine.job.types import Loaded, MakesMasks, Refined, Settings
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.panorama import Wrapped


def load(image: Source, mask: Source | None, settings: Settings, maker: MakesMasks | None = None) -> Loaded:
    """Read a photograph and its mask, or make one.

    Raises
    ------
    FileError
        One of them cannot be read.
    ShapeError
        They differ in size, and ``settings.resize_mask`` is off or cannot be done.
    """
    photograph = read_photograph(image)
    if mask is None:
        assert maker is not None
        made = maker(photograph.pixels)
        return Loaded(photograph.pixels, made.mask, made)
    return load_for(photograph, mask, settings, image)


def load_for(photograph: Photograph, mask: Source, settings: Settings, image: Source) -> Loaded:
    """Read the mask of a photograph that was read from ``image``; errors as in :func:`load`."""
    return Loaded(photograph.pixels, _read_mask(mask, photograph, image, settings))


def load_again(image: Source, mask: Source, refined: Source, settings: Settings) -> tuple[Loaded, Refined]:
    """Read a photograph, its mask, and the refined mask that was made of them; errors as in :func:`load`."""
    photograph = read_photograph(image)
    before = _read_mask(mask, photograph, image, settings)
    if before.kind == "probability" and settings.labels is None:  # so is what was made of it, whatever it looks like
        settings = replace(settings, labels=False)
    after = _read_mask(refined, photograph, image, settings)
    hard = [_hard(found, settings.threshold) for found in (before, after)]
    return Loaded(photograph.pixels, before), Refined(after.probability, *hard)


def _read_mask(mask: Source, photograph: Photograph, image: Source, settings: Settings) -> Mask:
    coarse = sizes.align(masks.read_mask(mask, labels=settings.labels, void=settings.void), photograph)
    size = photograph.pixels.shape[:2]
    shape = coarse.raster.npy_shape
    if coarse.stack is not None and shape is not None and shape[-3:-1] == size != coarse.shape:
        raise ShapeError(f"{describe(mask)} has shape {shape}: expected its planes first, (K, {size[0]}, {size[1]}).")
    return sizes.fit(coarse, size, settings.resize_mask, name=describe(mask), photograph=describe(image))


def _hard(mask: Mask, threshold: float) -> NDArray:
    if mask.stack is not None:
        return mask.stack.ids(threshold)
    return mask.probability > threshold if mask.labels is None else mask.labels


def refine(loaded: Loaded, refiner: RefinesMasks | None, settings: Settings, record: Record) -> Refined:
    """Refine a loaded mask, or stack of masks, and say in ``record`` what became of it."""
    if settings.wrap and refiner is not None:
        refiner = Wrapped(refiner, loaded.image.shape[1])
    if loaded.mask.stack is not None and refiner is not None:
        refined = refine_stack(loaded.image, loaded.mask.stack, refiner, settings, record)
    else:
        refined = refine_single(loaded, refiner, settings, record)
    if loaded.made is not None and record.status == "refined":
        record.status = "made"
    record.notes += loaded.mask.notes
    if record.status == "empty" and loaded.made is None:
        record.notes.append(_held(loaded.mask))
    if not loaded.mask.keeps_format:
        record.notes.append(_other_format(loaded.mask.raster.format))
    return refined


def _held(mask: Mask) -> str:
    """Say what an empty mask holds: where that is not 0 alone, it may have been meant otherwise."""
    if mask.stack is not None or mask.labels is not None or mask.colours is not None:
        return "it holds no object"
    held = np.unique(mask.raster.pixels[..., mask.channels.start])
    if not held.any():
        return "all its values are 0"
    if held.dtype.kind == "f":
        return f"its values are {held[0]:g} to {held[-1]:g}, none above 0.1"
    values = levels.in_words({int(value) for value in held})
    if mask.kind != "probability":
        return f"its values are {values}, of which none is an object"
    return f"its values are {values}, none above a tenth of {mask.foreground}: --labels takes them for ids"


def _other_format(format: str) -> str:
    if format in ("JPEG", "MPO"):
        return f"a lossy {format} file was read; what is written is lossless"
    return f"a {format} file was read; what is written is not, as masks are not written so"


def encode(loaded: Loaded, refined: Refined, settings: Settings, format: str | None = None) -> bytes:
    """Encode a refined mask as the coarse one was encoded."""
    wanted = refined.probability if settings.soft and loaded.mask.labels is None else refined.after
    return masks.encode_mask(
        loaded.mask,
        wanted if refined.planes is None else refined.planes,
        soft=settings.soft,
        threshold=settings.threshold,
        format=format,
    )


def note(record: Record, loaded: Loaded) -> str | None:
    """Say what a user would otherwise wonder about, or None."""
    if record.status == "empty" and loaded.made is not None:
        return f"{record.image}: no clear object was found; the mask is empty."
    if record.status in ("empty", "full"):
        notes = "".join(f"; {note}" for note in record.notes)
        return f"{record.mask}: the mask is {record.status}{notes}; it is returned unchanged."
    worth = record.status == "kept" or record.changes_topology or not loaded.mask.keeps_format
    if record.notes and (worth or loaded.mask.notes):
        return f"{record.mask}: {'; '.join(record.notes)}."
    return None
