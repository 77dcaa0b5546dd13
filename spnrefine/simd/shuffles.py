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


def _columns(builder, source, at, stride):
    """``LANES`` columns of ``LANES`` rows, as vectors: quarters of rows are read side by side, then turned in fours."""
    four = LANES // 4
    quarter = ir.VectorType(source.type.pointee, four)
    rows = [builder.add(at, builder.mul(stride, ir.Constant(stride.type, row))) for row in range(LANES)]
    columns = []
    for first in range(0, LANES, four):
        stacked = []  # four vectors: of every fourth row, the numbers from column ``first`` on
        for row in range(four):
            places = [builder.add(each, ir.Constant(at.type, first)) for each in rows[row::four]]
            a, b, c, d = (builder.load(address(builder, source, p, quarter), align=alignment(quarter)) for p in places)
            stacked.append(_side_by_side(builder, _side_by_side(builder, a, b), _side_by_side(builder, c, d)))
        a, b, c, d = stacked
        for i in (0, 2):
            ab, cd = (_from_fours(builder, *pair, (i, LANES + i, i + 1, LANES + i + 1)) for pair in ((a, b), (c, d)))
            columns.append(_from_fours(builder, ab, cd, (0, 1, LANES, LANES + 1)))
            columns.append(_from_fours(builder, ab, cd, (2, 3, LANES + 2, LANES + 3)))
    return columns


def _side_by_side(builder, a, b):
    lanes = list(range(2 * a.type.count))
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def _from_fours(builder, a, b, lanes):
    """The same choice of four lanes from each four of both vectors; those of ``b`` count from ``LANES`` on."""
    return _shuffle(builder, a, b, [four + lane for four in range(0, LANES, 4) for lane in lanes])


@intrinsic
def transpose_block(typingctx, source, at, stride, target, to, target_stride):
    """Write ``LANES`` rows of ``LANES`` numbers as columns; rows are ``stride`` and ``target_stride`` apart."""

    def codegen(context, builder, signature, arguments):
        source, at, stride, target, to, target_stride = arguments
        vector = ir.VectorType(source.type.pointee, LANES)
        align = alignment(vector)
        rows = _columns(builder, source, at, stride)
        for i, row in enumerate(rows):
            index = builder.add(to, builder.mul(target_stride, ir.Constant(stride.type, i)))
            builder.store(row, address(builder, target, index, vector), align=align)
        return context.get_dummy_value()

    count = types.intp
    return types.void(source, count, count, target, count, count), codegen
