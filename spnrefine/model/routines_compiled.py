"""What of the network is compiled ahead: kernels that take plain numbers and pointers, as any program calls them."""

from numba import carray

from spnrefine.model import decoder_kernels, gates_kernels, joining_kernels, shallow_kernels
from spnrefine.model.config import DETAIL_FULL
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.model.layer_weights import shallow_layers as _layers
from spnrefine.model.winograd import SEEN
from spnrefine.ops.cpu import channels_last
from spnrefine.ops.cpu.plan import SWEEP, TASK
from spnrefine.simd.compiling import inlined, part
from spnrefine.simd.lanes import LANES
from spnrefine.simd.team import CONTROL
from spnrefine.simd.threads import wait_until_done

shallow_layers = inlined(_layers)
_forward = part(channels_last.forward.py_func)


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


def gates(control, pixels, count, size, features, weight, bias, out):
    """See :func:`spnrefine.model.gates_kernels.gates`."""
    gates_kernels.gates(
        carray(control, CONTROL),
        (pixels, count, size),
        carray(features, count * pixels),
        carray(weight, count * size),
        carray(bias, size),
        carray(out, pixels * size),
    )


def propagate(
    control, sweep_count, task_count, height, width, channels, directions, taps, group, floor, sweeps, tasks,
    x, guidance, out, line,
):  # fmt: skip
    """See :func:`spnrefine.ops.cpu.channels_last.forward`: of one image, saving nothing.

    Each channel has gates of its own, and channels fill vectors, as the kernel of the gates wants it.
    """
    size = height * width * channels
    _forward(
        carray(control, CONTROL),
        (carray(sweeps, (sweep_count, SWEEP)), carray(tasks, (task_count, TASK))),
        (height, width, channels, directions, taps, group),
        floor,
        None,
        None,
        carray(x, size),
        carray(guidance, height * width * directions * taps * group),
        carray(out, size),
        carray(line, 1),  # read and written through a pointer, as all of these are
        None,
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
