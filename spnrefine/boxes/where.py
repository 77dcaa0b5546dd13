"""Where something holds in pictures, looked at some rows at a time: so no map of it is made, nor page after page."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.ids import strips


def above(mask: NDArray, threshold: float) -> NDArray[np.bool_]:
    """Return where a mask (H, W), probabilities or bools, is above a threshold: of bools, and one in 0..1, itself."""
    return mask if mask.dtype == np.bool_ and 0 <= threshold < 1 else np.asarray(mask > threshold)


def count_where(condition: Callable[..., NDArray[np.bool_]], *pictures: NDArray) -> int:
    """Count the pixels at which ``condition`` holds, a function of some rows of the pictures, (H, W) each."""
    return sum(int(np.count_nonzero(each)) for _, each in _marked(condition, pictures))


def any_where(condition: Callable[..., NDArray[np.bool_]], *pictures: NDArray) -> bool:
    """Tell whether ``condition`` holds anywhere; see :func:`count_where`."""
    return any(bool(each.any()) for _, each in _marked(condition, pictures))


def box_where(condition: Callable[..., NDArray[np.bool_]], *pictures: NDArray) -> Box | None:
    """Return the smallest box around the pixels at which ``condition`` holds; None where it holds nowhere."""
    across = np.zeros(pictures[0].shape[1], np.bool_)
    top, bottom = None, 0
    for rows, each in _marked(condition, pictures):
        lines = np.flatnonzero(each.any(1))
        if len(lines):
            top, bottom = rows.start + int(lines[0]) if top is None else top, rows.start + int(lines[-1]) + 1
            across |= each.any(0)
    if top is None:
        return None
    columns = np.flatnonzero(across)
    return Box(top, bottom, int(columns[0]), int(columns[-1]) + 1)


def _marked(
    condition: Callable[..., NDArray[np.bool_]], pictures: tuple[NDArray, ...]
) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
    for rows in strips(*pictures[0].shape):
        yield rows, condition(*(picture[rows] for picture in pictures))
