"""The forward kernel: all directions of a round in one launch, each writing its own plane of h."""

# mypy: disable-error-code="operator,call-arg,call-overload,assignment,arg-type"
# kernels are written in Numba's language, whose thread indices and barriers mypy takes for plain functions

import numpy as np
from numba import cuda, types

from spnrefine.ops.cuda.storage import Storage, device_function, index, int32
from spnrefine.ops.cuda.tiles import chunks_of, clamped, normalised, scan_shape, walk


def forward_kernel(
    x_type: Storage, g_type: Storage, h_type: Storage, taps: int, depth: int, threads: int, chunked: bool, wide: bool
):
    """Return (kernel, its signature) for ``depth`` lines a tile and blocks of exactly ``threads``.

    Only with ``chunked`` may lines be longer than a block.
    ``wide`` calculates in float64, else in float32. Shared memory, in numbers of that type:
    (taps + 2) * depth * (threads + 32 // depth).
    """
    real = np.float64 if wide else np.float32
    shared_type = types.float64 if wide else types.float32
    x_numba, g_numba = x_type.numba, g_type.numba
    load_x, load_g, store_h = x_type.load, g_type.load, h_type.store
    no_x, no_g = x_type.store, g_type.store
    zero, one, least = real(0), real(1), real(np.finfo(real).tiny)
    centre = taps // 2
    stride = threads + 32 // depth  # lines shifted by so many banks keep the transposing moves free of conflicts
    plane = depth * stride
    x_plane, h_plane = taps * plane, (taps + 1) * plane  # after the gates: (1 - their sum) x, and h
    last_line = h_plane + (depth - 1) * stride

    def scan_of(transposed: bool):
        """Return a function that runs a scan, moving elements as the threads stand in the line, or transposed.

        Transposed is for scans whose next line lies next in memory: there, ``depth`` threads take one pixel's lines.
        """

        @device_function
        def scan(
            tile, x, guidance, h, carry, x_walk, g_walk, g_tap, h_walk, lines, length, side, normalise
        ):  # fmt: skip
            x_at, x_row, x_line = x_walk
            g_at, g_row, g_line = g_walk
            h_at, h_row, h_line = h_walk
            raw_g = cuda.local.array((taps, depth), g_numba)
            raw_x = cuda.local.array(depth, x_numba)
            thread = cuda.threadIdx.x
            rows, own_k = int32(threads // side), int32(thread // side)
            if transposed:
                my_k, my_line, my_at = int32(thread // depth), int32(thread % depth), int32(0)
                my_at = int32(my_line * stride + my_k)
                k_step, line_step, at_step = threads // depth, 0, threads // depth
                x_step, g_step, h_step = int32(k_step * x_row), int32(k_step * g_row), int32(k_step * h_row)
            else:
                my_k, my_line, my_at = own_k, int32(0), int32(thread)
                k_step, line_step, at_step = 0, 1, stride
                x_step, g_step, h_step = x_line, g_line, h_line
            halo, owned, chunks = chunks_of(rows, length, depth, chunked)
            carried = cuda.blockIdx.x * 2 * length * side + thread % side
            x_at += (my_k - halo) * x_row + my_line * x_line
            g_at += (my_k - halo) * g_row + my_line * g_line
            h_at += (my_k - halo) * h_row + my_line * h_line

            state = zero
            tile[index(last_line + thread)] = zero  # the line before the first
            for j in range(depth):
                raw_x[j] = no_x(zero)
                for tap in range(taps):
                    raw_g[tap, j] = no_g(zero)
            chunk, first_line = int32(0), int32(0)
            next_chunk, next_line = int32(0), int32(0)

            for step in range(int32(-1), int32((lines + depth - 1) // depth * chunks)):
                first_row, first, end = int32(0), int32(0), length  # the rows from `first` to before `end` are written
                if chunked:
                    first_row = int32(chunk * owned - halo)
                    first, end = int32(chunk * owned), min(int32(chunk * owned + owned), length)
                else:
                    first_line, next_line = int32(step * depth), int32(step * depth + depth)
                if step >= 0:
                    for j in range(depth):
                        row = int32(first_row + my_k + j * k_step)
                        fed = int32(first_line + my_line + j * line_step) > 0
                        a = load_g(raw_g[0, j]) if taps == 3 and fed and row > 0 else zero
                        b = load_g(raw_g[centre, j]) if fed else zero
                        c = load_g(raw_g[taps - 1, j]) if taps == 3 and fed and row < length - 1 else zero
                        a, b, c, _ = normalised(a, b, c, normalise, zero, one, least)
                        at = my_at + j * at_step
                        tile[index(x_plane + at)] = (one - (a + b + c)) * load_x(raw_x[j])
                        tile[index(centre * plane + at)] = b
                        if taps == 3:
                            tile[index(at)] = a
                            tile[index(2 * plane + at)] = c
                    if chunked and chunks > 1:
                        # the state where this chunk's last tile left it, put where the first line will look for it
                        cuda.syncthreads()
                        state = zero
                        if first_line > 0:
                            row = clamped(int32(first_row + own_k), length)
                            state = carry[carried + ((1 if first_line & depth else 0) * length + row) * side]
                        tile[index(last_line + thread)] = state
                    cuda.syncthreads()

                if next_line < lines:
                    row, line = int32(next_chunk * owned - halo + my_k), int32(next_line + my_line)
                    this_x = x_at + int32(next_chunk * owned) * x_row + next_line * x_line
                    this_g = g_at + int32(next_chunk * owned) * g_row + next_line * g_line
                    for j in range(depth):
                        here = int32(row + j * k_step)
                        if (not chunked or here >= 0) and here < length and int32(line + j * line_step) < lines:
                            for tap in range(taps):
                                raw_g[tap, j] = guidance[this_g + tap * g_tap]
                            raw_x[j] = x[this_x]
                        this_x += x_step
                        this_g += g_step

                if step >= 0:
                    row = int32(first_row + own_k)
                    has_before = row > 0 and own_k > 0
                    has_after = row < length - 1 and own_k < rows - 1
                    # what does not wait for the neighbours is loaded and added before the barrier
                    value = tile[index(x_plane + thread)] + tile[index(centre * plane + thread)] * state
                    a, c = zero, zero
                    if taps == 3:
                        a, c = tile[index(thread)], tile[index(2 * plane + thread)]
                    for line in range(depth):  # past the last line too, where nothing is written to h
                        at = thread + line * stride
                        if taps == 3:
                            last = at + (h_plane - stride if line > 0 else last_line)
                            if has_before:
                                value += a * tile[index(last - side)]
                            if has_after:
                                value += c * tile[index(last + side)]
                        state = value
                        tile[index(h_plane + at)] = state
                        if line < depth - 1:
                            value = (
                                tile[index(x_plane + stride + at)] + tile[index(centre * plane + stride + at)] * state
                            )
                            if taps == 3:
                                a, c = tile[index(stride + at)], tile[index(2 * plane + stride + at)]
                        if taps == 3:
                            cuda.syncthreads()
                    if taps == 1:
                        cuda.syncthreads()
                    if chunked and chunks > 1 and row >= first and row < end:
                        carry[carried + ((0 if first_line & depth else 1) * length + row) * side] = state

                    row, line = int32(first_row + my_k), int32(first_line + my_line)
                    this_h = h_at + int32(chunk * owned) * h_row + first_line * h_line
                    for j in range(depth):
                        here = int32(row + j * k_step)
                        if here >= first and here < end and int32(line + j * line_step) < lines:
                            h[this_h] = store_h(tile[index(h_plane + my_at + j * at_step)])
                        this_h += h_step

                if chunked:
                    chunk, first_line = next_chunk, next_line
                    next_chunk = int32(next_chunk + 1)
                    if next_chunk == chunks:
                        next_chunk = int32(0)
                        next_line = int32(next_line + depth)

        return scan

    scan_in_place, scan_transposed = scan_of(False), scan_of(True)

    def forward(
        x, guidance, h, carry, x_strides, g_strides, batch, channels, height, width, per_block, directions,
        normalise, w_contiguous,
    ):  # fmt: skip
        tile = cuda.shared.array(0, shared_type)
        side, mode = int32(per_block), int32(normalise)  # channels side by side
        groups = channels // per_block
        c = cuda.blockIdx.x % groups * per_block + cuda.threadIdx.x % side
        n = cuda.blockIdx.x // groups % batch
        i = cuda.blockIdx.x // groups // batch
        direction = (directions >> (2 * i)) & 3
        horizontal = direction < 2
        lines, length = scan_shape(direction, int32(height), int32(width))
        far = direction & 1  # in reverse
        plane_at = (i + n * (cuda.gridDim.x // groups // batch)) * channels + c
        x_walk = walk(n * x_strides[0] + c * x_strides[1], x_strides[2], x_strides[3], horizontal, far, lines)
        g_at = n * g_strides[0] + i * g_strides[1] + c * g_strides[3]
        g_walk, g_tap = walk(g_at, g_strides[4], g_strides[5], horizontal, far, lines), g_strides[2]
        h_walk = walk(plane_at * height * width, width, 1, horizontal, far, lines)
        if horizontal and w_contiguous:
            scan_transposed(tile, x, guidance, h, carry, x_walk, g_walk, g_tap, h_walk, lines, length, side, mode)
        else:
            scan_in_place(tile, x, guidance, h, carry, x_walk, g_walk, g_tap, h_walk, lines, length, side, mode)

    integer = types.int64
    signature = types.void(
        types.CPointer(x_numba), types.CPointer(g_numba), types.CPointer(h_type.numba), types.CPointer(shared_type),
        types.UniTuple(integer, 4), types.UniTuple(integer, 6), *[integer] * 8,
    )  # fmt: skip
    return forward, signature
