"""Masks at another size: probabilities bilinearly, values that mean something by nearest pixel."""

import numpy as np
from PIL import Image


def bilinear(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resample probabilities (H, W), float32 in 0..1, to ``shape`` (height, width); shrinking averages."""
    height, width = shape
    image = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(image), 0, 1)


def nearest(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resample an array (H, W, ...) to ``shape`` (height, width) so that no value arises that was not there."""
    rows = ((np.arange(shape[0]) + 0.5) * array.shape[0] / shape[0]).astype(np.intp)
    columns = ((np.arange(shape[1]) + 0.5) * array.shape[1] / shape[1]).astype(np.intp)
    return array[rows[:, None], columns]
