"""Label maps, or planes of K classes, that a network of one's own made: as they came, and refined as by `batch`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.classes import VOID, Classes
from spnrefine.files.formats import MASKS
from spnrefine.files.images import Photographs
from spnrefine.files.masks import Mask, of_labels
from spnrefine.files.rasters import read_raster
from spnrefine.files.stems import by_stem, only
from spnrefine.files.truth import LabelTruth, read_labels
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Settings
from spnrefine.model.protocols import Image, RefinesMasks

Numbers = NDArray[np.uint8]
"""(H, W) numbers of classes; `VOID` for what is none."""


@dataclass(frozen=True)
class OwnMaps:
    """Photographs with their true label maps and those of a network: coarse, refined and true numbers of classes.

    Parameters
    ----------
    pairs : photographs and true maps.
    coarse : folder of the network's, same stems: one channel of ids, or planes of classes in the order of the ids.
    classes : what the ids of all mean.
    settings : how maps are refined; ``void`` is that of the truths too.
    """

    pairs: list[tuple[Path, Path]]
    coarse: Path
    classes: Classes
    refiner: RefinesMasks
    settings: Settings

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[tuple[dict[str, Numbers], Numbers]]:
        """Yield by name the numbers before and after, and the true ones.

        Raises
        ------
        FileError
            A photograph has no map or several, or one cannot be read.
        ShapeError
            One has another size than its photograph.
        """
        maps = by_stem(self.coarse, MASKS)
        for image, truth in self.pairs:
            if image.stem not in maps:
                raise FileError(f"{self.coarse} has no file named {image.stem}.*: expected one for each label map.")
            photographs = Photographs(image, self.settings.bands)
            photograph = photographs[0]
            void = self.settings.void if isinstance(self.settings.void, int) else None
            true = self.classes.numbers(read_labels(truth, photograph, void=void))
            path = only(maps[image.stem], "masks")
            planes = read_raster(path).is_stack
            how = replace(self.settings, labels=None if planes else True, void=None if planes else self.settings.void)
            loaded = job.load_for(photographs, photograph, path, image, how)
            refined = job.refine(loaded, self.refiner, how, Record("", None))
            found = {"coarse": refined.before, "refined": refined.after}
            yield {name: self._numbers(ids, loaded.mask) for name, ids in found.items()}, true

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
