"""Bilinear samples on a GPU in one pass: a chain of torch's own kernels moves thirty times as many bytes.

A kernel of Triton, which comes with torch for CUDA.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

POSITIONS = 256  # of a program


@triton.jit
def sample_kernel(
    flat, start, height, width, at, out, positions, texels: tl.constexpr, size: tl.constexpr
):  # fmt: skip
    """Write ``out`` (N, positions, 4 of texels, else 1) of pictures that begin at ``start`` in ``flat``."""
    picture = tl.program_id(1).to(tl.int64)
    position = tl.program_id(0) * size + tl.arange(0, size)
    known = position < positions
    rows, columns = tl.load(height + picture).to(tl.int32), tl.load(width + picture).to(tl.int32)
    at += picture * 2 * positions + position
    x, y = tl.load(at, mask=known, other=0.0) - 0.5, tl.load(at + positions, mask=known, other=0.0) - 0.5
    left, up = tl.floor(x), tl.floor(y)
    across, down = x - left, y - up
    left, up = left.to(tl.int32), up.to(tl.int32)
    right, below = tl.minimum(tl.maximum(left + 1, 0), columns - 1), tl.minimum(tl.maximum(up + 1, 0), rows - 1)
    left, up = tl.minimum(tl.maximum(left, 0), columns - 1), tl.minimum(tl.maximum(up, 0), rows - 1)
    flat += tl.load(start + picture)
    a = tl.load(flat + (up * columns + left), mask=known, other=0)
    b = tl.load(flat + (up * columns + right), mask=known, other=0)
    c = tl.load(flat + (below * columns + left), mask=known, other=0)
    d = tl.load(flat + (below * columns + right), mask=known, other=0)
    if texels:
        out += (picture * positions + position) * 4
        for channel in tl.static_range(4):
            p = ((a >> (8 * channel)) & 255).to(tl.float32)
            q = ((b >> (8 * channel)) & 255).to(tl.float32)
            r = ((c >> (8 * channel)) & 255).to(tl.float32)
            s = ((d >> (8 * channel)) & 255).to(tl.float32)
            upper, lower = p + (q - p) * across, r + (s - r) * across
            tl.store(out + channel, upper + (lower - upper) * down, mask=known)
    else:
        p, q, r, s = a.to(tl.float32), b.to(tl.float32), c.to(tl.float32), d.to(tl.float32)
        upper, lower = p + (q - p) * across, r + (s - r) * across
        tl.store(out + picture * positions + position, upper + (lower - upper) * down, mask=known)


def sample(flat: Tensor, start: Tensor, height: Tensor, width: Tensor, at: Tensor) -> Tensor:
    """Return (N, S, S, C) float32: bilinear samples, borders repeated.

    Parameters
    ----------
    flat : pictures in one line: int32 texels, whose four bytes are the channels, or int8 of one channel.
    start, height, width : (N,) int64 where each of N pictures begins, and its sides.
    at : (N, 2, S, S) float32, x and y in pixels; 0 is the first pixel's left or upper side.
    """
    count, _, rows, columns = at.shape
    texels = flat.dtype == torch.int32
    out = torch.empty((count, rows, columns, 4 if texels else 1), dtype=torch.float32, device=flat.device)
    programs = triton.cdiv(rows * columns, POSITIONS)
    sample_kernel[(programs, count)](
        flat, start, height, width, at.contiguous(), out, rows * columns, texels=texels, size=POSITIONS
    )
    return out
