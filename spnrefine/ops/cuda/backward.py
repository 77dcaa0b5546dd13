"""The backward kernel: the scans of all directions run in reverse, in one launch.

Each pixel pushes its gradient along its gates to the three pixels it came from; a line thus needs only its own
gates. Writes the gradient of the raw guidance, and one plane of the gradient of x for each direction.
"""

# mypy: disable-error-code="operator,call-arg,call-overload,assignment,arg-type"
# kernels are written in Numba's language, whose thread indices and barriers mypy takes for plain functions

import numpy as np
from numba import cuda, types

from spnrefine.ops.cuda.storage import Storage, device_function, index, int32
from spnrefine.ops.cuda.tiles import chunks_of, clamped, normalised, raw_gradients, scan_shape, walk


def backward_kernel(
    x_type: Storage, g_type: Storage, dg_type: Storage, taps: int, depth: int, threads: int, chunked: bool, wide: bool
):
    """Return (kernel, its signature); see :func:`spnrefine.ops.cuda.forward.forward_kernel`.

    Shared memory, in numbers of the type calculated in: ((taps + 4) * depth + 4) * (threads + 32 // depth).
    """
    real = np.float64 if wide else np.float32
    shared_type = types.float64 if wide else types.float32
    x_numba, g_numba, dg_numba = x_type.numba, g_type.numba, dg_type.numba
    load_x, load_g, store_dg = x_type.load, g_type.load, dg_type.store
    no_x, no_g = x_type.store, g_type.store
    zero, one, least = real(0), real(1), real(np.finfo(real).tiny)
    centre = taps // 2
    stride = threads + 32 // depth
    plane = depth * stride
    # after the gates: the gradient of h, h one line earlier in the scan, x, what the gates were multiplied by
    d_plane, h_plane, x_plane, scale_plane = taps * plane, (taps + 1) * plane, (taps + 2) * plane, (taps + 3) * plane
    # then what pixels push to the rows before and after theirs, for this line and the last one
    to_before, to_after = (taps + 4) * plane, (taps + 4) * plane + 2 * stride

    def scan_of(transposed: bool):
        """Return a function that runs a scan in place or transposed; see the forward kernel's."""

        @device_function
        def scan(
            tile, x, guidance, grad, h, choice, dparts, dguidance, carry, x_walk, g_walk, g_tap, grad_walk, dg_walk,
            dg_tap, h_walk, to_choice, direction, lines, length, side, normalise,
        ):  # fmt: skip
            x_at, x_row, x_line = x_walk
            g_at, g_row, g_line = g_walk
            grad_at, grad_row, grad_line = grad_walk
            dg_at, dg_row, dg_line = dg_walk
            h_at, h_row, h_line = h_walk
            raw_g = cuda.local.array((taps, depth), g_numba)
            raw_x, raw_grad = cuda.local.array(depth, x_numba), cuda.local.array(depth, x_numba)
            raw_h = cuda.local.array(depth, shared_type)
            raw_choice = cuda.local.array(depth, types.uint8)
            thread = cuda.threadIdx.x
            rows, own_k = int32(threads // side), int32(thread // side)
            if transposed:
                my_k, my_line, my_at = int32(thread // depth), int32(thread % depth), int32(0)
                my_at = int32(my_line * stride + my_k)
                k_step, line_step, at_step = threads // depth, 0, threads // depth
                x_step, g_step, grad_step = int32(k_step * x_row), int32(k_step * g_row), int32(k_step * grad_row)
                dg_step, h_step = int32(k_step * dg_row), int32(k_step * h_row)
            else:
                my_k, my_line, my_at = own_k, int32(0), int32(thread)
                k_step, line_step, at_step = 0, 1, stride
                x_step, g_step, grad_step, dg_step, h_step = x_line, g_line, grad_line, dg_line, h_line
            halo, owned, chunks = chunks_of(rows, length, depth, chunked)
            carried = (cuda.blockIdx.x * 2 * length * side + thread % side) * taps
            x_at += (my_k - halo) * x_row + my_line * x_line
            g_at += (my_k - halo) * g_row + my_line * g_line
            grad_at += (my_k - halo) * grad_row + my_line * grad_line
            dg_at += (my_k - halo) * dg_row + my_line * dg_line
            h_at += (my_k - halo) * h_row + my_line * h_line

            to_centre = zero
            tile[index(to_before + stride + thread)] = zero  # nothing is pushed to the first line
            tile[index(to_after + stride + thread)] = zero
            for j in range(depth):
                raw_x[j], raw_grad[j], raw_h[j], raw_choice[j] = no_x(zero), no_x(zero), zero, 0
                for tap in range(taps):
                    raw_g[tap, j] = no_g(zero)
            chunk, first_line, next_chunk, next_line = int32(0), int32(0), int32(0), int32(0)

            for step in range(int32(-1), int32((lines + depth - 1) // depth * chunks)):
                first_row, first, end = int32(0), int32(0), length  # the rows from `first` to before `end` are written
                if chunked:
                    first_row = int32(chunk * owned - halo)
                    first, end = int32(chunk * owned), min(int32(chunk * owned + owned), length)
                else:
                    first_line, next_line = int32(step * depth), int32(step * depth + depth)
                if step >= 0:
                    cuda.syncthreads()  # the last tile has been written out
                    for j in range(depth):
                        row = int32(first_row + my_k + j * k_step)
                        fed = int32(first_line + my_line + j * line_step) < lines - 1
                        a = load_g(raw_g[0, j]) if taps == 3 and fed and row > 0 else zero
                        b = load_g(raw_g[centre, j]) if fed else zero
                        c = load_g(raw_g[taps - 1, j]) if taps == 3 and fed and row < length - 1 else zero
                        a, b, c, scale = normalised(a, b, c, normalise, zero, one, least)
                        at = my_at + j * at_step
                        tile[index(centre * plane + at)] = b
                        if taps == 3:
                            tile[index(at)] = a
                            tile[index(2 * plane + at)] = c
                        tile[index(d_plane + at)] = load_x(raw_grad[j]) if raw_choice[j] == direction else zero
                        tile[index(h_plane + at)] = raw_h[j]
                        tile[index(x_plane + at)] = load_x(raw_x[j])
                        tile[index(scale_plane + at)] = scale
                    if chunked and chunks > 1:
                        # what this chunk's last tile pushed, put where the first line will look for it
                        pushed_before, to_centre, pushed_after = zero, zero, zero
                        if first_line > 0:
                            row = clamped(int32(first_row + own_k), length)
                            at = carried + ((1 if first_line & depth else 0) * length + row) * side * taps
                            pushed_before, to_centre, pushed_after = carry[at], carry[at + centre], carry[at + taps - 1]
                        tile[index(to_before + stride + thread)] = pushed_before
                        tile[index(to_after + stride + thread)] = pushed_after
                    cuda.syncthreads()

                if next_line < lines:
                    row, line = int32(next_chunk * owned - halo + my_k), int32(next_line + my_line)
                    next_row = int32(next_chunk * owned)
                    this_x = x_at + next_row * x_row + next_line * x_line
                    this_g = g_at + next_row * g_row + next_line * g_line
                    this_grad = grad_at + next_row * grad_row + next_line * grad_line
                    pixel = h_at + next_row * h_row + next_line * h_line
                    for j in range(depth):
                        here = int32(row + j * k_step)
                        if (not chunked or here >= 0) and here < length and int32(line + j * line_step) < lines:
                            for tap in range(taps):
                                raw_g[tap, j] = guidance[this_g + tap * g_tap]
                            raw_x[j] = x[this_x]
                            raw_grad[j] = grad[this_grad]
                            raw_choice[j] = choice[to_choice + pixel]
                            if int32(line + j * line_step) < lines - 1:
                                raw_h[j] = h[pixel + h_line]
                        this_x += x_step
                        this_g += g_step
                        this_grad += grad_step
                        pixel += h_step

                if step >= 0:
                    row = int32(first_row + own_k)
                    from_before = row > 0 and own_k > 0
                    from_after = row < length - 1 and own_k < rows - 1
                    # what does not wait for the neighbours is loaded and added before the barrier
                    d = tile[index(d_plane + thread)] + to_centre
                    a, b, c = zero, tile[index(centre * plane + thread)], zero
                    if taps == 3:
                        a, c = tile[index(thread)], tile[index(2 * plane + thread)]
                    for line in range(depth):  # past the last line too, where nothing is written out
                        at = thread + line * stride
                        here, last = line % 2 * stride + thread, (1 - line % 2) * stride + thread
                        if taps == 3:
                            if from_after:
                                d += tile[index(to_before + last + side)]
                            if from_before:
                                d += tile[index(to_after + last - side)]
                            tile[index(to_before + here)] = a * d
                            tile[index(to_after + here)] = c * d
                        tile[index(d_plane + at)] = d
                        to_centre = b * d
                        if line < depth - 1:
                            at += stride
                            d = tile[index(d_plane + at)] + to_centre
                            b = tile[index(centre * plane + at)]
                            if taps == 3:
                                a, c = tile[index(at)], tile[index(2 * plane + at)]
                        if taps == 3:
                            cuda.syncthreads()
                    if taps == 1:
                        cuda.syncthreads()
                    if chunked and chunks > 1 and row >= first and row < end:
                        at = carried + ((0 if first_line & depth else 1) * length + row) * side * taps
                        carry[at + centre] = to_centre
                        if taps == 3:
                            carry[at] = tile[index(to_before + stride + thread)]
                            carry[at + 2] = tile[index(to_after + stride + thread)]

                    this_row = int32(chunk * owned)
                    this_dg = dg_at + this_row * dg_row + first_line * dg_line
                    pixel = h_at + this_row * h_row + first_line * h_line
                    for j in range(depth):
                        row, line = int32(first_row + my_k + j * k_step), int32(first_line + my_line + j * line_step)
                        if row >= first and row < end and line < lines:
                            at = my_at + j * at_step
                            d, value = tile[index(d_plane + at)], tile[index(x_plane + at)]
                            scale = tile[index(scale_plane + at)]
                            a, da, c, dc = zero, zero, zero, zero
                            b, db = tile[index(centre * plane + at)], zero
                            if line < lines - 1:
                                db = d * (tile[index(h_plane + at)] - value)
                                if taps == 3 and row > 0:
                                    a, da = tile[index(at)], d * (tile[index(h_plane + at - side)] - value)
                                if taps == 3 and row < length - 1:
                                    c, dc = tile[index(2 * plane + at)], d * (tile[index(h_plane + at + side)] - value)
                            dparts[pixel] = (one - (a + b + c)) * d
                            da, db, dc = raw_gradients(da, db, dc, a, b, c, scale, zero, one)
                            dguidance[this_dg + centre * dg_tap] = store_dg(db)
                            if taps == 3:
                                dguidance[this_dg] = store_dg(da)
                                dguidance[this_dg + 2 * dg_tap] = store_dg(dc)
                        this_dg += dg_step
                        pixel += h_step

                if chunked:
                    chunk, first_line = next_chunk, next_line
                    next_chunk = int32(next_chunk + 1)
                    if next_chunk == chunks:
                        next_chunk = int32(0)
                        next_line = int32(next_line + depth)

        return scan

    scan_in_place, scan_transposed = scan_of(False), scan_of(True)

    def backward(
        x, guidance, grad, h, choice, dparts, dguidance, carry, x_strides, g_strides, grad_strides, dg_strides,
        batch, channels, height, width, per_block, directions, normalise, w_contiguous,
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
        far = not direction & 1  # the gradient runs against the scan: count lines from where that ended
        plane_at = (i + n * (cuda.gridDim.x // groups // batch)) * channels + c
        x_walk = walk(n * x_strides[0] + c * x_strides[1], x_strides[2], x_strides[3], horizontal, far, lines)
        g_at = n * g_strides[0] + i * g_strides[1] + c * g_strides[3]
        g_walk = walk(g_at, g_strides[4], g_strides[5], horizontal, far, lines)
        grad_at = n * grad_strides[0] + c * grad_strides[1]
        grad_walk = walk(grad_at, grad_strides[2], grad_strides[3], horizontal, far, lines)
        dg_at = n * dg_strides[0] + i * dg_strides[1] + c * dg_strides[3]
        dg_walk = walk(dg_at, dg_strides[4], dg_strides[5], horizontal, far, lines)
        h_walk = walk(plane_at * height * width, width, 1, horizontal, far, lines)
        to_choice = ((n * channels + c) - plane_at) * height * width
        g_tap, dg_tap = g_strides[2], dg_strides[2]
        if horizontal and w_contiguous:
            scan_transposed(
                tile, x, guidance, grad, h, choice, dparts, dguidance, carry, x_walk, g_walk, g_tap, grad_walk, dg_walk,
                dg_tap, h_walk, to_choice, i, lines, length, side, mode,
            )  # fmt: skip
        else:
            scan_in_place(
                tile, x, guidance, grad, h, choice, dparts, dguidance, carry, x_walk, g_walk, g_tap, grad_walk, dg_walk,
                dg_tap, h_walk, to_choice, i, lines, length, side, mode,
            )  # fmt: skip

    real_pointer, integer = types.CPointer(shared_type), types.int64
    signature = types.void(
        types.CPointer(x_numba), types.CPointer(g_numba), types.CPointer(x_numba), real_pointer,
        types.CPointer(types.uint8), real_pointer, types.CPointer(dg_numba), real_pointer,
        types.UniTuple(integer, 4), types.UniTuple(integer, 6), types.UniTuple(integer, 4),
        types.UniTuple(integer, 6), *[integer] * 8,
    )  # fmt: skip
    return backward, signature
