"""What both memory layouts do with a vector of pixels: gates, merging, and their derivatives."""

from spnrefine.simd.arithmetic import absolute, multiply_add, smaller_byte, where_equal, where_greater
from spnrefine.simd.compiling import inlined
from spnrefine.simd.vectors import load, pointer, splat, store


@inlined
def gate_scale(a, b, e, bound):
    """The sum of the taps' sizes, and 1 over what they are divided by: that sum where it is above ``bound``, else 1."""
    one = splat(a, 1)
    size = absolute(a) + absolute(b) + absolute(e)
    return size, one / where_greater(size, bound, size, one)


@inlined
def raw_gradients(a, b, e, da, db, de, size, scale, bound):
    """The gradients of raw taps, from those of the gates times ``scale``.

    Taps share one divisor, so where it is their sum each pulls at the others.
    """
    pull = multiply_add(a, da, multiply_add(b, db, e * de)) * scale
    pull = where_greater(size, bound, pull, splat(a, 0))
    return da - _signed(pull, a), db - _signed(pull, b), de - _signed(pull, e)


@inlined
def _signed(value, sign):
    """``value`` with the sign of ``sign``: 0 where that is 0."""
    nothing = splat(value, 0)
    return where_greater(sign, nothing, value, where_greater(nothing, sign, nothing - value, nothing))


@inlined
def merge(h, d, fresh, at, count, out, saved):
    """Keep the maximum in ``out`` and, if anything is saved, the first direction it came from in ``saved[1]``."""
    best = h if fresh else load(out, at, count)
    store(out, at, where_greater(h, best, h, best), count)
    if saved is not None:
        winner = pointer(saved[1])
        this = splat(winner, d)
        if not fresh:
            old = load(winner, at, count)
            this = where_greater(h, best, this, where_equal(h, best, smaller_byte(old, this), old))
        store(winner, at, this, count)
