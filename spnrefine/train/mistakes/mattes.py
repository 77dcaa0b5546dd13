"""Coarse masks and mattes made from a composite's exact alpha."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.train.data.composites import Composite, chance, field, spanned
from spnrefine.train.recipe import Recipe

Plane = NDArray[Any]
"""(H, W) float32 in 0..1."""
HARD = "polygon", "shift", "warp", "grow", "lowres", "exact"
SHADOWLESS = "polygon", "sharp"
SOFT = "lowres", "shift", "warp", "blur", "polygon", "sharp", "exact"


def coarse_of(
    rng: np.random.Generator, composite: Composite, recipe: Recipe, kind: str | None = None
) -> tuple[Plane, Plane, str]:
    """Return a coarse mask or matte in 0..1, the alpha that is to come of it, and its kind, as in ``hard polygon``.

    A mask of two values knows of no shadow, so that what comes of it has none either; :data:`SHADOWLESS` likewise.
    """
    if kind is None:
        hard = chance(rng, recipe.matte_hard_chance)
        kinds, shares = (HARD, recipe.matte_hard) if hard else (SOFT, recipe.matte_soft)
        kind = f"{'hard' if hard else 'soft'} {kinds[rng.choice(len(kinds), p=shares)]}"
    softness, _, mistake = kind.partition(" ")
    truth = composite.alpha if softness == "hard" or mistake in SHADOWLESS else composite.whole
    size = float(np.sqrt(composite.alpha.sum()))
    begun = truth
    if softness == "hard" and mistake != "exact" and chance(rng, recipe.matte_bald_chance):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
        begun = np.asarray(cv2.morphologyEx(truth, cv2.MORPH_OPEN, disc), np.float32)
    wrong = np.clip(_wrong(rng, begun, mistake, size, recipe), 0, 1)
    if softness == "hard":
        return (wrong > rng.uniform(0.4, 0.6)).astype(np.float32), truth, kind
    return np.rint(255 * wrong).astype(np.float32) / 255, truth, kind


def _wrong(rng: np.random.Generator, alpha: Plane, mistake: str, size: float, recipe: Recipe) -> Plane:
    if mistake == "polygon":
        return _polygon(alpha > 0.5, spanned(rng, recipe.matte_polygon) * size, rng)
    if mistake == "lowres":
        return _lowres(rng, alpha, spanned(rng, recipe.matte_lowres))
    if mistake == "shift":
        angle, far = rng.uniform(0, 2 * np.pi), max(1.0, spanned(rng, recipe.matte_off) * size)
        return _moved(alpha, np.full_like(alpha, far * np.cos(angle)), np.full_like(alpha, far * np.sin(angle)))
    if mistake == "warp":
        far, cells = spanned(rng, recipe.matte_off) * size, spanned(rng, (3, 12))
        return _moved(alpha, far * field(rng, alpha.shape, cells), far * field(rng, alpha.shape, cells))
    if mistake == "grow":
        far = max(1, round(spanned(rng, recipe.matte_off) * size))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * far + 1, 2 * far + 1))
        return np.asarray((cv2.dilate if chance(rng, 0.5) else cv2.erode)(alpha, kernel))
    if mistake == "blur":
        return _blurred(alpha, spanned(rng, recipe.matte_soften))
    if mistake == "sharp":
        steep = spanned(rng, recipe.matte_steep)
        return np.clip((alpha - 0.5) * steep + 0.5 + rng.normal(0, 0.1), 0, 1).astype(np.float32)
    return alpha


def _polygon(inside: NDArray[np.bool_], tolerance: float, rng: np.random.Generator) -> Plane:
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros(inside.shape, np.float32)
    cv2.fillPoly(canvas, [cv2.approxPolyDP(contour, tolerance, True) for contour in contours], 1.0)
    return _blurred(canvas, spanned(rng, (0.6, 6.0)))


def _lowres(rng: np.random.Generator, alpha: Plane, cell: float) -> Plane:
    height, width = alpha.shape
    small = max(4, round(width / cell)), max(4, round(height / cell))
    less = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    how = cv2.INTER_CUBIC if chance(rng, 0.2) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(less, (width, height), interpolation=how))


def _moved(alpha: Plane, across: Plane, down: Plane) -> Plane:
    y, x = np.indices(alpha.shape, np.float32)
    return np.asarray(cv2.remap(alpha, x + across, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _blurred(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
