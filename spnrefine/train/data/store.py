"""All pairs, decoded once, in flat memory of the device: texels of photographs and bytes of distance maps.

Photographs differ in size, so nothing is stacked: record ``i`` starts at its offset, and a batch is gathered by index.
11,000 photographs of 400 x 300 pixels take about 9 GB.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spnrefine.errors import FileError
from spnrefine.train.data.decode import REDRAWN, Decoded, decode
from spnrefine.train.data.pairs import Pair
from spnrefine.train.recipe import Recipe

TEXEL = 4  # bytes
POINTS = 64  # boundary points kept of each record, for views around them


def to_device(array: NDArray, device: torch.device) -> Tensor:
    """Return ``array`` as a tensor on ``device``; the host does not wait for a GPU that is still at work."""
    tensor = torch.from_numpy(array)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


@dataclass(frozen=True, eq=False)
class Store:
    """Records, one a mask; several may share a photograph.

    texels : (P,) int32, four bytes each: red, green, blue, and 255 where the pixel is void.
    maps : (Q,) int8, see :func:`~spnrefine.train.data.distance.signed_distance`: for each record the truth's map, then
        those of three polygon and two brushed versions at half the resolution, see
        :func:`~spnrefine.train.data.distance.halved`, then those that networks made, see
        :func:`~spnrefine.train.data.decode.given_map`.
    given : (R,) int64, on the device: how many of those there are; ``any_given`` whether any record has one.
    texel_start, map_start, height, width : (R,) int64, on the device.
    boxes : (R, 4) float32 on the host: left, top, right, bottom of the object, in pixels.
    object_sizes : (R,) float32 on the host, see :func:`~spnrefine.train.data.decode.object_size`.
    points : (R, POINTS, 2) float32 on the host: x, y of pixels along the object's edge.
    sets : (R,) int64 on the host: index into ``set_names``; ``photographs``, how many each of those has.
    """

    texels: Tensor
    maps: Tensor
    texel_start: Tensor
    map_start: Tensor
    height: Tensor
    width: Tensor
    given: Tensor
    any_given: bool
    sizes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    object_sizes: NDArray[np.float32]
    points: NDArray[np.float32]
    sets: NDArray[np.int64]
    photographs: NDArray[np.int64]
    set_names: list[str]

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def device(self) -> torch.device:
        return self.texels.device

    def weights(self, balance: float) -> NDArray[np.float64]:
        """Return the chance of each record: sets in proportion to their photographs to the power of ``balance``."""
        masks = np.bincount(self.sets, minlength=len(self.set_names))
        each = self.photographs.astype(float) ** balance / np.maximum(masks, 1)
        chances = each[self.sets]
        return chances / chances.sum()

    def drawn(self, count: int, balance: float, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return ``count`` records, drawn with the chances of :meth:`weights`."""
        return np.searchsorted(self._cumulated(balance), rng.random(count), side="right")

    @lru_cache(maxsize=4)  # noqa: B019 (stores live as long as the run)
    def _cumulated(self, balance: float) -> NDArray[np.float64]:
        return np.cumsum(self.weights(balance))[:-1]


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
    FileError
        No pair can be used.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    boxes, object_sizes, points, sets = [], [], [], []
    names = sorted({pair.set_name for pair in pairs})
    photographs = np.zeros(len(names), np.int64)
    texels, maps = bytearray(), bytearray()  # grow in place: memory never holds them twice
    for done, (pair, decoded) in enumerate(_decode_all(pairs, recipe, seed, threads)):
        progress(done + 1)
        if isinstance(decoded, str):
            skipped(pair, decoded)
            continue
        photographs[names.index(pair.set_name)] += 1
        height, width = decoded.texels.shape[:2]
        for index, mask in enumerate(decoded.masks):
            planes = decoded.maps[index * (1 + REDRAWN) : (index + 1) * (1 + REDRAWN)]
            given = [] if index else decoded.given
            rows.append((len(texels) // TEXEL, len(maps), height, width, len(given)))
            ys, xs = np.nonzero(mask)
            boxes.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
            object_sizes.append(decoded.sizes[index])
            points.append(_edge_points(planes[0], decoded.texels[..., 3] > 0))
            sets.append(names.index(pair.set_name))
            for plane in (*planes, *given):
                maps += plane.data
        texels += decoded.texels.data
    if not rows:
        raise FileError(
            f"None of the {len(pairs)} pairs can be trained on: expected readable photographs and masks of the "
            "same size, with an object that is neither tiny nor the whole picture."
        )
    table = np.array(rows, np.int64)
    texel_start, map_start, heights, widths, given_counts = torch.from_numpy(table).to(device).unbind(1)
    return Store(
        torch.frombuffer(texels, dtype=torch.int32).to(device),
        torch.frombuffer(maps, dtype=torch.int8).to(device),
        texel_start,
        map_start,
        heights,
        widths,
        given_counts,
        bool(table[:, 4].any()),
        sizes=table[:, 2:4],
        boxes=np.array(boxes, np.float32),
        object_sizes=np.array(object_sizes, np.float32),
        points=np.stack(points),
        sets=np.array(sets),
        photographs=photographs,
        set_names=names,
    )


def _decode_all(pairs: Sequence[Pair], recipe: Recipe, seed: int, threads: int) -> Iterator[tuple[Pair, Decoded | str]]:
    ahead = 8 * threads  # bounds what waits in memory
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(pairs), ahead):
            part = pairs[start : start + ahead]
            seeds = [(seed, start + offset) for offset in range(len(part))]
            yield from zip(part, pool.map(lambda pair, at: decode(pair, recipe, at), part, seeds), strict=True)


def _edge_points(truth: NDArray[np.int8], void: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return ``POINTS`` pixels along the edge, evenly taken from all (in memory order), x before y.

    Where an object ends at void pixels is no edge of it, unless it has no other.
    """
    edge = np.abs(truth.astype(np.int16)) <= 3
    known = edge & (cv2.dilate(void.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)
    ys, xs = np.nonzero(known if known.any() else edge)
    take = np.linspace(0, len(ys) - 1, POINTS).astype(int)
    return np.stack([xs[take], ys[take]], 1).astype(np.float32)


def memory_of(store: Store) -> str:
    """Say how much there is, for the log."""
    gib = (store.texels.nbytes + store.maps.nbytes) / 2**30
    return f"{len(store)} masks, {gib:.1f} GiB"
