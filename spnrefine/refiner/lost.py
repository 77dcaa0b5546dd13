"""No id of a label map is lost when its pixels are given to others."""

import numpy as np
from numpy.typing import NDArray


def restore_lost(
    before: NDArray[np.integer], after: NDArray[np.integer], outside: NDArray[np.bool_] | None = None
) -> NDArray[np.integer]:
    """Give ids that are in ``before`` and no longer in ``after`` all their pixels back, in place.

    These may have been the last pixels of another id, which then gets its own back too. No pixel is given back twice,
    for each had one id; so this comes to an end.

    Parameters
    ----------
    before, after : (H, W) ids.
    outside : (H, W) bool, pixels that count for no id; or None.

    Returns
    -------
    ``after``, which holds every id of ``before``.
    """
    counts = slice(None) if outside is None else ~outside
    ids = np.unique(before[counts])
    while True:
        lost = np.setdiff1d(ids, after[counts])
        if not lost.size:
            return after
        back = np.isin(before, lost)
        if outside is not None:
            back &= ~outside
        after[back] = before[back]
