"""Label maps, or planes of K classes, that a network of one's own made: as they came, and refined as by `batch`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.evaluate.labels import LabelledPicture, Numbers
from spnrefine.evaluate.subjects import read_fitting
from spnrefine.files.classes import VOID, Classes
from spnrefine.files.masks import Mask, of_labels
from spnrefine.files.rasters import read_raster
from spnrefine.files.stems import masks_of, only
from spnrefine.files.truth import LabelTruth
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Settings
from spnrefine.model.protocols import Image, RefinesMasks


@dataclass(frozen=True)
class MapFolder:
    """Label maps in a folder, same stems as photographs: one channel of ids, or planes of classes in their order."""

    folder: Path
    found: dict[str, list[Path]]
    classes: Classes
    settings: Settings

    @classmethod
    def of(
        cls, folder: Path, images: Path, photographs: Sequence[str], classes: Classes, settings: Settings
    ) -> "MapFolder":
        """List the maps of the ``photographs`` in ``images``.

        Raises
        ------
        FileError
            A photograph has none, or it is no folder.
        """
        found = masks_of(images, photographs, folder)
        missing = next((name for name in photographs if name not in found), None)
        if missing is not None:
            raise FileError(f"{folder} has no file named {missing}.*: expected one for each label map.")
        return cls(folder, found, classes, settings)

    def refined(self, picture: LabelledPicture, refiner: RefinesMasks) -> dict[str, Numbers]:
        """Return the numbers before and after refinement, by name; raises as `made` does."""
        path, how = self._how(picture)
        loaded = job.load_for(picture.photographs, picture.photograph, path, picture.path, how)
        refined = job.refine(loaded, refiner, how, Record("", None))
        found = {"coarse": refined.before, "refined": refined.after}
        return {name: self._numbers(ids, loaded.mask) for name, ids in found.items()}

    def made(self, picture: LabelledPicture) -> Numbers:
        """Return the numbers as they came.

        Raises
        ------
        FileError
            A photograph has several maps, or one cannot be read.
        ShapeError
            One has another size than its photograph.
        """
        path, how = self._how(picture)
        mask = read_fitting(path, picture.photograph, how)
        if mask.stack is not None:
            return self._numbers(mask.stack.ids(how.threshold), mask)
        return self._numbers(mask.probability > 0.5 if mask.labels is None else mask.labels, mask)

    def _how(self, picture: LabelledPicture) -> tuple[Path, Settings]:
        path = only(self.found[picture.name], "masks")
        planes = read_raster(path).is_stack
        void = None if planes else self.settings.void
        return path, replace(self.settings, labels=None if planes else True, void=void)

    def _numbers(self, ids: NDArray, mask: Mask) -> Numbers:
        if ids.dtype == np.bool_:  # a map of one id comes as the mask of that
            ids = np.where(ids, mask.foreground - mask.background, 0)
        void = np.zeros(ids.shape, bool) if mask.void is None else mask.void
        return self.classes.numbers(LabelTruth(ids.astype(np.int64) + mask.background, void))


def refine_numbers(
    refiner: RefinesMasks, image: Image, numbers: Numbers, void: NDArray[np.bool_], settings: Settings
) -> Numbers:
    """Refine numbers of classes (H, W), of which none is a background that the others leave free."""
    mask = replace(of_labels(numbers + np.uint8(1)), void=void)
    refined = job.refine(Loaded(image, mask), refiner, settings, Record("", None))
    return np.where(void, VOID, refined.after - 1).astype(np.uint8)
