"""A picture of what grows with what: CPU seconds and memory, over megapixels and over objects."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, MARGIN = 360, 64  # pixels of a panel, and around it
LINE, FRAME, GRID, TEXT = (190, 90, 20), (90, 90, 90), (225, 225, 225), (40, 40, 40)  # BGR
PANELS = (
    ("one object", "megapixels", "cpu_seconds", "CPU seconds"),
    ("one object", "megapixels", "peak_gb", "memory, GB"),
    ("many objects", "objects", "cpu_seconds", "CPU seconds"),
    ("many objects", "objects", "peak_gb", "memory, GB"),
)


def draw_curves(rows: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
    """Draw the rows of :func:`spnrefine.evaluate.scaling.scaling`, (H, W, 3) uint8, BGR: both axes from 0, linear."""
    panels = []
    for what, across, up, title in PANELS:
        points = [(float(row[across]), float(row[up])) for row in rows if row["what"] == what]
        panels.append(_panel(points, f"{title} by {across}, {what}"))
    return np.vstack([np.hstack(panels[:2]), np.hstack(panels[2:])])


def _panel(points: Sequence[tuple[float, float]], title: str) -> NDArray[np.uint8]:
    panel = np.full((SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, 3), 255, np.uint8)
    most = [_round_up(max((point[axis] for point in points), default=1.0)) for axis in range(2)]

    def place(x: float, y: float) -> tuple[int, int]:
        return MARGIN + round(SIDE * x / most[0]), MARGIN + SIDE - round(SIDE * y / most[1])

    for quarter in range(5):
        x, y = (most[axis] * quarter / 4 for axis in range(2))
        cv2.line(panel, place(x, 0), place(x, most[1]), GRID, 1)
        cv2.line(panel, place(0, y), place(most[0], y), GRID, 1)
        _write(panel, f"{x:g}", place(x, 0), (-12, 20))
        _write(panel, f"{y:g}", place(0, y), (-48, 5))
    cv2.rectangle(panel, place(0, 0), place(*most), FRAME, 1)
    _write(panel, title, (MARGIN, MARGIN), (0, -16))
    for first, second in pairwise(points):
        cv2.line(panel, place(*first), place(*second), LINE, 2, cv2.LINE_AA)
    for point in points:
        cv2.circle(panel, place(*point), 4, LINE, -1, cv2.LINE_AA)
    return panel


def _write(panel: NDArray[np.uint8], text: str, at: tuple[int, int], shift: tuple[int, int]) -> None:
    where = at[0] + shift[0], at[1] + shift[1]
    cv2.putText(panel, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.45, TEXT, 1, cv2.LINE_AA)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 5, 6, 8 and 10 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    return float(next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value))
