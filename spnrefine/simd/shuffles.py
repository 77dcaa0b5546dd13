"""Moving numbers from lane to lane: neighbours along a line, and blocks turned on their side."""

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import types

from spnrefine.simd.vectors import LANES, address, alignment, intrinsic


def _shuffle(builder, a, b, lanes):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))


@intrinsic
def joined(typingctx, previous, this):
    """The last lane of ``previous``, then ``this`` but for its last lane."""

    def codegen(context, builder, signature, arguments):
        return _shuffle(builder, arguments[0], arguments[1], list(range(LANES - 1, 2 * LANES - 1)))

    return this(previous, this), codegen


@intrinsic
def advanced(typingctx, this, following):
    """All of ``this`` but its first lane, then the first lane of ``following``."""

    def codegen(context, builder, signature, arguments):
        return _shuffle(builder, arguments[0], arguments[1], list(range(1, LANES + 1)))

    return this(this, following), codegen


@intrinsic
def zipped(typingctx, a, b):
    """The lanes of ``a`` and ``b`` in turn, as two vectors."""

    def codegen(context, builder, signature, arguments):
        turns = [lane for i in range(LANES) for lane in (i, LANES + i)]
        a, b = arguments
        halves = [_shuffle(builder, a, b, turns[:LANES]), _shuffle(builder, a, b, turns[LANES:])]
        return context.make_tuple(builder, signature.return_type, halves)

    return types.UniTuple(a, 2)(a, b), codegen


@intrinsic
def transpose_block(typingctx, source, at, stride, target, to, target_stride):
    """Write ``LANES`` rows of ``LANES`` numbers as columns; rows are ``stride`` and ``target_stride`` apart."""

    def codegen(context, builder, signature, arguments):
        source, at, stride, target, to, target_stride = arguments
        vector = ir.VectorType(source.type.pointee, LANES)
        align = alignment(vector)
        rows = []
        for i in range(LANES):
            index = builder.add(at, builder.mul(stride, ir.Constant(stride.type, i)))
            rows.append(builder.load(address(builder, source, index, vector), align=align))
        half = LANES // 2
        while half:  # swap the off-diagonal quarters of ever smaller squares
            upper = [lane + LANES - half if lane & half else lane for lane in range(LANES)]
            lower = [lane + LANES if lane & half else lane + half for lane in range(LANES)]
            for i in range(LANES):
                if not i & half:
                    a, b = rows[i], rows[i + half]
                    rows[i], rows[i + half] = _shuffle(builder, a, b, upper), _shuffle(builder, a, b, lower)
            half //= 2
        for i, row in enumerate(rows):
            index = builder.add(to, builder.mul(target_stride, ir.Constant(stride.type, i)))
            builder.store(row, address(builder, target, index, vector), align=align)
        return context.get_dummy_value()

    count = types.intp
    return types.void(source, count, count, target, count, count), codegen
