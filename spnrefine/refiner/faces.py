"""Where faces are in a photograph."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.refiner import opencv
from spnrefine.refiner.scaling import resize

CASCADE = Path(__file__).parent / "lbpcascade_frontalface.xml"
"""OpenCV's cascade of local binary patterns; Liao et al., "Learning Multi-scale Block LBP", ICB 2007."""
SEARCHED = 640  # pixels of the longer side, in which faces are searched for
LEAST = 24  # pixels of a face there
NEIGHBOURS = 3
SHARE = 0.58  # of the frame's side that a face takes, about as in the photographs that the model was trained on
UPWARDS = 0.05  # of the frame's side by which its centre lies above the face's: hair is taller than a neck is long


def face_frames(image: NDArray[np.uint8]) -> list[Box]:
    """Return a square frame, clipped to the picture, around each frontal face of an image (H, W, 3), uint8 RGB.

    Largest first; none where no face is found.

    Raises
    ------
    BackendError
        This OpenCV cannot search.
    """
    height, width = image.shape[:2]
    scale = min(1.0, SEARCHED / max(height, width))
    small = resize(image, (max(1, round(height * scale)), max(1, round(width * scale)))) if scale < 1 else image
    found = _cascade().detectMultiScale(
        cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), scaleFactor=1.1, minNeighbors=NEIGHBOURS, minSize=(LEAST, LEAST)
    )
    frames = []
    for left, top, across, down in sorted(np.asarray(found).reshape(-1, 4) / scale, key=lambda face: -face[2]):
        half = across / SHARE / 2
        x, y = left + across / 2, top + down / 2 - UPWARDS * 2 * half
        frames.append(
            Box(
                top=max(0, round(y - half)),
                left=max(0, round(x - half)),
                bottom=min(height, round(y + half)),
                right=min(width, round(x + half)),
            )
        )
    return frames


@lru_cache(maxsize=1)
def _cascade() -> "cv2.CascadeClassifier":
    classifier: cv2.CascadeClassifier = opencv.need("CascadeClassifier", "Finding faces")(str(CASCADE))
    return classifier
