"""One pair, decoded: its photograph, the objects in it, and their distance maps."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import SpnRefineError
from spnrefine.files.images import read_photograph
from spnrefine.train.data.distance import half_size, halved, polygon_version, signed_distance
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.reading import read_binary, read_given, read_label_map
from spnrefine.train.recipe import Recipe

POLYGONS = 3
"""Polygon versions of each mask."""


@dataclass(frozen=True)
class Decoded:
    """``texels`` (H, W, 4) uint8: red, green, blue, void; ``maps``: of each of ``masks``, its own and its polygons'.

    ``given`` are maps of what networks made of the first of ``masks``, see :func:`given_map`.
    """

    texels: NDArray[np.uint8]
    masks: list[NDArray[np.bool_]]
    maps: list[NDArray[np.int8]]
    given: list[NDArray[np.int8]]


def decode(pair: Pair, recipe: Recipe, seed: tuple[int, int]) -> Decoded | str:
    """Return the pair's contents, or why it cannot be used."""
    rng = np.random.default_rng(seed)
    try:
        photograph = read_photograph(pair.image)
        if pair.labels:
            labels = read_label_map(pair, photograph)
            void, masks = labels.void, _unions(labels.ids, ~labels.void, recipe, rng)
        else:
            truth = read_binary(pair, photograph)
            void, masks = truth.void, [truth.inside] if _fits(truth.inside, recipe) else []
        coarse = [read_given(path, photograph) for path in pair.coarse]
    except SpnRefineError as error:
        return str(error)
    masks += [part for part in (_some_parts(mask, recipe, rng) for mask in masks) if part is not None]
    if not masks:
        least, most = recipe.area_span
        return f"no object in it covers between {least:.1%} and {most:.0%} of the picture"
    maps = [plane for mask in masks for plane in _maps(mask, recipe, rng)]
    given = [given_map(mask) for mask in coarse]
    return Decoded(np.dstack([photograph.pixels, np.where(void, 255, 0).astype(np.uint8)]), masks, maps, given)


def _fits(mask: NDArray[np.bool_], recipe: Recipe) -> bool:
    least, most = recipe.area_span
    return least <= mask.mean() <= most


def _unions(
    ids: NDArray[np.integer], valid: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Return random unions of the classes in ``ids``: one class as often as several."""
    classes = np.unique(ids[valid])
    unions: list[NDArray[np.bool_]] = []
    for _ in range(4 * recipe.unions if len(classes) > 1 else 0):
        size = 1 if rng.random() < 0.5 else rng.integers(1, len(classes))
        union = np.isin(ids, rng.choice(classes, size, replace=False)) & valid
        if _fits(union, recipe) and len(unions) < recipe.unions:
            unions.append(union)
    return unions


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


def _maps(mask: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator) -> Iterator[NDArray[np.int8]]:
    yield signed_distance(mask)
    ys, xs = np.nonzero(mask)
    size = np.sqrt(np.ptp(xs) * np.ptp(ys) + 1)
    least, most = np.log(recipe.polygon_span)
    for share in np.exp(rng.uniform(least, most, POLYGONS)):
        yield halved(
            signed_distance(polygon_version(mask, size * share, fill=rng.random() < recipe.polygon_fill_chance))
        )
