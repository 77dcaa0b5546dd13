"""What of the network is compiled ahead: kernels that take plain numbers and pointers, as any program calls them."""

from numba import carray

from spnrefine.model import decoder_kernels, gates_kernels, walk_kernels
from spnrefine.model.gates_on_cpu import SCRATCH
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.ops.cpu.plan import SWEEP, TASK
from spnrefine.simd.team import CONTROL
from spnrefine.simd.threads import wait_until_done

PER_INPUT = 9 * HIDDEN  # of the decoder's first convolution


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
