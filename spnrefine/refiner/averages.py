"""A mask that was averaged down and enlarged again says how much of each cell is object: what is refined keeps to that.

The network's log odds are corrected by a field, linear between the middles of cells, until each cell's mean is as it
was: the photograph says where in a cell the edge runs, the mask how much lies on either side. So it is with an enlarged
photograph whose pixels must average to the small one's (iterative back-projection: Irani and Peleg, CVGIP 1991).
"""

import numpy as np

from spnrefine.refiner.cell_field import WAYS, Field, Floats, edges
from spnrefine.refiner.cells import Cells, find_cells
from spnrefine.refiner.cubic_cells import find_cubic_cells

MIX = 0.25  # of the coarse mask's own log odds in a mask's: on held-aside pairs from 0.1 to 0.5 all the same
MOVED, MOVED_PIXELS = 0.15, 0.8
"""Of a cell, on average over those with an edge: where the network changes them by more than this, and than this many
pixels' share of a cell, the mask may be far off."""
LEFT = 0.035
"""Likewise: where cells of the hard result are farther off, no mask of zeros and ones had these averages."""
MATTE_MOVED = 0.06
"""Likewise, of a matte: where it changes cells by more, these were of no better matte, on held-aside ones."""
EDGES = 0.5
"""Cells with an edge for each two neighbours of which one is more object than not: averages have some 0.9, and masks
that were cut at a half before they were enlarged, or sampled, have few."""


def keep_averages(coarse: Floats, refined: Floats) -> bool:
    """Correct ``refined``, in place, so that it has the averages of ``coarse``, where that is an enlarged mask.

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.

    Returns
    -------
    Whether it was. It is not where ``coarse`` was not enlarged, or cannot be believed: its cells are no averages of
    zeros and ones, as a network's are not, or the photograph shows its edge elsewhere.
    """
    cells = _averages(coarse)
    if cells is None:
        return False
    most = max(MOVED, MOVED_PIXELS / min(cells.rows.cell, cells.columns.cell))
    for way in WAYS:
        field = Field(coarse, refined, cells, way, MIX)
        if field.left(_hard) <= most:
            field.solve()
            if field.left(_hard) <= LEFT:
                field.apply(coarse, refined)
                return True
    return False


def keep_matte_averages(coarse: Floats, alpha: Floats) -> bool:
    """Correct a matte likewise, whose cells need be no averages of zeros and ones.

    Parameters
    ----------
    coarse, alpha : (H, W) float32 in 0..1, the matte that came in and what was made of it, which is changed in place.

    Returns
    -------
    Whether it was. It is not where ``coarse`` was not enlarged, or what was made of it has other averages by far.
    """
    cells = _averages(coarse)
    if cells is None:
        return False
    field = min((Field(coarse, alpha, cells, way, 0) for way in WAYS), key=lambda field: field.left(_itself))
    if field.left(_itself) > MATTE_MOVED:
        return False
    field.solve()
    field.apply(coarse, alpha)
    return True


def _averages(mask: Floats) -> Cells | None:
    """Return the cells that a mask was enlarged of, if as many have an edge in them as averages have."""
    cells = find_cells(mask) or find_cubic_cells(mask)
    if cells is None:
        return None
    inside = cells.values > 0.5
    crossed = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in (0, 1))
    return cells if np.count_nonzero(edges(cells.values)) > EDGES * crossed else None


def _hard(probability: Floats) -> Floats:
    return (probability > 0.5).astype(np.float32)


def _itself(alpha: Floats) -> Floats:
    return alpha
