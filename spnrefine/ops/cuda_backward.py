"""The backward kernel: the scans of all directions run in reverse, in one launch.

Each pixel pushes its gradient along its gates to the three pixels it came from; a line thus needs only its own
gates. Writes the gradient of the raw guidance, and one plane of the gradient of x for each direction.
"""

# mypy: disable-error-code="operator,call-arg"
# kernels are written in Numba's language, whose thread indices and barriers mypy takes for plain functions

import numpy as np
from numba import cuda, types

from spnrefine.ops.cuda_tiles import clamped, normalised, position, scan_shape, sign
from spnrefine.ops.cuda_types import Storage


def backward_kernel(x_type: Storage, g_type: Storage, dg_type: Storage, taps: int, depth: int, wide: bool):
    """Return (kernel, its signature); see :func:`spnrefine.ops.cuda_forward.forward_kernel`.

    Shared memory, in numbers of the type calculated in: ((taps + 4) * depth + 4) * (threads + 32 // depth).
    """
    real = np.float64 if wide else np.float32
    shared_type = types.float64 if wide else types.float32
    x_numba, g_numba, dg_numba = x_type.numba, g_type.numba, dg_type.numba
    load_x, load_g, store_dg = x_type.load, g_type.load, dg_type.store
    zero, one = real(0), real(1)
    pad = 32 // depth

    def backward(
        x, guidance, grad, h, choice, dparts, dguidance, carry, x_strides, g_strides, grad_strides, dg_strides,
        batch, channels, height, width, per_block, directions, normalise, w_contiguous,
    ):  # fmt: skip
        tile = cuda.shared.array(0, shared_type)
        raw_g = cuda.local.array((taps, depth), g_numba)
        raw_x = cuda.local.array(depth, x_numba)
        raw_grad = cuda.local.array(depth, x_numba)
        raw_h = cuda.local.array(depth, shared_type)
        raw_choice = cuda.local.array(depth, types.uint8)
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        groups = channels // per_block
        c0 = cuda.blockIdx.x % groups * per_block
        n = cuda.blockIdx.x // groups % batch
        i = cuda.blockIdx.x // groups // batch
        direction = (directions >> (2 * i)) & 3
        horizontal, forwards = direction < 2, direction & 1  # the gradient runs against the scan
        lines, length = scan_shape(direction, height, width)
        transposed = horizontal and w_contiguous
        g_base = n * g_strides[0] + i * g_strides[1] + c0 * g_strides[3]
        dg_base = n * dg_strides[0] + i * dg_strides[1] + c0 * dg_strides[3]
        x_base = n * x_strides[0] + c0 * x_strides[1]
        grad_base = n * grad_strides[0] + c0 * grad_strides[1]
        h_base = ((i + n * (cuda.gridDim.x // groups // batch)) * channels + c0) * height * width
        choice_base = (n * channels + c0) * height * width
        g_row, g_line = g_strides[4], g_strides[5]
        dg_row, dg_line = dg_strides[4], dg_strides[5]
        x_row, x_line = x_strides[2], x_strides[3]
        grad_row, grad_line = grad_strides[2], grad_strides[3]
        h_row, h_line = width, 1
        if not horizontal:
            g_row, g_line = g_line, g_row
            dg_row, dg_line = dg_line, dg_row
            x_row, x_line = x_line, x_row
            grad_row, grad_line = grad_line, grad_row
            h_row, h_line = h_line, h_row

        rows = threads // per_block
        halo = 0 if rows >= length else depth
        owned = rows - 2 * halo
        chunks = (length + owned - 1) // owned
        tiles = (lines + depth - 1) // depth * chunks
        stride = threads + pad
        plane = depth * stride
        # after the gates' planes: the gradient of h, h one line earlier, x, what the gates were divided by
        d_plane, h_plane, x_plane, sum_plane = taps * plane, (taps + 1) * plane, (taps + 2) * plane, (taps + 3) * plane
        pushed = (taps + 4) * plane  # two lines by two: what pixels push to the rows before and after theirs
        own_k, own_c = thread // per_block, thread % per_block
        to_centre = zero

        for step in range(-1, tiles):
            first_line = step // chunks * depth
            first_row = step % chunks * owned - halo
            if step >= 0:
                cuda.syncthreads()  # the last tile has been written out
                for j in range(depth):
                    line, p = position(j, thread, threads, depth, transposed)
                    row = first_row + p // per_block
                    started = lines - 1 - (first_line + line) > 0
                    a, b, c = zero, zero, zero
                    if taps == 3:
                        if started and row > 0:
                            a = load_g(raw_g[0, j])
                        if started and row < length - 1:
                            c = load_g(raw_g[2, j])
                    if started:
                        b = load_g(raw_g[taps // 2, j])
                    a, b, c, total = normalised(a, b, c, normalise, zero, one)
                    at = line * stride + p
                    tile[taps // 2 * plane + at] = b
                    if taps == 3:
                        tile[at] = a
                        tile[2 * plane + at] = c
                    tile[d_plane + at] = load_x(raw_grad[j]) if raw_choice[j] == i else zero
                    tile[h_plane + at] = raw_h[j]
                    tile[x_plane + at] = load_x(raw_x[j])
                    tile[sum_plane + at] = total
                if chunks > 1:
                    row = clamped(first_row + own_k, length)
                    parity = step // chunks & 1
                    at = (((cuda.blockIdx.x * 2 + parity) * length + row) * per_block + own_c) * taps
                    to_centre = carry[at + taps // 2]
                    if taps == 3:
                        tile[pushed + 2 * stride + thread] = carry[at]
                        tile[pushed + 3 * stride + thread] = carry[at + 2]
                cuda.syncthreads()

            if step + 1 < tiles:
                next_line = (step + 1) // chunks * depth
                next_row = (step + 1) % chunks * owned - halo
                for j in range(depth):
                    line, p = position(j, thread, threads, depth, transposed)
                    row = clamped(next_row + p // per_block, length)
                    t = lines - 1 - clamped(next_line + line, lines)
                    earlier = max(t - 1, 0)
                    if forwards:
                        t = lines - 1 - t
                        earlier = lines - 1 - earlier
                    c = p % per_block
                    g_at = g_base + c * g_strides[3] + row * g_row + t * g_line
                    for tap in range(taps):
                        raw_g[tap, j] = guidance[g_at + tap * g_strides[2]]
                    raw_x[j] = x[x_base + c * x_strides[1] + row * x_row + t * x_line]
                    raw_grad[j] = grad[grad_base + c * grad_strides[1] + row * grad_row + t * grad_line]
                    pixel = c * height * width + row * h_row
                    raw_choice[j] = choice[choice_base + pixel + t * h_line]
                    raw_h[j] = h[h_base + pixel + earlier * h_line]

            if step >= 0:
                own_row = first_row + own_k
                from_before = own_row > 0 and own_k > 0
                from_after = own_row < length - 1 and own_k < rows - 1
                for line in range(depth):
                    at = line * stride + thread
                    here, last = pushed + (line & 1) * 2 * stride, pushed + (1 - (line & 1)) * 2 * stride
                    if first_line + line < lines:
                        d = tile[d_plane + at]
                        if first_line + line > 0:
                            d += to_centre
                            if taps == 3:
                                if from_after:
                                    d += tile[last + thread + per_block]
                                if from_before:
                                    d += tile[last + stride + thread - per_block]
                        tile[d_plane + at] = d
                        to_centre = tile[taps // 2 * plane + at] * d
                        if taps == 3:
                            tile[here + thread] = tile[at] * d
                            tile[here + stride + thread] = tile[2 * plane + at] * d
                    if taps == 3:
                        cuda.syncthreads()
                if taps == 1:
                    cuda.syncthreads()
                if chunks > 1 and own_k >= halo and own_k < rows - halo and own_row < length:
                    parity = (step // chunks + 1) & 1
                    at = (((cuda.blockIdx.x * 2 + parity) * length + own_row) * per_block + own_c) * taps
                    carry[at + taps // 2] = to_centre
                    if taps == 3:
                        carry[at] = tile[pushed + 2 * stride + thread]
                        carry[at + 2] = tile[pushed + 3 * stride + thread]

                for j in range(depth):
                    line, p = position(j, thread, threads, depth, transposed)
                    k, c, t = p // per_block, p % per_block, lines - 1 - (first_line + line)
                    row = first_row + k
                    if k >= halo and k < rows - halo and row < length and t >= 0:
                        at = line * stride + p
                        d, value, total = tile[d_plane + at], tile[x_plane + at], tile[sum_plane + at]
                        a, da, c_gate, dc = zero, zero, zero, zero
                        b, db = tile[taps // 2 * plane + at], zero
                        if t > 0:
                            db = d * (tile[h_plane + at] - value)
                        if taps == 3:
                            a, c_gate = tile[at], tile[2 * plane + at]
                            if t > 0 and row > 0:
                                da = d * (tile[h_plane + at - per_block] - value)
                            if t > 0 and row < length - 1:
                                dc = d * (tile[h_plane + at + per_block] - value)
                        if total > zero:
                            along = da * a + db * b + dc * c_gate
                            da = (da - sign(a, zero, one) * along) / total
                            db = (db - sign(b, zero, one) * along) / total
                            dc = (dc - sign(c_gate, zero, one) * along) / total
                        if forwards:
                            t = lines - 1 - t
                        dparts[h_base + c * height * width + row * h_row + t * h_line] = (one - (a + b + c_gate)) * d
                        dg_at = dg_base + c * dg_strides[3] + row * dg_row + t * dg_line
                        dguidance[dg_at + taps // 2 * dg_strides[2]] = store_dg(db)
                        if taps == 3:
                            dguidance[dg_at] = store_dg(da)
                            dguidance[dg_at + 2 * dg_strides[2]] = store_dg(dc)

    real_pointer, integer = types.CPointer(shared_type), types.int64
    signature = types.void(
        types.CPointer(x_numba), types.CPointer(g_numba), types.CPointer(x_numba), real_pointer,
        types.CPointer(types.uint8), real_pointer, types.CPointer(dg_numba), real_pointer,
        types.UniTuple(integer, 4), types.UniTuple(integer, 6), types.UniTuple(integer, 4),
        types.UniTuple(integer, 6), *[integer] * 8,
    )  # fmt: skip
    return backward, signature
