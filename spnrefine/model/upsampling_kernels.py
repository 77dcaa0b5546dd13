"""The gradient of bilinear upsampling to twice the size, on a GPU, channels last: each pixel gathers its sixteen.

torch's own kernel scatters with atomic additions, in bfloat16 too. A kernel of Triton, which comes with torch for CUDA.
"""

import triton
import triton.language as tl


@triton.jit
def gather_kernel(grad, out, height, width, channels, across, side: tl.constexpr, lane_count: tl.constexpr):
    """Write ``out`` (N, height, width, channels) from ``grad`` (N, 2 height, 2 width, channels).

    A program takes a square of ``side`` pixels, of which there are ``across`` in a row, and ``lane_count`` channels.
    """
    square, channel, image = tl.program_id(0), tl.program_id(1) * lane_count, tl.program_id(2).to(tl.int64)
    pixel = tl.arange(0, side * side)
    row, column = (square // across) * side + pixel // side, (square % across) * side + pixel % side
    lanes = channel + tl.arange(0, lane_count)
    known = (lanes < channels)[None, :]
    grad += image * 4 * height * width * channels
    out += image * height * width * channels
    total = tl.zeros((side * side, lane_count), tl.float32)
    for tap in tl.static_range(16):
        down, right = tap // 4 - 1, tap % 4 - 1
        y, x = 2 * row + down, 2 * column + right
        share = (0.75 if down == 0 or down == 1 else 0.25) + 0.25 * (
            ((y == 0) | (y == 2 * height - 1)) & (y // 2 == row)
        ).to(tl.float32)
        share *= (0.75 if right == 0 or right == 1 else 0.25) + 0.25 * (
            ((x == 0) | (x == 2 * width - 1)) & (x // 2 == column)
        ).to(tl.float32)
        inside = (y >= 0) & (x >= 0) & (y < 2 * height) & (x < 2 * width)
        at = (y * 2 * width + x)[:, None] * channels + lanes[None, :]
        taken = tl.load(grad + at, mask=inside[:, None] & known, other=0.0)
        total += taken.to(tl.float32) * share[:, None]
    at = (row * width + column)[:, None] * channels + lanes[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=((row < height) & (column < width))[:, None] & known)
