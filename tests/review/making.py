"""Records and arrays to make reports of."""

from functools import cache

import cv2
import numpy as np

from spnrefine.evaluate.scene import draw_scene

HOSTILE = """a "b" 'c' #1 50% <script>alert(1)<img src=x onerror=alert(2)>&amp; ü.jpg"""


def record(name="photo.jpg", **values):
    """A whole record, as a batch makes it, with ``values`` in place of its own."""
    stem = name.rpartition(".")[0]
    whole = {
        "image": f"photos/{name}",
        "mask": f"masks/{stem}.png",
        "output": f"refined/{stem}.png",
        "status": "refined",
        "changed": 0.05,
        "contour_shift": 1.5,
        "components_before": 3,
        "components_after": 1,
        "holes_before": 0,
        "holes_after": 0,
        "uncertainty": 0.2,
        "seconds": 0.25,
        "error": None,
        "notes": [],
    }
    return whole | values


drawn_once = cache(draw_scene)


def arrays(seed=0, height=240, width=320):
    """A drawn photograph, its coarse mask, and a smoother mask of it."""
    image, drawn = (part.copy() for part in drawn_once(height, width, seed))
    coarse = drawn > 0
    refined = cv2.GaussianBlur(coarse.astype(np.float32), (0, 0), width / 30) > 0.55
    return image, coarse, refined
