"""The pictures of which label maps were measured, and those that a method got most wrong."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.confusion import Confusion, Maps
from spnrefine.evaluate.label_intervals import MEAN
from spnrefine.evaluate.labels import LabelledPicture, Numbers
from spnrefine.evaluate.worst_maps import MapsOfPicture, WorstMaps
from spnrefine.files.classes import VOID


class Seen:
    """Keeps the names of pictures and how many of their pixels are void, and small pictures of the worst.

    The worst are those of the lowest mean IoU by the method ``ours``, beside what the first method found; none are kept
    where they are not ``watched``.
    """

    def __init__(self, ours: str, *, watched: bool):
        self.names: list[str] = []
        self.void_pixels: list[int] = []
        self.worst = WorstMaps()
        self._ours, self._watched = ours, watched

    def __call__(self, picture: LabelledPicture, maps: Maps, found: Mapping[str, Confusion]) -> None:
        """Look at a picture that was measured last."""
        self.names.append(picture.name)
        self.void_pixels.append(int(np.count_nonzero(picture.truth == VOID)))
        first = next(iter(maps))
        before, after = (found[name].iou(len(self.names) - 1) for name in (first, self._ours))
        score = after[MEAN]
        if not self._watched or score is None or not self.worst.takes(score):
            return
        notes = [
            f"IoU of {name}: {_figure(before.get(name))} before, {_figure(value)} after"
            for name, value in after.items()
        ]
        coarse, refined, true = (_ids(numbers) for numbers in (maps[first], maps[self._ours], picture.truth))
        image = picture.photograph.pixels
        self.worst.add(MapsOfPicture(picture.path, image, coarse, refined, true, before[MEAN], score, notes))


def _ids(numbers: Numbers) -> NDArray[np.int32]:
    return np.where(numbers == VOID, 0, numbers.astype(np.int32) + 1)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
