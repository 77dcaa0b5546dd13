"""The files of a pair as arrays."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import read_probabilities
from spnrefine.files.sizes import align
from spnrefine.files.truth import LabelTruth, ObjectTruth, read_labels, read_object
from spnrefine.train.data.pairs import Pair


def read_label_map(pair: Pair, photograph: Photograph | None = None) -> LabelTruth:
    """Read the label map of a pair; errors as in :func:`spnrefine.files.truth.read_labels`."""
    return read_labels(pair.mask, photograph, void=pair.void)


def read_binary(pair: Pair, photograph: Photograph) -> ObjectTruth:
    """Read the mask of a pair; errors as in :func:`spnrefine.files.truth.read_object`."""
    return read_object(pair.mask, photograph, void=pair.void)


def read_given(path: Path, photograph: Photograph) -> NDArray[np.uint8]:
    """Read what a network made of a photograph (H, W, 3): (H, W), 0..255 for probabilities of 0..1.

    Raises
    ------
    FileError
        It is no mask.
    ShapeError
        It has another size than the photograph.
    """
    mask = align(read_probabilities(path), photograph)
    if mask.shape != photograph.pixels.shape[:2]:
        raise ShapeError(f"{path} has another size than the photograph: give masks of the same size.")
    return np.rint(255 * mask.probability).astype(np.uint8)
