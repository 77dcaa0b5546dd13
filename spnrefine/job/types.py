"""What a refinement is given and gives."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.files.images import Photographs
from spnrefine.files.masks import Mask
from spnrefine.files.numbers import Void
from spnrefine.model.protocols import Image, Probability
from spnrefine.refiner.off import Off
from spnrefine.refiner.restraint import Restraint


class MakesMattes(Protocol):
    """What makes a matte of a refined mask, see :class:`spnrefine.refiner.matte.Matting`."""

    def __call__(self, image: Image, coarse: Probability, refined: Probability, inside: NDArray) -> Probability: ...


class MakesMasks(Protocol):
    """What makes a coarse mask where none is given, and perhaps refines it itself."""

    def __call__(self, image: Image) -> "Made": ...


@dataclass(frozen=True, eq=False)
class Made:
    """A coarse mask made from a photograph, and what it was refined to where its maker did so (else None)."""

    mask: Mask
    probability: Probability | None = None
    after: NDArray | None = None


@dataclass(frozen=True)
class Settings:
    """How refined masks are made and written, whatever their number.

    ``strength``, ``off`` and ``careful`` are those of :class:`spnrefine.refiner.Refiner`; no ``strength`` is ``auto``.
    """

    soft: bool = False
    alpha: bool = False
    threshold: float = 0.5
    labels: bool | None = None
    void: Void = None
    resize_mask: bool | Literal["letterbox"] = False
    quick: bool = False
    wrap: bool = False
    best: bool = False
    overwrite: bool = False
    bands: tuple[int, ...] | None = None
    restraint: Restraint = field(default_factory=Restraint)
    strength: float | str | None = None
    off: Off | None = None
    careful: bool = False

    @property
    def of_refiner(self) -> dict[str, Any]:
        """Those that a refiner takes."""
        return {name: getattr(self, name) for name in ("quick", "best", "strength", "off", "careful", "threshold")}

    @classmethod
    def of(cls, *, band: float | None, max_change: float | None, keep_topology: bool, **others: Any) -> "Settings":
        """Gather the settings from options of the command line."""
        return cls(**others, restraint=Restraint(band, max_change, keep_topology))


@dataclass(frozen=True, eq=False)
class Loaded:
    """A photograph (H, W, 3) and its coarse mask, of one size; ``made`` where there was no file of it.

    ``photographs`` are all of its file, of which ``image`` is the first, where there are several; ``notes`` say how
    their numbers were read. ``resized`` masks have other pixels than their file.
    """

    image: Image
    mask: Mask
    made: Made | None = None
    photographs: Photographs | None = None
    resized: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Refined:
    """What became of a mask.

    ``before`` and ``after`` (H, W) are hard masks, bools, or ids where the mask has several; ``probability`` (H, W),
    float32 in 0..1, is that of the object, or of each pixel's id. ``planes`` (K, H, W) are those of a stack, as they
    are to be written: floats, or bools where a hard mask is wanted. ``pages`` are what became of the planes, where each
    is a mask of its own; all else is then that of the first. ``matte`` (H, W), float32 in 0..1, is the alpha of all
    objects together, where it was asked for. ``view`` says which box of the photograph all of them are of, where there
    is nothing of the mask outside it; None: the whole.
    """

    probability: Probability
    before: NDArray
    after: NDArray
    planes: NDArray | None = None
    pages: tuple["Refined", ...] = ()
    matte: Probability | None = None
    view: Box | None = None
