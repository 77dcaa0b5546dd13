"""What a JPEG file makes of a photograph."""

import cv2
import numpy as np
from numpy.typing import NDArray


def compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return a photograph (H, W, 3) as it comes back from a JPEG file of that ``quality``, 0..100."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
