"""All pairs, decoded once, in flat memory of the device: texels of photographs and bytes of distance maps.

Photographs differ in size, so nothing is stacked: record ``i`` starts at its offset, and a batch is gathered by index.
On a CPU the memory is a file mapped into it, so that the system may drop and reread what is not in use.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from spnrefine.errors import FileError
from spnrefine.train.distance import polygon_version, signed_distance
from spnrefine.train.pairs import Pair
from spnrefine.train.recipe import Recipe

POLYGONS = 3
POINTS = 64  # boundary points kept of each record, for views around them


@dataclass(frozen=True)
class Store:
    """Records, one a mask; several may share a photograph.

    texels : (P,) int32, four bytes each: red, green, blue, and 255 where the pixel is void.
    maps : (Q,) int8, see :func:`~spnrefine.train.distance.signed_distance`: for each record the truth's map, then those
        of three polygon versions, each of the photograph's size.
    texel_start, map_start, height, width : (R,) int64, on the device.
    boxes : (R, 4) float32 on the host: left, top, right, bottom of the object, in pixels.
    points : (R, POINTS, 2) float32 on the host: x, y of pixels along the object's edge.
    sets : (R,) int64 on the host: index into ``set_names``.
    """

    texels: Tensor
    maps: Tensor
    texel_start: Tensor
    map_start: Tensor
    height: Tensor
    width: Tensor
    sizes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    sets: NDArray[np.int64]
    set_names: list[str]

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def device(self) -> torch.device:
        return self.texels.device

    def weights(self, balance: float) -> NDArray[np.float64]:
        """Return the chance of each record: sets in proportion to their size to the power of ``balance``."""
        counts = np.bincount(self.sets, minlength=len(self.set_names)).astype(float)
        each = np.maximum(counts, 1) ** (balance - 1)
        chances = each[self.sets]
        return chances / chances.sum()


@dataclass(frozen=True)
class _Decoded:
    texels: NDArray[np.uint8]
    masks: list[NDArray[np.bool_]]
    maps: list[NDArray[np.int8]]


def build_store(
    pairs: Sequence[Pair],
    recipe: Recipe,
    *,
    device: torch.device,
    seed: int,
    threads: int,
    skipped: Callable[[Pair, str], None],
    progress: Callable[[int], None] = lambda done: None,
) -> Store:
    """Decode ``pairs`` in threads and put them into memory of ``device``.

    Parameters
    ----------
    skipped : called with each pair that cannot be used, and why.
    progress : called with the number of pairs read so far.

    Raises
    ------
    FileError   where no pair can be used.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    boxes, points, sets = [], [], []
    names = sorted({pair.set_name for pair in pairs})
    texel_end = map_end = 0
    with tempfile.TemporaryFile() as texel_file, tempfile.TemporaryFile() as map_file:
        for done, (pair, decoded) in enumerate(_decode_all(pairs, recipe, seed, threads)):
            progress(done + 1)
            if isinstance(decoded, str):
                skipped(pair, decoded)
                continue
            height, width = decoded.texels.shape[:2]
            texel_file.write(decoded.texels.tobytes())
            for index, mask in enumerate(decoded.masks):
                planes = decoded.maps[index * (1 + POLYGONS) : (index + 1) * (1 + POLYGONS)]
                map_file.writelines(plane.tobytes() for plane in planes)
                rows.append((texel_end, map_end, height, width, done))
                ys, xs = np.nonzero(mask)
                boxes.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
                points.append(_edge_points(planes[0]))
                sets.append(names.index(pair.set_name))
                map_end += (1 + POLYGONS) * height * width
            texel_end += height * width
        if not rows:
            raise FileError(
                f"None of the {len(pairs)} pairs can be trained on: expected readable photographs and masks of the "
                "same size, with an object that is neither tiny nor the whole picture."
            )
        texels = _to_device(texel_file, np.int32, device)
        maps = _to_device(map_file, np.int8, device)
    table = np.array(rows, np.int64)
    on_device = torch.from_numpy(table).to(device).unbind(1)
    return Store(
        texels,
        maps,
        *on_device[:4],
        sizes=table[:, 2:4],
        boxes=np.array(boxes, np.float32),
        points=np.stack(points),
        sets=np.array(sets),
        set_names=names,
    )


def _to_device(file: IO[bytes], dtype: type, device: torch.device) -> Tensor:
    file.flush()
    return torch.from_numpy(np.memmap(file, dtype, mode="c")).to(device)  # the mapping outlives the open file


def _decode_all(
    pairs: Sequence[Pair], recipe: Recipe, seed: int, threads: int
) -> Iterator[tuple[Pair, _Decoded | str]]:
    ahead = 8 * threads  # bounds what waits in memory
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(pairs), ahead):
            part = pairs[start : start + ahead]
            seeds = [(seed, start + offset) for offset in range(len(part))]
            yield from zip(part, pool.map(lambda pair, at: _decode(pair, recipe, at), part, seeds), strict=True)


def _decode(pair: Pair, recipe: Recipe, seed: tuple[int, int]) -> _Decoded | str:
    """Return the pair's contents, or why it cannot be used."""
    rng = np.random.default_rng(seed)
    try:
        image = _read(pair.image, "RGB")
        ids = _read(pair.mask, None if pair.labels else "L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return str(error)
    if ids.shape != image.shape[:2]:
        return f"the photograph has {image.shape[1]}x{image.shape[0]} pixels, its mask {ids.shape[1]}x{ids.shape[0]}"
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
    return _Decoded(np.dstack([image, np.where(valid, 0, 255).astype(np.uint8)]), masks, maps)


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


def _maps(mask: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator) -> Iterator[NDArray[np.int8]]:
    yield signed_distance(mask)
    ys, xs = np.nonzero(mask)
    size = np.sqrt(np.ptp(xs) * np.ptp(ys) + 1)
    for share in np.exp(rng.uniform(*np.log(recipe.polygon_span), POLYGONS)):
        yield signed_distance(polygon_version(mask, size * share, fill=rng.random() < recipe.polygon_fill_chance))


def _edge_points(truth: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return ``POINTS`` pixels along the edge, evenly taken from all (in memory order), x before y."""
    ys, xs = np.nonzero(np.abs(truth.astype(np.int16)) <= 3)
    take = np.linspace(0, len(ys) - 1, POINTS).astype(int)
    return np.stack([xs[take], ys[take]], 1).astype(np.float32)


def memory_of(store: Store) -> str:
    """Say how much there is, for the log."""
    gib = (store.texels.nbytes + store.maps.nbytes) / 2**30
    return f"{len(store)} masks, {gib:.1f} GiB" + (" (mapped)" if sys.platform and store.device.type == "cpu" else "")
