"""What of the network is compiled ahead: kernels that take plain numbers and pointers, as any program calls them."""

from numba import carray

from spnrefine.model import decoder_kernels, gates_kernels, joining_kernels, shallow_kernels, walk_kernels
from spnrefine.model.config import DETAIL_FULL
from spnrefine.model.gates_on_cpu import SCRATCH
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.model.layer_weights import shallow_layers as _layers
from spnrefine.model.winograd import SEEN
from spnrefine.ops.cpu.plan import SWEEP, TASK
from spnrefine.simd.compiling import inlined
from spnrefine.simd.lanes import LANES
from spnrefine.simd.team import CONTROL
from spnrefine.simd.threads import wait_until_done

shallow_layers = inlined(_layers)


def shallow(
    control, height, width, full_height, full_width, planes, strip, threads, row, off, image, coarse, weights, state,
    at2, at4, deep, detail, mask, scratch,
):  # fmt: skip
    """See :func:`spnrefine.model.shallow_kernels.shallow`."""
    size, half = height * width, full_height * full_width // 4
    shallow_kernels.shallow(
        carray(control, CONTROL),
        (height, width, full_height, full_width, planes, strip),
        off,
        carray(image, 3 * size),
        carray(coarse, size),
        carray(weights, shallow_layers(planes)[-1]),
        carray(state, half * LANES),
        carray(at2, half * 2 * LANES),
        carray(at4, half // 2 * LANES),
        carray(deep, half // 2 * LANES),
        carray(detail, half * 4 * DETAIL_FULL),
        carray(mask, half * 4),
        carray(scratch, (threads, row)),
    )


def join(
    control, height, width, enlarged, narrow, outputs, is_mixed, planes, strip, pixel_step, chunk_step, threads, row,
    beside_size, numbers_size, mixed_size, below, joined, beside, numbers, mixed, out, scratch,
):  # fmt: skip
    """See :func:`spnrefine.model.joining_kernels.join`."""
    size = height * width * LANES
    joining_kernels.join(
        carray(control, CONTROL),
        (height, width, enlarged, narrow, outputs, is_mixed, planes, strip, pixel_step, chunk_step),
        carray(below, size // 4 * enlarged),
        carray(joined, size * 2),
        carray(beside, beside_size),
        carray(numbers, numbers_size),
        carray(mixed, mixed_size),
        carray(out, size * outputs),
        carray(scratch, (threads, row)),
    )


def gates(control, height, width, count, planes, threads, features, weight, bias, out, scratch):
    """See :func:`spnrefine.model.gates_kernels.gates`."""
    gates_kernels.gates(
        carray(control, CONTROL),
        (height, width, count, planes),
        carray(features, 1),  # read and written through pointers, as most of these are
        carray(weight, 1),
        carray(bias, 1),
        carray(out, 1),
        carray(scratch, (threads, SCRATCH)),
    )


def propagate(
    control, sweep_count, task_count, height, width, channels, line_size, sweeps, tasks, x, gates, out, line
):  # fmt: skip
    """See :func:`spnrefine.model.walk_kernels.propagate`."""
    walk_kernels.propagate(
        carray(control, CONTROL),
        (carray(sweeps, (sweep_count, SWEEP)), carray(tasks, (task_count, TASK))),
        (height, width, channels, line_size),
        carray(x, 1),
        carray(gates, 1),
        carray(out, 1),
        carray(line, 1),
    )


def decode(
    control, height, width, channels, details, masks, strip, threads, row, state, detail, mask, first, shift, last,
    bias, out, scratch,
):  # fmt: skip
    """See :func:`spnrefine.model.decoder_kernels.decode`."""
    pixels = height * width
    decoder_kernels.decode(
        carray(control, CONTROL),
        (height, width, channels, details, masks, strip),
        carray(state, pixels // 4 * channels),
        carray(detail, pixels * details),
        carray(mask, pixels * masks),
        carray(first, (channels + details + masks) * SEEN * 3 * HIDDEN),
        carray(shift, HIDDEN),
        carray(last, 9 * HIDDEN),
        carray(bias, 1),
        carray(out, pixels),
        carray(scratch, (threads, row)),
    )


def wait(control, tasks):
    """See :func:`spnrefine.simd.threads.wait_until_done`."""
    wait_until_done(carray(control, CONTROL), tasks)
