"""Photographs with their true label maps."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.classes import Classes, read_classes
from spnrefine.files.formats import PHOTOGRAPHS
from spnrefine.files.images import Photograph, Photographs
from spnrefine.files.stems import by_path, masks_of, name_below, pair_trees
from spnrefine.files.tiff_photographs import Bands
from spnrefine.files.truth import read_labels

Numbers = NDArray[np.uint8]
"""(H, W) numbers of classes; `VOID` for what is none."""


class LabelledPicture(NamedTuple):
    """A photograph, and the numbers of its true classes, (H, W); ``photographs`` are all of its file."""

    name: str
    path: Path
    photographs: Photographs
    photograph: Photograph
    truth: Numbers


def find_labelled(
    images: Path,
    truth: Path,
    classes: Path | None,
    void: int | None,
    most: int | None,
    bands: Bands | None = None,
) -> tuple[Classes, "Labelled"]:
    """Pair photographs with true label maps of the same stems, and say which classes those hold.

    Raises
    ------
    FileError
        A folder is missing, two of its files share a stem, no photograph has a label map, one is none, or they hold no
        id but 0 beside void.
    """
    for folder in (images, truth):
        if not folder.is_dir():
            raise FileError(f"{folder} is no folder: --images and --truth each expect a folder of files.")
    pairs = list(pair_trees(images, truth))
    if not pairs:
        raise FileError(
            f"No photograph in {images} has a label map of the same stem in {truth}: give folders of equal stems."
        )
    if most is not None and most < len(pairs):
        pairs = [pairs[index] for index in np.linspace(0, len(pairs) - 1, most).astype(int)]
    known = read_classes(classes) if classes else Classes.numbered(1 + _largest(pairs, void, truth))
    found = {name_below(path, images) for path, _ in pairs}
    photographs = by_path(images, PHOTOGRAPHS, [truth])
    alone = sorted((photographs.keys() | masks_of(images, photographs, truth).keys()) - found) if most is None else []
    return known, Labelled(images, pairs, known, void, bands, alone)


class Labelled:
    """Photographs and the numbers of their true classes, read one after another.

    Parameters
    ----------
    images : the photographs' folder.
    void : the value of void in the truths; None for the usual one.
    bands : those of photographs that are seen.
    alone : stems that only one of the folders has.
    """

    def __init__(
        self,
        images: Path,
        pairs: list[tuple[Path, Path]],
        classes: Classes,
        void: int | None,
        bands: Bands | None = None,
        alone: Sequence[str] = (),
    ):
        self.images, self.pairs, self.classes, self.void = images, pairs, classes, void
        self.bands, self.alone = bands, alone

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[LabelledPicture]:
        for path, labels in self.pairs:
            photographs = Photographs(path, self.bands)
            seen = photographs[0]
            truth = self.classes.numbers(read_labels(labels, seen, void=self.void))
            yield LabelledPicture(name_below(path, self.images), path, photographs, seen, truth)


def _largest(pairs: Sequence[tuple[Path, Path]], void: int | None, folder: Path) -> int:
    """Return the largest id, 1 at least; where void is what is usual, it may not be all there is beside 0."""
    largest, objects, any_void, any_known = 1, False, False, False
    for _, path in pairs:
        labels = read_labels(path, void=void)
        objects |= labels.largest > 0
        largest = max(largest, labels.largest)
        any_void |= bool(labels.void.any())
        any_known |= not labels.void.all()
    if void is None and any_void and any_known and not objects:
        raise FileError(
            f"The label maps in {folder} hold 0 and 255 alone, and 255 is void among ids: measure masks of objects "
            "with 'spnrefine eval', or give --void 255 or --classes to have it so."
        )
    return largest


def lowered(labels: Numbers, classes: int, times: int) -> Numbers:
    """Return a label map (H, W) as it comes from a network of ``times`` lower resolution.

    Each cell has the class that most of its pixels have (void is none), and is enlarged to a block.
    """
    height, width = labels.shape
    small = (max(1, round(width / times)), max(1, round(height / times)))
    shares = [
        cv2.resize((labels == number).astype(np.float32), small, interpolation=cv2.INTER_AREA)
        for number in range(classes)
    ]
    cells = np.argmax(shares, 0).astype(np.uint8)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
