"""What kernels do to inputs and products of :mod:`spnrefine.model.winograd`."""

from spnrefine.model.winograd import SEEN
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.compiling import inlined
from spnrefine.simd.vectors import load, splat


@inlined
def transformed(a, b, c, d, e, f):
    """The combinations of six inputs."""
    two, four, five = splat(a, 2), splat(a, 4), splat(a, -5)
    outer, inner = e - four * c, d - four * b
    far, near = e - c, two * (d - b)
    first = multiply_add(four, a, multiply_add(five, c, e))
    last = multiply_add(four, b, multiply_add(five, d, f))
    return first, outer + inner, outer - inner, far + near, far - near, last


@inlined
def combined(a, b, c, d, e, f):
    """The four outputs, of products in the order of :func:`transformed`."""
    outer, inner, far, near = b + c, b - c, d + e, d - e
    two, four, eight = splat(a, 2), splat(a, 4), splat(a, 8)
    third, last = multiply_add(four, far, outer), multiply_add(eight, near, inner) + f
    return a + outer + far, multiply_add(two, near, inner), third, last


@inlined
def down(source, rows, at):
    """The combinations of a vector of columns, of six rows."""
    a, b, c = load(source, rows[0] + at, None), load(source, rows[1] + at, None), load(source, rows[2] + at, None)
    d, e, f = load(source, rows[3] + at, None), load(source, rows[4] + at, None), load(source, rows[5] + at, None)
    return transformed(a, b, c, d, e, f)


@inlined
def three(source, at, step):
    """Load three vectors that lie ``step`` apart."""
    return load(source, at, None), load(source, at + step, None), load(source, at + 2 * step, None)


@inlined
def rows_from(ring, first, size):
    """Where six rows begin, from row ``first`` on, of a ring of six."""
    return (
        ring + first % SEEN * size,
        ring + (first + 1) % SEEN * size,
        ring + (first + 2) % SEEN * size,
        ring + (first + 3) % SEEN * size,
        ring + (first + 4) % SEEN * size,
        ring + (first + 5) % SEEN * size,
    )
