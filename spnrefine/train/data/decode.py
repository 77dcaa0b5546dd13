"""One pair, decoded: its photograph, the objects in it, and their distance maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.train.data.distance import half_size, halved, polygon_version, signed_distance
from spnrefine.train.data.pairs import Pair
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
        image = _read(pair.image, "RGB")
        ids = _read(pair.mask, None if pair.labels else "L")
        coarse = [_read(path, "L") for path in pair.coarse]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return str(error)
    if ids.shape != image.shape[:2]:
        return f"the photograph has {image.shape[1]}x{image.shape[0]} pixels, its mask {ids.shape[1]}x{ids.shape[0]}"
    wrong = [path for path, mask in zip(pair.coarse, coarse, strict=True) if mask.shape != ids.shape]
    if wrong:
        return f"{wrong[0]} has another size than the photograph"
    valid = ids != pair.void if pair.labels else np.ones(ids.shape, bool)
    if pair.labels:
        masks = _unions(ids, valid, recipe, rng)
    else:
        masks = [whole for whole in [ids > (127 if ids.max() > 1 else 0)] if _fits(whole, recipe)]
    masks += [part for part in (_some_parts(mask, recipe, rng) for mask in masks) if part is not None]
    if not masks:
        least, most = recipe.area_span
        return f"no object in it covers between {least:.1%} and {most:.0%} of the picture"
    maps = [plane for mask in masks for plane in _maps(mask, recipe, rng)]
    given = [given_map(mask) for mask in coarse]
    return Decoded(np.dstack([image, np.where(valid, 0, 255).astype(np.uint8)]), masks, maps, given)


def _read(path: Path, mode: str | None) -> NDArray[np.uint8]:
    with Image.open(path) as file:
        array = np.asarray(file.convert(mode) if mode else file)
    if mode is None and array.ndim != 2:
        raise ValueError(f"{path} is no label map: expected one channel of class ids, its mode is {file.mode}")
    return array


def _fits(mask: NDArray[np.bool_], recipe: Recipe) -> bool:
    least, most = recipe.area_span
    return least <= mask.mean() <= most


def _unions(
    ids: NDArray[np.uint8], valid: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator
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
