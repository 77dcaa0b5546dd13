"""One pair, decoded: its photograph, the objects in it, and their distance maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import SpnRefineError
from spnrefine.files.images import read_photograph
from spnrefine.train.data.distance import STEP, half_size, halved, signed_distance
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.reading import read_binary, read_given, read_label_map
from spnrefine.train.data.redrawn import brush_version, polygon_version
from spnrefine.train.data.unions import unions
from spnrefine.train.recipe import Recipe

POLYGONS = 3
"""Polygon versions of each mask."""
BRUSHES = 2
"""Brushed versions of each mask, after its polygons."""
REDRAWN = POLYGONS + BRUSHES
THIN = 10.0
"""The size of an object is at most this many times the mean depth of its pixels; a disc's is six times."""


@dataclass(frozen=True)
class Decoded:
    """``texels`` (H, W, 4) uint8: red, green, blue, void; ``maps``: of each of ``masks``, its own and its ``REDRAWN``.

    ``sizes`` are those of the masks, see :func:`object_size`; ``given`` are maps of what networks made of the first of
    ``masks``, see :func:`given_map`.
    """

    texels: NDArray[np.uint8]
    masks: list[NDArray[np.bool_]]
    maps: list[NDArray[np.int8]]
    sizes: list[float]
    given: list[NDArray[np.int8]]


def decode(pair: Pair, recipe: Recipe, seed: tuple[int, int]) -> Decoded | str:
    """Return the pair's contents, or why it cannot be used."""
    rng = np.random.default_rng(seed)
    try:
        photograph = read_photograph(pair.image)
        if pair.labels:
            labels = read_label_map(pair, photograph)
            ids, void = (_bounded(plane, recipe, cv2.INTER_NEAREST) for plane in (labels.ids, labels.void))
            drawn = unions(ids, ~void, rng, wanted=recipe.unions)
            masks = list(islice((union for union in drawn if _fits(union, recipe)), recipe.unions))
        else:
            truth = read_binary(pair, photograph)
            inside, void = (_bounded(plane, recipe, cv2.INTER_NEAREST) for plane in (truth.inside, truth.void))
            masks = [inside] if _fits(inside, recipe) else []
        coarse = [_bounded(read_given(path, photograph), recipe, cv2.INTER_AREA) for path in pair.coarse]
    except SpnRefineError as error:
        return str(error)
    masks += [part for part in (_some_parts(mask, recipe, rng) for mask in masks) if part is not None]
    if not masks:
        least, most = recipe.area_span
        return f"no object in it covers between {least:.1%} and {most:.0%} of the picture"
    own = [signed_distance(mask) for mask in masks]
    sizes = [object_size(mask, distance) for mask, distance in zip(masks, own, strict=True)]
    maps: list[NDArray[np.int8]] = []
    for mask, distance, size in zip(masks, own, sizes, strict=True):
        maps += [distance, *_redrawn(mask, size, recipe, rng)]
    given = [given_map(mask) for mask in coarse]
    image = _bounded(photograph.pixels, recipe, cv2.INTER_AREA)
    return Decoded(np.dstack([image, np.where(void, 255, 0).astype(np.uint8)]), masks, maps, sizes, given)


def _bounded(plane: NDArray, recipe: Recipe, how: int) -> NDArray:
    """Return a picture (H, W) or (H, W, 3) no longer than photographs are kept; one of 24 megapixels takes 0.14 GB."""
    height, width = plane.shape[:2]
    share = recipe.longest_side / max(height, width)
    if share >= 1:
        return plane
    size = max(1, round(width * share)), max(1, round(height * share))
    known = plane if plane.dtype == np.uint8 else plane.astype(np.int32)  # of what OpenCV resizes
    return cv2.resize(known, size, interpolation=how).astype(plane.dtype)


def _fits(mask: NDArray[np.bool_], recipe: Recipe) -> bool:
    least, most = recipe.area_span
    return least <= mask.mean() <= most


def _some_parts(mask: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Return ``mask`` without some of its parts: the others must then stay out, though they look the same."""
    if rng.random() >= recipe.parts_chance:
        return None
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = [part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] >= recipe.area_span[0] * mask.size]
    if len(large) < 2:
        return None
    return np.isin(parts, rng.choice(large, rng.integers(1, len(large)), replace=False))


def given_map(coarse: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return a network's mask (H, W), 0..255, at half the resolution, its probabilities as -127 to 127."""
    height, width = half_size(*coarse.shape)
    small = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(small * (254 / 255)) - 127, -127, 127).astype(np.int8)


def object_size(mask: NDArray[np.bool_], truth: NDArray[np.int8]) -> float:
    """Return the square root of the area of the object's box, pixels; less for what is thin or in many small parts.

    Mistakes are drawn in proportion to it, and those about a crack are no larger for its length.
    """
    ys, xs = np.nonzero(mask)
    depth = truth[mask].mean() * STEP
    return float(min(np.sqrt((np.ptp(xs) + 1) * (np.ptp(ys) + 1)), THIN * max(depth, 0.5)))


def _redrawn(
    mask: NDArray[np.bool_], size: float, recipe: Recipe, rng: np.random.Generator
) -> Iterator[NDArray[np.int8]]:
    for share in _log_uniform(recipe.polygon_span, POLYGONS, rng):
        fill = rng.random() < recipe.polygon_fill_chance
        yield halved(signed_distance(polygon_version(mask, max(1.0, size * share), fill=fill)))
    for share in _log_uniform(recipe.brush_span, BRUSHES, rng):
        yield halved(signed_distance(brush_version(mask, size * share, rng)))


def _log_uniform(span: tuple[float, float], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    least, most = np.log(span)
    return np.exp(rng.uniform(least, most, count))
