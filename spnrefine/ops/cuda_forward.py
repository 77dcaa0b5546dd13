"""The forward kernel: all directions of a round in one launch, each writing its own plane of h."""

# mypy: disable-error-code="operator,call-arg"
# kernels are written in Numba's language, whose thread indices and barriers mypy takes for plain functions

import numpy as np
from numba import cuda, types

from spnrefine.ops.cuda_tiles import clamped, normalised, position, scan_shape
from spnrefine.ops.cuda_types import Storage


def forward_kernel(x_type: Storage, g_type: Storage, h_type: Storage, taps: int, depth: int, wide: bool):
    """Return (kernel, its signature); ``depth`` lines a tile; ``wide`` calculates in float64, else in float32.

    Shared memory, in numbers of the type calculated in: (taps + 2) * depth * (threads + 32 // depth).
    """
    real = np.float64 if wide else np.float32
    shared_type = types.float64 if wide else types.float32
    x_numba, g_numba = x_type.numba, g_type.numba
    load_x, load_g, store_h = x_type.load, g_type.load, h_type.store
    zero, one = real(0), real(1)
    planes = taps + 1  # gates and (1 - sum of gates) x; after them, in the tile, the plane of h
    pad = 32 // depth  # rows shifted by as many banks keep the transposing writes free of conflicts

    def forward(
        x, guidance, h, carry, x_strides, g_strides, batch, channels, height, width, per_block, directions,
        normalise, w_contiguous,
    ):  # fmt: skip
        tile = cuda.shared.array(0, shared_type)
        raw_g = cuda.local.array((taps, depth), g_numba)
        raw_x = cuda.local.array(depth, x_numba)
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        groups = channels // per_block
        c0 = cuda.blockIdx.x % groups * per_block
        n = cuda.blockIdx.x // groups % batch
        i = cuda.blockIdx.x // groups // batch
        direction = (directions >> (2 * i)) & 3
        horizontal, reverse = direction < 2, direction & 1
        lines, length = scan_shape(direction, height, width)
        transposed = horizontal and w_contiguous
        g_base = n * g_strides[0] + i * g_strides[1] + c0 * g_strides[3]
        x_base = n * x_strides[0] + c0 * x_strides[1]
        h_base = ((i + n * (cuda.gridDim.x // groups // batch)) * channels + c0) * height * width
        g_row, g_line = g_strides[4], g_strides[5]
        x_row, x_line = x_strides[2], x_strides[3]
        h_row, h_line = width, 1
        if not horizontal:
            g_row, g_line = g_line, g_row
            x_row, x_line = x_line, x_row
            h_row, h_line = h_line, h_row

        rows = threads // per_block
        halo = 0 if rows >= length else depth
        owned = rows - 2 * halo
        chunks = (length + owned - 1) // owned
        tiles = (lines + depth - 1) // depth * chunks
        stride = threads + pad
        h_plane = planes * depth * stride
        own_k, own_c = thread // per_block, thread % per_block
        state = zero

        for step in range(-1, tiles):
            first_line = step // chunks * depth
            first_row = step % chunks * owned - halo
            if step >= 0:
                for j in range(depth):
                    line, p = position(j, thread, threads, depth, transposed)
                    row = first_row + p // per_block
                    started = first_line + line > 0
                    a, b, c = zero, zero, zero
                    if taps == 3:
                        if started and row > 0:
                            a = load_g(raw_g[0, j])
                        if started and row < length - 1:
                            c = load_g(raw_g[2, j])
                    if started:
                        b = load_g(raw_g[taps // 2, j])
                    a, b, c, _ = normalised(a, b, c, normalise, zero, one)
                    at = line * stride + p
                    tile[taps * depth * stride + at] = (one - (a + b + c)) * load_x(raw_x[j])
                    tile[taps // 2 * depth * stride + at] = b
                    if taps == 3:
                        tile[at] = a
                        tile[2 * depth * stride + at] = c
                if chunks > 1:
                    # the state where this chunk's last tile left it, put where the first line will look for it
                    cuda.syncthreads()
                    row = clamped(first_row + own_k, length)
                    parity = step // chunks & 1
                    state = carry[((cuda.blockIdx.x * 2 + parity) * length + row) * per_block + own_c]
                    tile[h_plane + (depth - 1) * stride + thread] = state
                cuda.syncthreads()

            if step + 1 < tiles:
                next_line = (step + 1) // chunks * depth
                next_row = (step + 1) % chunks * owned - halo
                for j in range(depth):
                    line, p = position(j, thread, threads, depth, transposed)
                    row = clamped(next_row + p // per_block, length)
                    t = clamped(next_line + line, lines)
                    if reverse:
                        t = lines - 1 - t
                    c = p % per_block
                    g_at = g_base + c * g_strides[3] + row * g_row + t * g_line
                    for tap in range(taps):
                        raw_g[tap, j] = guidance[g_at + tap * g_strides[2]]
                    raw_x[j] = x[x_base + c * x_strides[1] + row * x_row + t * x_line]

            if step >= 0:
                own_row = first_row + own_k
                has_before = own_row > 0 and own_k > 0
                has_after = own_row < length - 1 and own_k < rows - 1
                for line in range(depth):
                    if first_line + line < lines:
                        at = line * stride + thread
                        value = tile[taps * depth * stride + at]
                        if first_line + line > 0:
                            value += tile[taps // 2 * depth * stride + at] * state
                            if taps == 3:
                                last = h_plane + (line - 1 if line > 0 else depth - 1) * stride + thread
                                if has_before:
                                    value += tile[at] * tile[last - per_block]
                                if has_after:
                                    value += tile[2 * depth * stride + at] * tile[last + per_block]
                        state = value
                        tile[h_plane + at] = state
                    if taps == 3:
                        cuda.syncthreads()
                if taps == 1:
                    cuda.syncthreads()
                if chunks > 1 and own_k >= halo and own_k < rows - halo and own_row < length:
                    parity = (step // chunks + 1) & 1
                    carry[((cuda.blockIdx.x * 2 + parity) * length + own_row) * per_block + own_c] = state

                for j in range(depth):
                    line, p = position(j, thread, threads, depth, horizontal)
                    k, c, t = p // per_block, p % per_block, first_line + line
                    row = first_row + k
                    if k >= halo and k < rows - halo and row < length and t < lines:
                        if reverse:
                            t = lines - 1 - t
                        h_at = h_base + c * height * width + row * h_row + t * h_line
                        h[h_at] = store_h(tile[h_plane + line * stride + p])

    integer = types.int64
    signature = types.void(
        types.CPointer(x_numba), types.CPointer(g_numba), types.CPointer(h_type.numba), types.CPointer(shared_type),
        types.UniTuple(integer, 4), types.UniTuple(integer, 6), *[integer] * 8,
    )  # fmt: skip
    return forward, signature
