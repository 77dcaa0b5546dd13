"""One refinement from files to a file: read, refine, encode, write, and a record of it."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.record import Record, measure
from spnrefine.errors import ShapeError
from spnrefine.files import masks
from spnrefine.files.images import read_photograph
from spnrefine.files.masks import Mask
from spnrefine.files.opening import Source, describe
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.restraint import Restraint, restrain

Probability = NDArray[np.float32]


class RefinesMasks(Protocol):
    """What a refiner is here: (H, W, 3) uint8 and (H, W) float32 in 0..1 to (H, W) float32 in 0..1."""

    def __call__(self, image: NDArray[np.uint8], coarse: Probability) -> Probability: ...


class MakesMasks(Protocol):
    """What makes a coarse mask where none is given, and perhaps refines it itself."""

    def __call__(self, image: NDArray[np.uint8]) -> "Made": ...


@dataclass(frozen=True, eq=False)
class Made:
    """A coarse mask made from a photograph, and what it was refined to where its maker did so (else None)."""

    mask: Mask
    probability: Probability | None = None
    after: NDArray | None = None


@dataclass(frozen=True)
class Settings:
    """How refined masks are made and written, whatever their number."""

    soft: bool = False
    threshold: float = 0.5
    labels: bool = False
    void: int | None = None
    resize_mask: bool = False
    overwrite: bool = False
    restraint: Restraint = field(default_factory=Restraint)

    @classmethod
    def of(cls, *, band: float | None, max_change: float | None, keep_topology: bool, **others: Any) -> "Settings":
        """Gather the settings from options of the command line."""
        return cls(**others, restraint=Restraint(band, max_change, keep_topology))


@dataclass(frozen=True, eq=False)
class Loaded:
    """A photograph (H, W, 3) and its coarse mask, of one size; ``made`` where there was no file of it."""

    image: NDArray[np.uint8]
    mask: Mask
    made: Made | None = None


@dataclass(frozen=True, eq=False)
class Refined:
    """What became of a mask.

    ``before`` and ``after`` (H, W) are hard masks, bools, or ids where the mask has several; ``probability`` (H, W),
    float32 in 0..1, is that of the object, or of each pixel's id.
    """

    probability: Probability
    before: NDArray
    after: NDArray


def load(image: Source, mask: Source | None, settings: Settings, maker: MakesMasks | None = None) -> Loaded:
    """Read a photograph and its mask, or make one.

    Raises
    ------
    FileError: one of them cannot be read.
    ShapeError: they differ in size and ``settings.resize_mask`` is off.
    """
    photograph = read_photograph(image)
    if mask is None:
        assert maker is not None
        made = maker(photograph.pixels)
        return Loaded(photograph.pixels, made.mask, made)
    coarse = masks.align(masks.read_mask(mask, labels=settings.labels, void=settings.void), photograph)
    size = photograph.pixels.shape[:2]
    if coarse.shape != size:
        if not settings.resize_mask:
            raise ShapeError(
                f"{describe(mask)} is {coarse.shape[1]} x {coarse.shape[0]} pixels, {describe(image)} is "
                f"{size[1]} x {size[0]}: expected equal sizes; --resize-mask resizes the mask."
            )
        coarse = masks.resize(coarse, size)
    return Loaded(photograph.pixels, coarse)


def refine(loaded: Loaded, refiner: RefinesMasks | None, settings: Settings, record: Record) -> Refined:
    """Refine a loaded mask and say in ``record`` what became of it; void pixels stay as they are."""
    mask, coarse = loaded.mask, loaded.mask.probability
    before = coarse > settings.threshold if mask.labels is None else mask.labels
    made = loaded.made
    if mask.is_empty or (mask.is_full and made is None):
        record.status = "empty" if mask.is_empty else "full"
        record.changed = 0.0
        return Refined(coarse, before, before)
    after: NDArray
    if made is not None and made.after is not None and made.probability is not None:
        after, probability = made.after, made.probability
    elif refiner is None:
        raise TypeError("a mask that was not refined where it was made needs a refiner")
    elif mask.labels is None:
        probability = refiner(loaded.image, coarse)
        after = probability > settings.threshold
    else:
        after, probability = refine_labels(refiner, loaded.image, mask.labels, mask.void)
    if mask.void is not None:
        after = np.where(mask.void, before, after)
    after, record.notes = restrain(before, after, settings.restraint, mask.void)
    if settings.restraint.band is not None and mask.labels is None:
        probability = np.where(contour_distance(before) > settings.restraint.band, coarse, probability)
    measure(record, before, after, probability, mask.void)
    if after is before and record.notes:
        record.status = "kept"
        probability = coarse
    else:
        record.status = "refined" if record.changed else "unchanged"
    return Refined(probability, before, after)


def encode(loaded: Loaded, refined: Refined, settings: Settings, format: str | None = None) -> bytes:
    """Encode a refined mask as the coarse one was encoded."""
    return masks.encode_mask(
        loaded.mask,
        refined.probability if settings.soft and loaded.mask.labels is None else refined.after,
        soft=settings.soft,
        threshold=settings.threshold,
        format=format,
    )


def note(record: Record, loaded: Loaded) -> str | None:
    """Say what a user would otherwise wonder about, or None."""
    if record.status == "empty" and loaded.made is not None:
        return f"{record.image}: no clear object was found; the mask is empty."
    if record.status in ("empty", "full"):
        return f"{record.mask}: the mask is {record.status}; it is returned unchanged."
    if record.status == "kept":
        return f"{record.mask}: {'; '.join(record.notes)}."
    if not loaded.mask.keeps_format:
        return f"{record.mask}: a lossy {loaded.mask.raster.format} file was read; what is written is lossless."
    return None
