"""Refine a stack plane by plane, each with its own page of the photograph, or each a map of ids."""

import numpy as np

from spnrefine.errors import ShapeError
from spnrefine.files.images import Photographs
from spnrefine.files.rasters import Raster
from spnrefine.job.record import Record
from spnrefine.job.single import refine_single
from spnrefine.job.stack import sum_up
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.protocols import RefinesMasks


def is_volume(raster: Raster, photographs: Photographs, settings: Settings, *, mask: str, photograph: str) -> bool:
    """Tell whether the planes of a mask are masks of their own: of a photograph's pages, or of ids.

    ``mask`` and ``photograph`` name the two files.

    Raises
    ------
    ShapeError
        The photograph has several pages, and the mask another number of planes.
    """
    planes, pages = raster.pixels.shape[2] if raster.is_stack else 1, len(photographs)
    if pages > 1 and planes != pages:
        raise ShapeError(
            f"{mask} has {planes} plane{'s' * (planes > 1)}, {photograph} {pages} pages: expected one plane for each "
            "page, or the page that the mask is of as a file of its own."
        )
    return raster.is_stack and (pages > 1 or bool(settings.labels) or raster.are_ids)


def refine_volume(loaded: Loaded, refiner: RefinesMasks, settings: Settings, record: Record) -> Refined:
    """Refine each plane with its page of the photograph, and say in ``record`` what became of all."""
    records = [Record(record.image, record.mask) for _ in loaded.mask.pages]
    done = []
    for number, (page, own) in enumerate(zip(loaded.mask.pages, records, strict=True)):
        image = loaded.image
        if number and loaded.photographs is not None and len(loaded.photographs) > 1:
            image = loaded.photographs[number].pixels
        done.append(refine_single(Loaded(image, page), refiner, settings, own))
    sum_up(record, records, [int(np.count_nonzero(one.before)) for one in done])
    first = done[0]
    return Refined(first.probability, first.before, first.after, pages=tuple(done))
