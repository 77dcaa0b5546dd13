"""What of the network is compiled ahead: kernels that take plain numbers and pointers, as any program calls them."""

from numba import carray

from spnrefine.model import decoder_kernels, gates_kernels
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.ops.cpu import channels_last
from spnrefine.ops.cpu.plan import SWEEP, TASK
from spnrefine.simd.compiling import part
from spnrefine.simd.team import CONTROL
from spnrefine.simd.threads import wait_until_done

PER_INPUT = 9 * HIDDEN  # of the decoder's first convolution
_forward = part(channels_last.forward.py_func)


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
    control, height, width, channels, details, masks, threads, row, state, detail, mask, first, shift, last, bias, out,
    scratch,
):  # fmt: skip
    """See :func:`spnrefine.model.decoder_kernels.decode`."""
    pixels = height * width
    decoder_kernels.decode(
        carray(control, CONTROL),
        (height, width, channels, details, masks),
        carray(state, pixels // 4 * channels),
        carray(detail, pixels * details),
        carray(mask, pixels * masks),
        carray(first, (channels + details + masks) * PER_INPUT),
        carray(shift, HIDDEN),
        carray(last, PER_INPUT),
        carray(bias, 1),
        carray(out, pixels),
        carray(scratch, (threads, row)),
    )


def wait(control, tasks):
    """See :func:`spnrefine.simd.threads.wait_until_done`."""
    wait_until_done(carray(control, CONTROL), tasks)
