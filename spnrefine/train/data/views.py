"""Where in a photograph a patch looks, and what is seen there: image, truth and distance maps, resampled in one go.

A view is an affine map from a patch to a photograph. It is drawn on the host, because it rests on boxes and points kept
there; the looking up happens on the device, for the whole batch at once.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spnrefine.model.framing import margin
from spnrefine.train.data.distance import STEP, half_size
from spnrefine.train.data.store import Store, to_device
from spnrefine.train.recipe import Recipe

CPU_POSITIONS = 1 << 18
HAS_TRITON = importlib.util.find_spec("triton") is not None


@dataclass(frozen=True)
class Views:
    """A batch of N views.

    records : (N,) int64, on the device.
    affine : (N, 2, 3) float32, on the device: takes (u, v, 1), u and v from -1 to 1 across the patch, to x, y in the
        photograph's pixels (0 is the first pixel's left or upper side).
    scale : (N, 1, 1, 1) float32, on the device: output pixels a pixel of the photograph.
    object_size : (N, 1, 1, 1) float32, on the device: see :func:`~spnrefine.train.data.decode.object_size`, pixels.
    frame : (N,) bool on the host: which views show the whole object.
    side : output pixels.
    """

    records: Tensor
    affine: Tensor
    scale: Tensor
    object_size: Tensor
    frame: NDArray[np.bool_]
    side: int

    def __len__(self) -> int:
        return len(self.frame)

    def parts(self) -> Iterator["Views"]:
        """Split into parts whose sampling fits the cache of a CPU; a GPU takes all at once."""
        whole = self.affine.device.type != "cpu"
        size = len(self) if whole else max(1, CPU_POSITIONS // (2 * self.side) ** 2)
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield Views(
                self.records[part],
                self.affine[part],
                self.scale[part],
                self.object_size[part],
                self.frame[part],
                self.side,
            )


def draw_views(
    store: Store,
    count: int,
    side: int,
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    plain: bool = False,
    records: NDArray[np.int64] | None = None,
) -> Views:
    """Draw ``count`` records, or take those given, and where to look in each.

    ``plain`` asks for upright whole frames, as at inference.
    """
    if records is None:
        records = store.drawn(count, recipe.set_balance, rng)
    frame = np.full(count, True) if plain else rng.random(count) < recipe.frame_chance
    boxes, sizes = store.boxes[records], store.sizes[records][:, ::-1].astype(float)
    spans = boxes[:, 2:] - boxes[:, :2]
    frame_centre, frame_span = _frames(boxes, spans, sizes, side, recipe, rng, plain)
    zoom = np.maximum(_log_uniform(rng, recipe.zoom_span, count), side / sizes.max(1))
    point = store.points[records, rng.integers(store.points.shape[1], size=count)]
    wander = rng.uniform(-0.3, 0.3, (count, 2)) * (side / zoom)[:, None]
    span = np.where(frame, frame_span, side / zoom)
    centre = np.where(frame[:, None], frame_centre, _move_inside(point + wander, span, sizes))
    matrix = np.eye(2)[None] * (span / 2)[:, None, None]
    if not plain:
        matrix = matrix @ _turns(frame, recipe, rng)
    affine = np.concatenate([matrix, centre[:, :, None]], 2)
    device = store.device
    column = (count, 1, 1, 1)
    return Views(
        to_device(records, device),
        to_device(affine.astype(np.float32), device),
        to_device((side / span).astype(np.float32), device).reshape(column),
        to_device(store.object_sizes[records], device).reshape(column),
        frame,
        side,
    )


def _frames(
    boxes: NDArray[np.float32],
    spans: NDArray[np.float32],
    sizes: NDArray[np.float64],
    side: int,
    recipe: Recipe,
    rng: np.random.Generator,
    plain: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres and sides of squares around the objects, moved into the photograph where they fit into it."""
    count = len(boxes)
    longer = spans.max(1)
    span = longer + 2 * margin(longer)
    if not plain:
        other = longer * (1 + 2 * _log_uniform(rng, recipe.frame_margin_span, count))
        span = np.where(rng.random(count) < 0.5, other, span)
        span = np.where(rng.random(count) < recipe.scene_chance, sizes.max(1), span)
        small = longer * side / _log_uniform(rng, recipe.small_span, count)
        span = np.where(rng.random(count) < recipe.small_chance, small, span)
        span = np.maximum(span, side / recipe.frame_zoom)
    span = np.clip(span, 32, sizes.max(1))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return _move_inside(centre, span, sizes), span


def _move_inside(
    centre: NDArray[np.float64], span: NDArray[np.float64], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    half = span[:, None] / 2
    return np.clip(centre, np.minimum(half, sizes / 2), np.maximum(sizes - half, sizes / 2))


def _turns(frame: NDArray[np.bool_], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return (N, 2, 2): rotation, stretch and flips."""
    count = len(frame)
    most = np.radians(recipe.rotate_zoom) * np.where(frame, 1 / 3, 1)
    angle = rng.uniform(-1, 1, count) * most * (rng.random(count) < recipe.rotate_chance)
    cos, sin = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.uniform(-0.5, 0.5, count) * recipe.aspect)
    flip_x = np.where(rng.random(count) < recipe.flip_chance, -1, 1)
    flip_y = np.where(rng.random(count) < recipe.upside_down_chance, -1, 1)
    rotation = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)
    return rotation * np.stack([flip_x * stretch, flip_y / stretch], 1)[:, None, :]


def _log_uniform(rng: np.random.Generator, span: tuple[float, float], count: int) -> NDArray[np.float64]:
    return np.exp(rng.uniform(math.log(span[0]), math.log(span[1]), count))


def positions(views: Views, side: int) -> Tensor:
    """Return (N, 2, side, side): x and y in the photograph of a grid of ``side`` by ``side`` pixel centres."""
    axis = (torch.arange(side, device=views.affine.device, dtype=torch.float32) * 2 + 1) / side - 1
    linear, shift = views.affine[:, :, :2], views.affine[:, :, 2:]
    across = linear[:, :, 0, None, None] * axis[None, None, None, :]
    down = linear[:, :, 1, None, None] * axis[None, None, :, None]
    return across + down + shift[..., None]


def look(store: Store, views: Views) -> tuple[Tensor, Tensor, Tensor]:
    """Return image (N, 3, S, S) and valid (N, 1, S, S), floats 0..1, and the truth's distances (N, 1, S, S) in pixels.

    The image is sampled at twice the resolution and averaged down. Outside the photograph its border is repeated, and
    ``valid`` is 0 there and where there are void pixels.
    """
    image, valid, truth = zip(*(_look(store, part) for part in views.parts()), strict=True)
    return torch.cat(image).contiguous(), torch.cat(valid), torch.cat(truth)


def _look(store: Store, views: Views) -> tuple[Tensor, Tensor, Tensor]:
    start, height, width = (of[views.records] for of in (store.texel_start, store.height, store.width))
    fine = _sample(store.texels, start, height, width, positions(views, 2 * views.side), _unpack)
    both = fine[:, ::2] + fine[:, 1::2]  # faster than a pooling layer where the channels come last
    image = (both[:, :, ::2] + both[:, :, 1::2]).permute(0, 3, 1, 2) / (4 * 255)
    at = positions(views, views.side)
    height, width = height.view(-1, 1, 1), width.view(-1, 1, 1)
    inside = (at[:, 0] >= 0) & (at[:, 0] <= width) & (at[:, 1] >= 0) & (at[:, 1] <= height)
    valid = inside[:, None] & (image[:, 3:] == 0)
    return image[:, :3], valid.float(), distances(store, views, at)


def distances(store: Store, views: Views, at: Tensor, version: Tensor | None = None) -> Tensor:
    """Look distance maps up.

    Parameters
    ----------
    at : (N, 2, S, S) x and y in the photograph.
    version : (N,) int64, 0 for the truth, 1 to :data:`~spnrefine.train.data.decode.REDRAWN` for it drawn again,
        from there on masks that networks made; None: 0.

    Returns
    -------
    (N, 1, S, S) float, pixels of the photograph, positive in the object.
    """
    start, height, width = (of[views.records] for of in (store.map_start, store.height, store.width))
    if version is not None:
        smaller = version > 0
        half_height, half_width = half_size(height, width)
        behind = height * width + (version - 1).clamp(min=0) * half_height * half_width
        start = start + behind * smaller
        low, flat = torch.where(smaller, half_height, height), torch.where(smaller, half_width, width)
        at = at * torch.stack([flat / width, low / height], 1)[..., None, None]
        height, width = low, flat
    return _sample(store.maps, start, height, width, at, _as_float)[..., 0].unsqueeze(1) * STEP


def _as_float(taken: Tensor) -> Tensor:
    return taken.float().unsqueeze(-1)


def _unpack(taken: Tensor) -> Tensor:
    return taken.unsqueeze(-1).view(torch.uint8).float()


def _sample(
    flat: Tensor, start: Tensor, height: Tensor, width: Tensor, at: Tensor, unpack: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return (N, S, S, C): bilinear samples of pictures that begin at ``start`` in ``flat``, borders repeated."""
    if flat.is_cuda and HAS_TRITON:
        from spnrefine.train.data.sampling_kernels import sample

        return sample(flat, start, height, width, at)
    height, width = height.view(-1, 1, 1), width.view(-1, 1, 1)
    x, y = at[:, 0] - 0.5, at[:, 1] - 0.5
    x0, y0 = x.floor(), y.floor()
    fx, fy = (x - x0).unsqueeze(-1), (y - y0).unsqueeze(-1)
    left, up = x0.long(), y0.long()
    right, down = (left + 1).clamp(min=0).minimum(width - 1), (up + 1).clamp(min=0).minimum(height - 1)
    left, up = left.clamp(min=0).minimum(width - 1), up.clamp(min=0).minimum(height - 1)
    rows = [start.view(-1, 1, 1) + row * width for row in (up, down)]

    def taken(row: Tensor) -> Tensor:
        return torch.lerp(unpack(torch.take(flat, row + left)), unpack(torch.take(flat, row + right)), fx)

    upper, lower = map(taken, rows)
    return torch.lerp(upper, lower, fy)
