"""How good label maps are: F1 and IoU of classes, and of groups of classes, over all pixels of all photographs."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.labels import LabelledPicture, Numbers
from spnrefine.files.classes import VOID, Classes

Maps = dict[str, Numbers]
"""What methods found on a picture, by their names."""

Watch = Callable[[LabelledPicture, Maps, Mapping[str, "Confusion"]], None]


class Confusion:
    """Pixels that are right, true and found, of each class and group of classes; void pixels do not count.

    Attributes
    ----------
    names : the classes, then the groups.
    each : (K, 3) for each label map: pixels that are right, true and found.
    """

    def __init__(self, classes: Classes):
        self.classes = classes
        self.names = *classes.names, *(group for group, _ in classes.groups)
        self.each: list[NDArray[np.int64]] = []

    def add(self, truth: Numbers, found: NDArray[np.integer]) -> None:
        """Count one label map; both are (H, W) and hold numbers of classes, ``truth`` also void.

        What was found to be no class is a miss. In a group a pixel of one of its classes that is found as another of
        them is right; but not in one named ``overall``, which sums up its classes, as HELEN's overall F-measure does.
        """
        count = len(self.classes.names)
        counted = truth != VOID
        pairs = truth[counted].astype(np.int64) * (count + 1) + np.minimum(found[counted], count)
        table = np.bincount(pairs, minlength=count * (count + 1)).reshape(count, count + 1)
        rows = np.stack([table.diagonal(), table.sum(1), table.sum(0)[:count]], 1)
        groups = [rows]
        for group, members in self.classes.groups:
            own = [self.classes.names.index(member) for member in members]
            right, true, here = rows[own].sum(0)
            right = right if group == "overall" else table[np.ix_(own, own)].sum()
            groups.append(np.array([[right, true, here]]))
        self.each.append(np.concatenate(groups))

    def f1(self) -> dict[str, float]:
        """F1 of each class but the background, and of each group; classes that never occur are left out."""
        return _known(self.names[1:], f1_of(self._sums())[1:])

    def iou(self, of_picture: int | None = None) -> dict[str, float | None]:
        """IoU of each class that occurs, background included, and their ``mean``; None where none occurs.

        Over all pictures, or of one alone.
        """
        sums = self._sums() if of_picture is None else self.each[of_picture]
        each = _known(self.classes.names, iou_of(sums))
        return each | {"mean": float(np.mean([*each.values()])) if each else None}

    def _sums(self) -> NDArray[np.int64]:
        return np.sum(self.each, 0, dtype=np.int64)


def f1_of(counted: NDArray) -> NDArray[np.float64]:
    """Return F1 of what is right, true and found (..., 3); NaN where nothing is."""
    right, true, found = np.moveaxis(counted, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * right / (true + found))


def iou_of(counted: NDArray) -> NDArray[np.float64]:
    """Return IoU of what is right, true and found (..., 3); NaN where nothing is."""
    right, true, found = np.moveaxis(counted, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(right / (true + found - right))


def measure(
    pictures: Iterable[LabelledPicture],
    classes: Classes,
    methods: Callable[[LabelledPicture], Maps],
    watch: Watch | None = None,
) -> dict[str, Confusion]:
    """Return each method's confusion; ``methods`` takes a picture to maps.

    ``watch`` is shown both, and the confusions so far.
    """
    found: dict[str, Confusion] = {}
    for picture in pictures:
        maps = methods(picture)
        for name, numbers in maps.items():
            found.setdefault(name, Confusion(classes)).add(picture.truth, numbers)
        if watch is not None:
            watch(picture, maps, found)
    return found


def _known(names: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=False) if not np.isnan(value)}
