"""The matte of what was refined, with what the settings and the mask ask for."""

import numpy as np

from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, MakesMattes, Refined, Settings
from spnrefine.model.matte_inputs import SURROUND
from spnrefine.model.protocols import Probability
from spnrefine.refiner.contour import contour_distance


def load_matting(model: str, threads: int) -> MakesMattes:
    """Load a network of mattes; arguments and errors as of :class:`spnrefine.refiner.matte.Matting`."""
    from spnrefine.refiner.matte import Matting

    return Matting(model, threads)


AS_IT_CAME = "kept", "empty", "full"


def make_matte(
    loaded: Loaded, refined: Refined, settings: Settings, record: Record, matting: MakesMattes
) -> Probability:
    """Return alpha (H, W) in 0..1 of all objects together.

    A mask that was returned as it came is its own matte. Void pixels stay as they are, and so does all outside the
    band, where there is one.
    """
    before, after = refined.before != 0, refined.after != 0
    alone = loaded.mask.labels is None and loaded.mask.stack is None
    coarse = loaded.mask.probability if alone else before.astype(np.float32)
    if record.status in AS_IT_CAME:
        return coarse
    probability = refined.probability if alone else after.astype(np.float32)
    inputs = loaded.image, coarse, probability, after
    if settings.wrap:
        columns = np.arange(-SURROUND, after.shape[1] + SURROUND) % after.shape[1]
        inputs = tuple(np.ascontiguousarray(each[:, columns]) for each in inputs)  # type: ignore[assignment]
    alpha = matting(*inputs)
    if settings.wrap:
        alpha = alpha[:, SURROUND:-SURROUND]
    if settings.restraint.band is not None:
        alpha = np.where(contour_distance(before) > settings.restraint.band, coarse, alpha)
    return alpha if loaded.mask.void is None else np.where(loaded.mask.void, coarse, alpha)
