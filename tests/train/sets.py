"""Tiny synthetic pairs: bright ellipses on dark noise."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

VOID = 9
SMALL = ("batches=((2, 64), (1, 96))", "cpu_scale=1", "validation_patches=4", "validation_side=64", "log_seconds=0.0")
"""Settings of a recipe whose steps take a fraction of a second."""


def draw_pair(rng: np.random.Generator, height: int = 72, width: int = 96) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((height, width), np.uint8)
    centre = (int(rng.integers(width // 3, 2 * width // 3)), int(rng.integers(height // 3, 2 * height // 3)))
    cv2.ellipse(mask, centre, (width // 5, height // 4), float(rng.uniform(0, 180)), 0, 360, 1, cv2.FILLED)
    noise = rng.integers(0, 60, (height, width, 3))
    return (noise + mask[..., None] * rng.integers(100, 190, 3)).astype(np.uint8), mask.astype(bool)


def write_pair(folder: Path, stem: str, image: np.ndarray, mask: np.ndarray, kind: str = "masks") -> None:
    for name in ("images", kind):
        (folder / name).mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / "images" / f"{stem}.png")
    Image.fromarray(mask).save(folder / kind / f"{stem}.png")
