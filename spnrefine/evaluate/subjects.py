"""What is measured: one object of a photograph, with its coarse mask, its truth, and how it is refined."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Item
from spnrefine.batch.items_task import read_upright
from spnrefine.batch.task import Tools
from spnrefine.errors import ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import Mask, read_mask
from spnrefine.files.sizes import align
from spnrefine.files.truth import ObjectTruth, read_object
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.protocols import Probability

Bits = NDArray[np.bool_]
Source = Path | Item
"""Where one object's mask is read from: a file of its own, or an item of an annotation file."""


class Found(NamedTuple):
    """What a method says of a photograph: where the object is, (H, W), and how probable it is, (H, W) in 0..1."""

    inside: Bits
    probability: Probability


@dataclass(frozen=True, eq=False)
class Subject:
    """One object of a photograph.

    Attributes
    ----------
    name : of its photograph, or of that and the object.
    loaded : the photograph, and the object's coarse mask.
    truth : where the object is.
    refine : does what `refine` and `batch` do.
    others : what other methods found, by their names.
    category : what the object is, where that is known.
    image, mask : what photograph and coarse mask are called.
    """

    name: str
    loaded: Loaded
    truth: ObjectTruth
    refine: Callable[[], Found]
    others: dict[str, Found] = field(default_factory=dict)
    category: str | None = None
    image: str = ""
    mask: str = ""


class Case(Protocol):
    """A photograph with the objects on it that are measured."""

    def open(self, tools: Tools, truth_void: int | None) -> Iterator[Subject]:
        """Read it, and yield its objects; ``truth_void`` is as for :func:`spnrefine.files.truth.read_object`.

        Raises
        ------
        ShapeError
            The files of a case differ in size.
        FileError
            One cannot be read, or nothing says for certain what belongs together.
        """


def halved(probability: Probability) -> Found:
    """Take for the object what is more probable than not."""
    return Found(probability > 0.5, probability)


def certain(inside: Bits) -> Found:
    """Take a hard mask for probabilities of 0 and 1."""
    return Found(inside, inside.astype(np.float32))


def found_in(loaded: Loaded, refined: Refined) -> Found:
    """Return the object of a refined mask; of several ids or planes, all together are the object."""
    inside, own = refined.after != 0, refined.probability
    if loaded.mask.labels is None and loaded.mask.stack is None:
        return Found(inside, own)
    return Found(inside, np.where(inside, own, 1 - own))  # of several, the probability is that of each pixel's own


def read_truth(source: Source, photograph: Photograph, void: int | None) -> ObjectTruth:
    """Read where an object is; errors as of `Case.open`."""
    if isinstance(source, Path):
        return read_object(source, photograph, void=void)
    inside = np.asarray(read_upright(source, photograph)[0])
    return ObjectTruth(inside, np.zeros(inside.shape, np.bool_))


def read_made(source: Source, photograph: Photograph, settings: Settings) -> Found:
    """Read the mask that another method made; errors as of `Case.open`."""
    if isinstance(source, Path):
        return halved(read_fitting(source, photograph, settings).probability)
    return certain(np.asarray(read_upright(source, photograph)[0]))


def read_fitting(path: Path, photograph: Photograph, settings: Settings) -> Mask:
    """Read a mask file that has its photograph's size already."""
    mask = align(read_mask(path, labels=settings.labels), photograph)
    if mask.shape != photograph.pixels.shape[:2]:
        (height, width), (rows, columns) = mask.shape, photograph.pixels.shape[:2]
        raise ShapeError(
            f"{path} has {width}x{height} pixels, its photograph {columns}x{rows}: give a mask of the same size."
        )
    return mask
