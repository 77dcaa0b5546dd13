"""One refinement from files to a file: read, refine, encode, write, and a record of it."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError, ShapeError
from spnrefine.files import cutouts, levels, masks, sizes, volumes
from spnrefine.files.images import Photograph, Photographs
from spnrefine.files.masks import Mask
from spnrefine.files.opening import Source, describe
from spnrefine.files.packed import compact, keep_as_bits
from spnrefine.files.rasters import Raster, read_raster
from spnrefine.job.mattes import make_matte
from spnrefine.job.record import Record, say_used
from spnrefine.job.single import refine_single
from spnrefine.job.stack import refine_stack
from spnrefine.job.types import Loaded, MakesMasks, MakesMattes, Refined, Settings
from spnrefine.job.volume import is_volume, refine_volume
from spnrefine.model.protocols import Image, RefinesMasks
from spnrefine.refiner.foreground import foreground
from spnrefine.refiner.noting import Used, listening
from spnrefine.refiner.panorama import Wrapped
from spnrefine.refiner.temperature import at_temperature


def load(
    image: Source | Photographs, mask: Source | None, settings: Settings, maker: MakesMasks | None = None
) -> Loaded:
    """Read a photograph, unless it was, and its mask, or make one.

    Raises
    ------
    FileError
        One of them cannot be read.
    ShapeError
        They differ in size, and ``settings.resize_mask`` is off or cannot be done.
    """
    photographs = image if isinstance(image, Photographs) else Photographs(image, settings.bands)
    first = photographs[0]
    if mask is None:
        assert maker is not None
        made = maker(first.pixels)
        return Loaded(first.pixels, made.mask, made, photographs, notes=first.notes)
    return load_for(photographs, first, mask, image, settings)


def load_for(
    photographs: Photographs, first: Photograph, mask: Source, image: Source | Photographs, settings: Settings
) -> Loaded:
    """Read the mask of photographs, of which the ``first`` is decoded already; errors as in :func:`load`."""
    coarse = _read_mask(mask, photographs, first, image, settings)
    pages = coarse.pages or (coarse,)
    resized = coarse.raster.pixels.shape[:2] != pages[0].raster.pixels.shape[:2] or coarse.raster.data is None
    if compact(coarse).dtype == np.bool_:  # a large one
        keep_as_bits(coarse.raster, coarse.background, coarse.foreground)
    others = photographs if len(photographs) > 1 else None  # else its file's bytes may go
    return Loaded(first.pixels, coarse, photographs=others, resized=resized, notes=first.notes)


def load_again(image: Source, mask: Source, refined: Source, settings: Settings) -> tuple[Loaded, Refined]:
    """Read a photograph, its mask, and the refined mask that was made of them; errors as in :func:`load`."""
    photographs = Photographs(image, settings.bands)
    first = photographs[0]
    before = _read_mask(mask, photographs, first, image, settings)
    if before.kind == "probability" and settings.labels is None:  # so is what was made of it, whatever it looks like
        settings = replace(settings, labels=False)
    after = _read_mask(refined, photographs, first, image, settings)
    hard_before, hard_after = (_hard(found, settings.threshold) for found in (before, after))
    return Loaded(first.pixels, before), Refined(after.probability, hard_before, hard_after)


def _read_mask(
    mask: Source, photographs: Photographs, first: Photograph, image: Source | Photographs, settings: Settings
) -> Mask:
    raster = read_raster(mask)
    name = "the photograph" if isinstance(image, Photographs) else describe(image)
    if not is_volume(raster, photographs, settings, mask=describe(mask), photograph=name):
        return _fitting(raster, mask, first, name, settings)
    planes = [_fitting(plane, mask, first, name, settings) for plane in volumes.planes(raster)]
    return volumes.of_planes(raster, planes)


def _fitting(raster: Raster, mask: Source, photograph: Photograph, name: str, settings: Settings) -> Mask:
    coarse = sizes.align(masks.of_raster(raster, mask, labels=settings.labels, void=settings.void), photograph)
    size = photograph.pixels.shape[:2]
    shape = coarse.raster.npy_shape
    if coarse.stack is not None and shape is not None and shape[-3:-1] == size != coarse.shape:
        raise ShapeError(f"{describe(mask)} has shape {shape}: expected its planes first, (K, {size[0]}, {size[1]}).")
    return sizes.fit(coarse, size, settings.resize_mask, name=describe(mask), photograph=name)


def _hard(mask: Mask, threshold: float) -> NDArray:
    if mask.stack is not None:
        return mask.stack.ids(threshold)
    return mask.probability > threshold if mask.labels is None else mask.labels


def refine_timed(
    loaded: Loaded,
    refiner: RefinesMasks | None,
    settings: Settings,
    record: Record,
    matting: MakesMattes | None = None,
    *,
    judged: bool = True,
) -> Refined:
    """Refine as :func:`refine` does, and say in ``record`` how long it took."""
    start = time.perf_counter()
    refined = refine(loaded, refiner, settings, record, matting, judged=judged)
    record.seconds = round(time.perf_counter() - start, 4)
    return refined


def refine(
    loaded: Loaded,
    refiner: RefinesMasks | None,
    settings: Settings,
    record: Record,
    matting: MakesMattes | None = None,
    *,
    judged: bool = True,
) -> Refined:
    """Refine a loaded mask, or stack of masks, and say in ``record`` what became of it; with ``matting``, a matte too.

    Not ``judged``, the record does not say how good both masks are.

    Raises
    ------
    FileError
        A matte is to be written of several ids or planes.
    """
    if settings.alpha and (loaded.mask.labels is not None or loaded.mask.stack is not None):
        raise FileError("A mask of several ids or planes has no matte to write: leave out --alpha.")
    if matting is not None and loaded.mask.pages:
        raise FileError("A mask of several pages has no matte: leave out --alpha and --cutout.")
    if settings.wrap and refiner is not None:
        refiner = Wrapped(refiner, loaded.image.shape[1])
    with listening(judged=judged) as used:
        if loaded.mask.pages and refiner is not None:
            refined = refine_volume(loaded, refiner, settings, record)
        elif loaded.mask.stack is not None and refiner is not None:
            refined = refine_stack(loaded.image, loaded.mask.stack, refiner, settings, record)
        else:
            refined = refine_single(loaded, refiner, settings, record)
    say_used(record, used)
    if loaded.made is not None and record.status == "refined":
        record.status = "made"
    record.notes += [*loaded.notes, *loaded.mask.notes]
    if record.status == "refined":  # else the file comes back as it came
        record.notes += loaded.mask.raster.notes
    if record.status == "empty" and loaded.made is None:
        record.notes.append(_held(loaded.mask))
    if not loaded.mask.keeps_format:
        record.notes.append(_other_format(loaded.mask.raster.format))
    if matting is not None:
        refined = replace(refined, matte=make_matte(loaded, refined, settings, record, matting))
    return _at_temperature(loaded, refined, used)


def _at_temperature(loaded: Loaded, refined: Refined, used: Sequence[Used]) -> Refined:
    """Bring the probabilities of one object to the temperature of the weights that made them, where these have one."""
    temperature = next((one.temperature for one in used if one.temperature is not None), None)
    if temperature is None or loaded.mask.labels is not None or loaded.mask.stack is not None or refined.pages:
        return refined
    return replace(refined, probability=at_temperature(refined.probability, temperature))


def without_probabilities(loaded: Loaded, refined: Refined, settings: Settings) -> Refined:
    """Let go of probabilities that nothing is written of: they take four times the memory of the hard mask."""
    several = loaded.mask.labels is not None or loaded.mask.stack is not None
    if several or settings.soft or settings.alpha or loaded.mask.channels.start:  # alpha shows the object's colours
        return refined
    return replace(refined, probability=refined.after)


def keep(loaded: Loaded, settings: Settings, record: Record) -> Refined:
    """Keep a coarse mask as somebody decided, written as a refined one would be, and say so in ``record``."""
    kept = refine(loaded, lambda image, coarse: coarse, settings, record)
    if record.status == "unchanged":
        record.status = "kept"
    record.notes.append("its coarse mask is kept, as --keep-coarse asked for")
    return kept


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
    return f"a file of the format {format} was read; what is written is not, as masks are not written so"


def encode(loaded: Loaded, refined: Refined, settings: Settings, format: str | None = None) -> bytes:
    """Encode a refined mask as the coarse one was encoded."""
    if refined.pages:
        found = [_wanted(page, each, settings) for page, each in zip(loaded.mask.pages, refined.pages, strict=True)]
        return volumes.encode_volume(
            loaded.mask, found, soft=settings.soft, threshold=settings.threshold, format=format
        )
    return masks.encode_mask(
        loaded.mask,
        _wanted(loaded.mask, refined, settings) if refined.planes is None else refined.planes,
        soft=settings.soft or settings.alpha,
        threshold=settings.threshold,
        format=format,
        colours=lambda: foreground(loaded.image, refined.probability if refined.matte is None else refined.matte),
    )


def _wanted(mask: Mask, refined: Refined, settings: Settings) -> NDArray:
    if settings.alpha and refined.matte is not None:
        return refined.matte
    return refined.probability if settings.soft and mask.labels is None else refined.after


def encode_cutout(image: Image, refined: Refined, extension: str) -> bytes:
    """Encode the objects of a refined mask, cut out of a photograph (H, W, 3), as RGBA of the named format.

    Raises
    ------
    FileError
        The format cannot hold it.
    """
    assert refined.matte is not None
    return cutouts.encode_cutout(foreground(image, refined.matte), refined.matte, extension)


def note(record: Record, loaded: Loaded) -> str | None:
    """Say of a mask what a user would otherwise wonder about, or None."""
    if record.status == "empty" and loaded.made is not None:
        return "no clear object was found; the mask is empty"
    if record.status in ("empty", "full"):
        notes = "".join(f"; {note}" for note in record.notes)
        return f"the mask is {record.status}{notes}; it is returned unchanged"
    worth = record.status == "kept" or record.changes_topology or not loaded.mask.keeps_format
    if record.notes and (worth or loaded.mask.notes or loaded.mask.raster.notes):
        return "; ".join(record.notes)
    return None
