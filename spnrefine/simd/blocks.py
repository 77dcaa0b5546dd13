"""Blocks of sums, held in registers while much is added to them: some outputs of some vectors of pixels."""

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import cgutils, types

from spnrefine.simd.vectors import (
    LANES,
    Lanes,
    address,
    alignment,
    broadcast,
    intrinsic,
    suffix,
    vector_of,
)


def _number(builder, array, index, offset):
    return builder.load(builder.gep(array, [builder.add(index, ir.Constant(index.type, offset))]))


def _place(builder, array, index, offset, vector):
    return address(builder, array, builder.add(index, ir.Constant(index.type, offset)), vector)


@intrinsic(prefer_literal=True)
def splat_block(typingctx, array, index, outputs, vectors):
    """A block, that is a tuple of ``outputs`` tuples of ``vectors``: number i from ``array[index]`` on in output i.

    Both sizes are constants.
    """
    sizes = outputs.literal_value, vectors.literal_value
    block = types.UniTuple(types.UniTuple(Lanes(array.dtype), sizes[1]), sizes[0])

    def codegen(context, builder, signature, arguments):
        vector = vector_of(context, array.dtype)
        rows = [broadcast(builder, _number(builder, arguments[0], arguments[1], i), vector) for i in range(sizes[0])]
        return _packed(context, builder, block, [[row] * sizes[1] for row in rows])

    return block(array, types.intp, outputs, vectors), codegen


@intrinsic(prefer_literal=True)
def repeat_block(typingctx, array, index, outputs, vectors):
    """A block with the vectors from ``array[index]`` on in each output."""
    sizes = outputs.literal_value, vectors.literal_value
    block = types.UniTuple(types.UniTuple(Lanes(array.dtype), sizes[1]), sizes[0])

    def codegen(context, builder, signature, arguments):
        row = _vectors(context, builder, arguments[0], arguments[1], block)
        return _packed(context, builder, block, [row] * sizes[0])

    return block(array, types.intp, outputs, vectors), codegen


@intrinsic(prefer_literal=True)
def empty_block(typingctx, array, outputs, vectors):
    """A block of zeros, of the dtype of ``array``."""
    sizes = outputs.literal_value, vectors.literal_value
    block = types.UniTuple(types.UniTuple(Lanes(array.dtype), sizes[1]), sizes[0])

    def codegen(context, builder, signature, arguments):
        nothing = ir.Constant(vector_of(context, array.dtype), [0] * LANES)
        return _packed(context, builder, block, [[nothing] * sizes[1]] * sizes[0])

    return block(array, outputs, vectors), codegen


@intrinsic
def multiply_add_block(typingctx, block, factors, index, array, at):
    """Add ``factors[index + i]`` times the vectors from ``array[at]`` on to each output i of a block."""

    def codegen(context, builder, signature, arguments):
        sums, factors, index, array, at = arguments
        return _multiply_add(context, builder, block, sums, factors, index, 1, array, at)

    return block(block, factors, types.intp, array, types.intp), codegen


@intrinsic
def multiply_add_rows(typingctx, block, factors, index, step, array, at):
    """Do what :func:`multiply_add_block` does with factors that lie ``step`` apart."""

    def codegen(context, builder, signature, arguments):
        sums, factors, index, step, array, at = arguments
        vectors = _vectors(context, builder, array, at, block)
        rows = []
        for row in cgutils.unpack_tuple(builder, sums):
            factor = broadcast(builder, builder.load(builder.gep(factors, [index])), vectors[0].type)
            rows.append(_add_products(builder, factor, vectors, cgutils.unpack_tuple(builder, row)))
            index = builder.add(index, step)
        return _packed(context, builder, block, rows)

    return block(block, factors, types.intp, types.intp, array, types.intp), codegen


@intrinsic(prefer_literal=True)
def multiply_add_spaced_block(typingctx, block, factors, index, step, array, at):
    """Like :func:`multiply_add_block`, with ``factors[index + i * step]`` for output i; ``step`` is a constant."""
    spacing = step.literal_value

    def codegen(context, builder, signature, arguments):
        sums, factors, index, _, array, at = arguments
        return _multiply_add(context, builder, block, sums, factors, index, spacing, array, at)

    return block(block, factors, types.intp, step, array, types.intp), codegen


@intrinsic(prefer_literal=True)
def load_block(typingctx, array, at, step, apart, outputs, vectors):
    """A block with vector v of output i from ``array[at + i * step + v * apart]`` on."""
    sizes = outputs.literal_value, vectors.literal_value
    block = types.UniTuple(types.UniTuple(Lanes(array.dtype), sizes[1]), sizes[0])

    def codegen(context, builder, signature, arguments):
        array, at, step, apart, _, _ = arguments
        vector = vector_of(context, block.dtype.dtype.dtype)
        rows = []
        for _ in range(sizes[0]):
            places = _apart(builder, at, apart, sizes[1])
            rows.append([builder.load(address(builder, array, p, vector), align=alignment(vector)) for p in places])
            at = builder.add(at, step)
        return _packed(context, builder, block, rows)

    return block(array, types.intp, types.intp, types.intp, outputs, vectors), codegen


@intrinsic
def store_block(typingctx, block, low, high, array, at, step, apart):
    """Write vector v of output i of a block, cut to ``low`` .. ``high``, to ``array[at + i * step + v * apart :]``.

    What is no number stays so.
    """

    def codegen(context, builder, signature, arguments):
        sums, low, high, array, at, step, apart = arguments
        for row in cgutils.unpack_tuple(builder, sums):
            values = cgutils.unpack_tuple(builder, row)
            for place, value in zip(_apart(builder, at, apart, len(values)), values, strict=True):
                for sign, bound in ((">", low), ("<", high)):
                    limit = broadcast(builder, bound, value.type)
                    value = builder.select(builder.fcmp_ordered(sign, limit, value), limit, value)
                builder.store(value, address(builder, array, place, value.type), align=alignment(value.type))
            at = builder.add(at, step)
        return context.get_dummy_value()

    number = block.dtype.dtype.dtype
    return types.void(block, number, number, array, types.intp, types.intp, types.intp), codegen


@intrinsic
def keep_block(typingctx, block, array, at, step):
    """Write output i of a block to ``array[at + i * step :]``."""

    def codegen(context, builder, signature, arguments):
        sums, array, at, step = arguments
        for row in cgutils.unpack_tuple(builder, sums):
            for v, value in enumerate(cgutils.unpack_tuple(builder, row)):
                builder.store(value, _place(builder, array, at, v * LANES, value.type), align=alignment(value.type))
            at = builder.add(at, step)
        return context.get_dummy_value()

    return types.void(block, array, types.intp, types.intp), codegen


def _multiply_add(context, builder, block, sums, factors, index, step, array, at):
    vectors = _vectors(context, builder, array, at, block)
    rows = []
    for i, row in enumerate(cgutils.unpack_tuple(builder, sums)):
        factor = broadcast(builder, _number(builder, factors, index, i * step), vectors[0].type)
        rows.append(_add_products(builder, factor, vectors, cgutils.unpack_tuple(builder, row)))
    return _packed(context, builder, block, rows)


def _apart(builder, at, apart, count):
    """Where ``count`` vectors begin that are ``apart``."""
    return [builder.add(at, builder.mul(apart, ir.Constant(at.type, v))) for v in range(count)]


def _add_products(builder, factor, vectors, sums):
    vector = factor.type
    function_type = ir.FunctionType(vector, [vector] * 3)
    function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.fmuladd.{suffix(vector)}")
    return [builder.call(function, [factor, *pair]) for pair in zip(vectors, sums, strict=True)]


def _vectors(context, builder, array, at, block):
    """The vectors of one output of a block, from ``array[at]`` on."""
    vector = vector_of(context, block.dtype.dtype.dtype)
    places = [_place(builder, array, at, v * LANES, vector) for v in range(block.dtype.count)]
    return [builder.load(place, align=alignment(vector)) for place in places]


def _packed(context, builder, block, rows):
    return context.make_tuple(builder, block, [context.make_tuple(builder, block.dtype, row) for row in rows])
