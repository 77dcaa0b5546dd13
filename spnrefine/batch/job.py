"""One refinement from files to a file: read, refine, encode, write, and a record of it."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError
from spnrefine.files import masks
from spnrefine.files.images import read_photograph
from spnrefine.files.masks import Mask
from spnrefine.files.opening import Source, describe

Probability = NDArray[np.float32]


class RefinesMasks(Protocol):
    """What a refiner is here: (H, W, 3) uint8 and (H, W) float32 in 0..1 to (H, W) float32 in 0..1."""

    def __call__(self, image: NDArray[np.uint8], coarse: Probability) -> Probability: ...


@dataclass(frozen=True)
class Settings:
    """How refined masks are made and written, whatever their number."""

    soft: bool = False
    threshold: float = 0.5
    labels: bool = False
    void: int | None = None
    resize_mask: bool = False
    overwrite: bool = False


@dataclass
class Record:
    """What was done to one mask, as ``--json`` prints it.

    ``status`` is refined, unchanged (no pixel moved), empty or full (returned as it came) or failed, with the reason
    in ``error``. ``changed`` is the share of changed pixels in the area of the coarse mask; ``seconds`` are those of
    the refinement, without reading and writing.
    """

    image: str
    mask: str | None
    output: str | None = None
    status: str = "refined"
    changed: float | None = None
    seconds: float | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A photograph (H, W, 3) and its coarse mask, of one size."""

    image: NDArray[np.uint8]
    mask: Mask


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined probability map (H, W) and the hard masks before and after, (H, W) booleans."""

    probability: Probability
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]


def load(image: Source, mask: Source, settings: Settings) -> Loaded:
    """Read a photograph and its mask.

    Raises
    ------
    FileError: one of them cannot be read.
    ShapeError: they differ in size and ``settings.resize_mask`` is off.
    """
    photograph = read_photograph(image)
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


def refine(loaded: Loaded, refiner: RefinesMasks, settings: Settings, record: Record) -> Refined:
    """Refine a loaded mask and say in ``record`` what became of it; void pixels stay as they are."""
    coarse = loaded.mask.probability
    before = coarse > settings.threshold
    if loaded.mask.is_empty or loaded.mask.is_full:
        record.status = "empty" if loaded.mask.is_empty else "full"
        record.changed = 0.0
        return Refined(coarse, before, before)
    probability = refiner(loaded.image, coarse)
    after = probability > settings.threshold
    if loaded.mask.void is not None:
        after = np.where(loaded.mask.void, before, after)
    changed = int((before != after).sum())
    record.status = "refined" if changed else "unchanged"
    record.changed = round(changed / max(int(before.sum()), 1), 6)
    return Refined(probability, before, after)


def encode(loaded: Loaded, refined: Refined, settings: Settings, format: str | None = None) -> bytes:
    """Encode a refined mask as the coarse one was encoded."""
    return masks.encode_mask(
        loaded.mask, refined.probability, soft=settings.soft, threshold=settings.threshold, format=format
    )


def note(record: Record, loaded: Loaded) -> str | None:
    """Say what a user would otherwise wonder about, or None."""
    if record.status in ("empty", "full"):
        return f"{record.mask}: the mask is {record.status}; it is returned unchanged."
    if not loaded.mask.keeps_format:
        return f"{record.mask}: a lossy {loaded.mask.raster.format} file was read; what is written is lossless."
    return None
