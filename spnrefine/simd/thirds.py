"""Three numbers of -1..1 in the room of two: whole numbers of 21 bits, for what is read more often than written.

The upper 21 bits of the first word are ``a``, those of the second are ``c``; the 11 bits that are left of both are the
upper and the lower ones of ``b``. Where memory is what a kernel waits for, it waits for two thirds as much.
"""

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import cgutils, types

from spnrefine.simd.vectors import LANES, Lanes, address, alignment, intrinsic, stream_vector, suffix, vector_of

SCALE = (1 << 20) - 1
"""What 1 is stored as."""

LOW = 11  # bits of b in a word
ROUNDING = 1.5 * 2**23  # a float32 so large that what is added to it is rounded to a whole number
INTEGERS = ir.VectorType(ir.IntType(32), LANES)


def _all(number, vector):
    return ir.Constant(vector, [number] * LANES)


@intrinsic
def store_thirds(typingctx, array, index, a, b, c, scale, past_cache):
    """Write three vectors of float32 times ``scale``, of sizes that sum to at most 1, to ``array[index:]``.

    ``past_cache``: so that they turn nothing out of it, for what will not be read soon.
    ``b`` is rounded so that the rounded sum of the three is the sum rounded.
    """

    def codegen(context, builder, signature, arguments):
        array, index, a, b, c, scale, past_cache = arguments
        large = _all(ROUNDING, a.type)
        function_type = ir.FunctionType(a.type, [a.type] * 3)
        function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.fmuladd.{suffix(a.type)}")
        scale = builder.fmul(scale, _all(float(SCALE), a.type))
        total = builder.fadd(builder.fadd(a, b), c)
        total, a, c = (
            builder.bitcast(builder.call(function, [each, scale, large]), INTEGERS) for each in (total, a, c)
        )
        zero = builder.bitcast(large, INTEGERS)
        b = builder.add(builder.sub(builder.sub(total, a), c), zero)
        low, mask = _all(LOW, INTEGERS), _all((1 << LOW) - 1, INTEGERS)
        for i, (upper, lower) in enumerate(((a, builder.ashr(b, low)), (c, b))):
            word = builder.or_(builder.shl(builder.sub(upper, zero), low), builder.and_(lower, mask))
            where = builder.add(index, ir.Constant(index.type, i * LANES))
            stream_vector(builder, word, address(builder, array, where, INTEGERS), past_cache)
        return context.get_dummy_value()

    return types.void(array, types.intp, a, b, c, scale, types.boolean), codegen


@intrinsic
def load_thirds(typingctx, array, index, like):
    """Return the three vectors that were written to ``array[index:]``, times ``SCALE``, of the type of ``like``."""

    def codegen(context, builder, signature, arguments):
        array, index, _ = arguments
        words = []
        for i in range(2):
            where = address(builder, array, builder.add(index, ir.Constant(index.type, i * LANES)), INTEGERS)
            words.append(builder.load(where, align=alignment(INTEGERS)))
        low, mask = _all(LOW, INTEGERS), _all((1 << LOW) - 1, INTEGERS)
        a, c = (builder.ashr(word, low) for word in words)
        upper = builder.ashr(builder.shl(words[0], _all(32 - LOW, INTEGERS)), _all(32 - 2 * LOW, INTEGERS))
        b = builder.or_(upper, builder.and_(words[1], mask))
        vector = vector_of(context, like.dtype)
        floats = [builder.sitofp(each, vector) for each in (a, b, c)]
        return context.make_tuple(builder, signature.return_type, floats)

    return types.UniTuple(Lanes(like.dtype), 3)(array, types.intp, like), codegen
