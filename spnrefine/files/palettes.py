"""Palettes of masks: where the colours say more than the order of the entries."""

import numpy as np

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def is_gray(palette: bytes | None) -> bool:
    """Whether there is no palette, or one whose colours all are gray."""
    return palette is None or (palette[0::3] == palette[1::3] == palette[2::3])


def white_first(values: np.ndarray, palette: bytes | None) -> tuple[int, int] | None:
    """Return the ids of black and of white where these are the colours of a mask, and white has the lower id.

    Programs save a palette of black and white in either order; white is the object in both. ``values`` are (H, W) ids,
    ``palette`` three bytes each.
    """
    if palette is None:
        return None
    white, black = (palette[3 * place : 3 * place + 3] for place in (0, 1))
    if (tuple(white), tuple(black)) != (WHITE, BLACK) or int(values.max(initial=0)) > 1:
        return None
    return 1, 0
