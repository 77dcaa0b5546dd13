"""Objects put over other photographs with an alpha that is known exactly: blurred edges, hairs, motion, shadows."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.files.jpeg import compressed
from spnrefine.model.matte_inputs import signed_distance
from spnrefine.train.recipe import Recipe

Image = NDArray[Any]
"""(H, W, 3) uint8."""
Plane = NDArray[Any]
"""(H, W), or (H, W, 3) of colours, float32 in 0..1."""


@dataclass(frozen=True)
class Composite:
    """``image`` (H, W, 3) uint8; ``alpha`` of the object and ``shadow`` beside it, (H, W) float32 in 0..1."""

    image: Image
    alpha: Plane
    shadow: Plane | None

    @property
    def whole(self) -> Plane:
        """The alpha of a cut-out that takes the shadow along."""
        return self.alpha if self.shadow is None else self.alpha + (1 - self.alpha) * self.shadow


def compose(
    rng: np.random.Generator, photograph: Image, inside: NDArray[np.bool_], behind: Image, recipe: Recipe
) -> Composite | None:
    """Put the object of a photograph over another one; None where hardly anything of it is left."""
    zoom = spanned(rng, recipe.matte_zoom) if chance(rng, recipe.matte_zoom_chance) else 1.0
    height, width = (round(side * zoom) for side in inside.shape)
    front = _resized(photograph, height, width)
    mask = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)
    soft = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR))
    if chance(rng, 0.5):
        front, soft = np.ascontiguousarray(front[:, ::-1]), np.ascontiguousarray(soft[:, ::-1])
    depth = signed_distance(soft > 0.5)
    if (depth > 4).mean() < recipe.matte_area:
        return None
    colours = _grown(front, depth, 1.5 * zoom).astype(np.float32) / 255
    scene = _cover(rng, behind, height, width).astype(np.float32) / 255
    hard = np.clip(depth + 0.5, 0, 1)
    alpha, blur = _edge(rng, hard, zoom, recipe)
    if chance(rng, recipe.matte_front_blur_chance):
        colours = np.asarray(cv2.GaussianBlur(colours, (0, 0), max(0.3, 0.7 * blur)))
    if chance(rng, recipe.matte_harmony_chance):
        apart = _mean(colours, alpha) - _mean(scene, 1 - alpha)
        scene = scene + apart * rng.uniform(0, recipe.matte_harmony)
    shadow = _shadow(rng, hard, recipe) if chance(rng, recipe.matte_shadow_chance) else None
    if shadow is not None:
        scene = scene * (1 - shadow[..., None])
    seen = alpha[..., None] * colours + (1 - alpha[..., None]) * scene
    return Composite(_developed(rng, seen, recipe), alpha, shadow)


def chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def spanned(rng: np.random.Generator, span: tuple[float, float]) -> float:
    """Draw log-uniformly."""
    return math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))


def field(rng: np.random.Generator, shape: tuple[int, ...], cells: float) -> Plane:
    """Return smooth noise (H, W) of mean about 0 and deviation about 1, with ``cells`` bumps across the longer side."""
    height, width = shape
    longer = max(height, width)
    grid = [max(2, round(cells * side / longer) + 1) for side in (height, width)]
    coarse = rng.standard_normal(grid).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _resized(image: Image, height: int, width: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _cover(rng: np.random.Generator, image: Image, height: int, width: int) -> Image:
    """Return a part of ``image`` of the given size, enlarged as far as need be."""
    scale = max(height / image.shape[0], width / image.shape[1])
    large = _resized(image, max(height, round(image.shape[0] * scale)), max(width, round(image.shape[1] * scale)))
    top, left = (rng.integers(0, have - want + 1) for have, want in zip(large.shape, (height, width), strict=False))
    return large[top : top + height, left : left + width][:, :: -1 if chance(rng, 0.5) else 1]


def _grown(image: Image, depth: Plane, within: float) -> Image:
    """Continue the object's colours beyond its contour: mirrored at it, so that texture goes on."""
    inside = depth > within
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    y, x = np.nonzero(inside)
    order = np.zeros(labels.max() + 1, np.int64)
    order[labels[inside]] = np.arange(y.size)
    nearest = order[labels]
    down, across = np.indices(depth.shape)
    to_y, to_x = y[nearest], x[nearest]
    there_y = np.clip(2 * to_y - down, 0, depth.shape[0] - 1)
    there_x = np.clip(2 * to_x - across, 0, depth.shape[1] - 1)
    fine = inside[there_y, there_x]
    grown = image[np.where(fine, there_y, to_y), np.where(fine, there_x, to_x)]
    return np.where(inside[..., None], image, cv2.GaussianBlur(grown, (0, 0), 0.8))


def _edge(rng: np.random.Generator, hard: Plane, zoom: float, recipe: Recipe) -> tuple[Plane, float]:
    """Return the object's alpha, and about how many pixels it is blurred by."""
    sigma = spanned(rng, recipe.matte_blur)
    kind = rng.choice(len(recipe.matte_edges), p=recipe.matte_edges)
    if kind == 0:
        return _blurred(hard, sigma), sigma
    if kind == 1:  # sharp here, out of focus there
        other, share = spanned(rng, recipe.matte_blur), 1 / (1 + np.exp(-4 * field(rng, hard.shape, 3)))
        return share * _blurred(hard, sigma) + (1 - share) * _blurred(hard, other), (sigma + other) / 2
    if kind == 2:  # motion
        length = spanned(rng, recipe.matte_motion) * zoom
        side = 2 * math.ceil(length / 2) + 1
        kernel = np.zeros((side, side), np.float32)
        angle, middle = rng.uniform(0, math.pi), side / 2 - 0.5
        way = np.array([math.cos(angle), math.sin(angle)]) * length / 2
        start, end = ([int(16 * each) for each in middle + sign * way] for sign in (-1, 1))
        cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA, 4)
        kernel = _blurred(kernel, 0.5)
        return np.asarray(cv2.filter2D(hard, -1, kernel / kernel.sum())), length / 4
    sharp = min(sigma, recipe.matte_hair_blur)
    return _with_hairs(rng, _blurred(hard, sharp), zoom, recipe), sharp


def _with_hairs(rng: np.random.Generator, alpha: Plane, zoom: float, recipe: Recipe) -> Plane:
    """Draw hairs that leave the contour outwards, bending as they go."""
    contours, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)[:, 0].astype(np.float64)
    down, across = np.gradient(_blurred(alpha, 3.0))
    count = int(spanned(rng, recipe.matte_hairs))
    start = rng.integers(len(contour))
    stretch = max(2, int(len(contour) * rng.uniform(0.1, 1)))
    longest, thick = spanned(rng, recipe.matte_hair) * zoom, spanned(rng, recipe.matte_hair_width) * zoom
    lean = rng.normal(0, 0.5)
    canvas = np.zeros(alpha.shape, np.float32)
    for _ in range(count):
        x, y = contour[(start + rng.integers(stretch)) % len(contour)]
        out = np.arctan2(-down[int(y), int(x)], -across[int(y), int(x)])
        length = longest * rng.uniform(0.3, 1)
        turns = out + lean + rng.normal(0, 0.35) + np.cumsum(rng.normal(0, 0.12, 8)) + np.linspace(0, rng.normal(), 8)
        steps = np.stack([np.cos(turns), np.sin(turns)], 1) * length / 8
        points = np.round(16 * (np.array([x, y]) - 2 * steps[0] + np.cumsum(steps, 0))).astype(np.int32)
        cv2.polylines(canvas, [points], False, float(rng.uniform(0.4, 1)), max(1, round(thick)), cv2.LINE_AA, 4)
    return np.maximum(alpha, _blurred(canvas, rng.uniform(0.3, 0.9)))


def _shadow(rng: np.random.Generator, hard: Plane, recipe: Recipe) -> Plane:
    """Return the shadow that falls on what lies around the object, strongest where the two touch."""
    height, width = hard.shape
    reach = rng.uniform(*recipe.matte_shadow_reach) * math.sqrt(float(hard.sum()))
    angle = rng.uniform(0, 2 * math.pi)
    shift = np.array([[1, 0, reach * math.cos(angle)], [0, rng.uniform(0.6, 1.0), 0.0]])
    shift[1, 2] = reach * math.sin(angle) + (1 - shift[1, 1]) * height * 0.9
    moved = np.asarray(cv2.warpAffine(hard, shift, (width, height)))
    return rng.uniform(*recipe.matte_shadow) * _blurred(moved, 0.2 * reach + spanned(rng, recipe.matte_shadow_blur))


def _developed(rng: np.random.Generator, seen: Plane, recipe: Recipe) -> Image:
    """Turn floats into a photograph with the noise and the compression of one."""
    if chance(rng, recipe.matte_noise_chance):
        seen = seen + rng.standard_normal(seen.shape, np.float32) * rng.uniform(0, recipe.matte_noise)
    image = np.rint(255 * np.clip(seen, 0, 1)).astype(np.uint8)
    if chance(rng, recipe.matte_jpeg_chance):
        image = compressed(image, int(rng.integers(*recipe.matte_jpeg)))
    return image


def _mean(colours: Plane, weight: Plane) -> Plane:
    return (colours * weight[..., None]).sum((0, 1)) / max(1.0, float(weight.sum()))


def _blurred(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
