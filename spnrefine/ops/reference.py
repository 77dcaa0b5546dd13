"""The propagation operator in plain torch: the definition that every other backend is tested against.

Written to be read. It loops over lines in Python and is vectorised over each line, so it is slow; autograd
differentiates it, to any order.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from spnrefine.ops.directions import ALL_DIRECTIONS, Direction


def scan(x: Tensor, guidance: Tensor, direction: Direction, *, normalise: str | None = "bounded") -> Tensor:
    """Run the linear recurrence over ``x`` in one direction.

    For LEFT_TO_RIGHT, with gates a, b, c of the pixel in row k and column t::

        h[k,t] = (1 - a - b - c) x[k,t] + a h[k-1,t-1] + b h[k,t-1] + c h[k+1,t-1]

    Parameters
    ----------
    x : (N, C, H, W) float tensor, any range.
    guidance : (N, T, G, H, W) float tensor, raw; T taps (3: before, centre, after; 1: centre), G = C or 1.
    direction : which way to run.
    normalise : ``bounded``, ``unit`` or None, see :func:`gates`.

    Returns
    -------
    (N, C, H, W) tensor in the accumulation type: float64 for float64 input, float32 otherwise.

    Notes
    -----
    Liu et al., "Learning Affinity via Spatial Propagation Networks", NIPS 2017, eq. 1 and 10.
    """
    dtype = accumulation_dtype(x, guidance)
    taps = gates(guidance.to(dtype), direction, normalise)
    lines = -1 if direction.horizontal else -2  # lines are stacked along this axis; a line runs along the other one
    step = -1 if direction.reverse else 1
    h: list[Tensor] = []
    for x_line, tap_line in list(zip(x.to(dtype).unbind(lines), taps.unbind(lines), strict=True))[::step]:
        line = (1 - tap_line.sum(1)) * x_line
        if h:
            line = line + sum(
                tap * source for tap, source in zip(tap_line.unbind(1), _sources(h[-1], taps), strict=True)
            )
        h.append(line)
    return torch.stack(h[::step], dim=lines)


def propagate(
    x: Tensor,
    guidance: Tensor,
    *,
    directions: Sequence[Direction] = ALL_DIRECTIONS,
    normalise: str | None = "bounded",
) -> Tensor:
    """Scan ``x`` in every direction and keep the elementwise maximum.

    ``guidance`` is (N, D, T, G, H, W), one slice of its second axis for each of the D ``directions``. Where
    directions tie, the first of them is the maximum and takes the gradient. Shapes, result and source as :func:`scan`.
    """
    x = x.to(accumulation_dtype(x, guidance))  # here, so that the directions' gradients are summed in that type
    merged = scan(x, guidance[:, 0], directions[0], normalise=normalise)
    for i, direction in enumerate(directions[1:], start=1):
        h = scan(x, guidance[:, i], direction, normalise=normalise)
        merged = torch.where(h > merged, h, merged)  # torch.maximum would share the gradient of a tie
    return merged


def gates(guidance: Tensor, direction: Direction, normalise: str | None = "bounded") -> Tensor:
    """Turn raw guidance (N, T, G, H, W) of one direction into gates of the same shape.

    A tap whose source lies outside the image becomes 0 first. Then ``bounded`` divides by max(1, sum of |taps|) and
    ``unit`` by the sum (Theorem 2 of the paper asks for a sum of at most 1); None leaves the taps as they are.
    """
    taps = torch.where(_inside(guidance, direction), guidance, torch.zeros_like(guidance))
    if normalise is None:
        return taps
    total = taps.abs().sum(1, keepdim=True)
    floor = 1.0 if normalise == "bounded" else 0.0
    return taps / torch.where(total > floor, total, torch.ones_like(total))


def accumulation_dtype(*tensors: Tensor) -> torch.dtype:
    """float64 where any of the tensors is float64, float32 otherwise."""
    return torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32


def _inside(guidance: Tensor, direction: Direction) -> Tensor:
    """Say, in (T, 1, H, W) booleans, which taps have their source inside the image."""
    taps, _, height, width = guidance.shape[1:]
    inside = torch.ones(taps, 1, height, width, dtype=torch.bool, device=guidance.device)
    if not direction.horizontal:
        inside = inside.transpose(-1, -2)  # a view: below, a line is a column
    inside[..., -1 if direction.reverse else 0] = False
    if taps == 3:
        inside[0, :, 0, :] = False
        inside[2, :, -1, :] = False
    return inside if direction.horizontal else inside.transpose(-1, -2)


def _sources(line: Tensor, taps: Tensor) -> list[Tensor]:
    """The line (N, C, L) as each tap sees it: shifted by one for before and after, 0 where there is no source."""
    if taps.shape[1] == 1:
        return [line]
    nothing = torch.zeros_like(line[..., :1])
    return [torch.cat([nothing, line[..., :-1]], -1), line, torch.cat([line[..., 1:], nothing], -1)]
