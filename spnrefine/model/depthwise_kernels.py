"""Depthwise convolution on a GPU, channels last: what it reads it reads once, and a tile's neighbours from its cache.

Kernels of Triton, which comes with torch for CUDA. A program takes a square of pixels and some channels; kernels of 3x3
and 5x5 taps, strides of 1 and 2. Sums are float32, in a fixed order.
"""

import triton
import triton.language as tl


@triton.jit
def correlate_kernel(
    x, weight, out, height, width, out_height, out_width, channels, across,
    kernel: tl.constexpr, stride: tl.constexpr, transposed: tl.constexpr, side: tl.constexpr, lane_count: tl.constexpr,
):  # fmt: skip
    """Write ``out`` (N, out_height, out_width, channels) from ``x`` (N, height, width, channels).

    ``weight`` is (kernel * kernel, channels), float32. transposed: ``x`` is a gradient of the convolution's output and
    ``out`` becomes that of its input. ``across``: squares of side pixels in a row of ``out``.
    """
    square, channel, image = tl.program_id(0), tl.program_id(1) * lane_count, tl.program_id(2).to(tl.int64)
    pixel = tl.arange(0, side * side)
    row, column = (square // across) * side + pixel // side, (square % across) * side + pixel % side
    lanes = channel + tl.arange(0, lane_count)
    known = lanes < channels
    x += image * height * width * channels
    out += image * out_height * out_width * channels
    total = tl.zeros((side * side, lane_count), tl.float32)
    for tap in tl.static_range(kernel * kernel):
        down, right = tap // kernel - kernel // 2, tap % kernel - kernel // 2
        if transposed:
            y, z = row - down, column - right
            inside = (y >= 0) & (z >= 0) & (y % stride == 0) & (z % stride == 0)
            y, z = y // stride, z // stride
            inside = inside & (y < height) & (z < width)
        else:
            y, z = row * stride + down, column * stride + right
            inside = (y >= 0) & (z >= 0) & (y < height) & (z < width)
        factor = tl.load(weight + tap * channels + lanes, mask=known, other=0.0)
        at = (y * width + z)[:, None] * channels + lanes[None, :]
        taken = tl.load(x + at, mask=inside[:, None] & known[None, :], other=0.0)
        total += taken.to(tl.float32) * factor[None, :]
    at = (row * out_width + column)[:, None] * channels + lanes[None, :]
    written = ((row < out_height) & (column < out_width))[:, None] & known[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=written)


@triton.jit
def weight_kernel(
    x, grad, parts, height, width, out_height, out_width, channels, pixels, share,
    kernel: tl.constexpr, stride: tl.constexpr, chunk: tl.constexpr, lane_count: tl.constexpr,
):  # fmt: skip
    """Write to ``parts`` (programs of axis 1, kernel * kernel, channels), float32, what each gives to the gradient.

    A program takes one row of taps, ``share`` of the ``pixels`` of all images' outputs and lane_count channels.
    """
    down, piece, channel = tl.program_id(0), tl.program_id(1), tl.program_id(2) * lane_count
    lanes = channel + tl.arange(0, lane_count)
    known = lanes < channels
    first = piece * share
    sum0 = tl.zeros((chunk, lane_count), tl.float32)
    sum1 = tl.zeros((chunk, lane_count), tl.float32)
    sum2 = tl.zeros((chunk, lane_count), tl.float32)
    sum3 = tl.zeros((chunk, lane_count), tl.float32)
    sum4 = tl.zeros((chunk, lane_count), tl.float32)
    for done in range(0, share, chunk):
        pixel = first + done + tl.arange(0, chunk)
        here = (pixel < pixels) & (done + tl.arange(0, chunk) < share)
        line = pixel // out_width
        column = (pixel % out_width) * stride - kernel // 2
        row = (line % out_height) * stride + down - kernel // 2
        start = ((line // out_height) * height + row) * width
        at = pixel.to(tl.int64)[:, None] * channels + lanes[None, :]
        here = here[:, None] & known[None, :]
        told = tl.load(grad + at, mask=here, other=0.0).to(tl.float32)
        here = here & ((row >= 0) & (row < height))[:, None]
        for right in tl.static_range(kernel):
            z = column + right
            at = (start + z).to(tl.int64)[:, None] * channels + lanes[None, :]
            inside = here & ((z >= 0) & (z < width))[:, None]
            product = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) * told
            if right == 0:
                sum0 += product
            elif right == 1:
                sum1 += product
            elif right == 2:
                sum2 += product
            elif right == 3:
                sum3 += product
            else:
                sum4 += product
    parts += (piece * kernel * kernel + down * kernel) * channels + lanes
    tl.store(parts, tl.sum(sum0, 0), mask=known)
    tl.store(parts + channels, tl.sum(sum1, 0), mask=known)
    tl.store(parts + 2 * channels, tl.sum(sum2, 0), mask=known)
    if kernel == 5:
        tl.store(parts + 3 * channels, tl.sum(sum3, 0), mask=known)
        tl.store(parts + 4 * channels, tl.sum(sum4, 0), mask=known)
