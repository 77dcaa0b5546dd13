"""A 16-lane vector as a Numba type, with the loads and stores that kernels need.

LLVM's loop vectoriser would have to prove, at every short inner loop, that a dozen arrays do not overlap. Saying
"16 lanes" in the kernel instead gives the same code on every machine: one AVX-512 register, two of AVX2, four of NEON.
Kernels read and write through pointers to contiguous arrays: passing arrays about would count references in the inner
loop. Indices count elements and are not checked.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import extending
from numba.core import cgutils, types
from numba.extending import models, register_model

from spnrefine.simd.lanes import CACHE_LINE as CACHE_LINE
from spnrefine.simd.lanes import LANES as LANES

intrinsic: Any = extending.intrinsic  # its type does not say that callers leave out the typing context


class Lanes(types.Type):
    """The Numba type of ``LANES`` numbers of one dtype, held in registers."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, ir.VectorType(manager.lookup(lanes.dtype).get_data_type(), LANES))


def vector_of(context, dtype):
    return context.get_value_type(Lanes(dtype))


def address(builder, pointer, index, pointee):
    """The address of element ``index``, to be read or written as a ``pointee``."""
    return builder.bitcast(builder.gep(pointer, [index]), pointee.as_pointer())


def broadcast(builder, scalar, vector):
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), mask)


def _first(builder, count):
    """The mask of the first ``count`` lanes."""
    lane = ir.VectorType(ir.IntType(64), LANES)
    return builder.icmp_signed("<", ir.Constant(lane, list(range(LANES))), broadcast(builder, count, lane))


def _masked(builder, name, vector, arguments):
    """Call LLVM's masked load or store."""
    returns = vector if name == "load" else ir.VoidType()
    kind = f"llvm.masked.{name}.{suffix(vector)}.p0"
    function_type = ir.FunctionType(returns, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, kind), arguments)


def suffix(vector):
    names = {ir.FloatType(): "f32", ir.DoubleType(): "f64", ir.IntType(8): "i8", ir.IntType(16): "i16"}
    return f"v{LANES}{names[vector.element]}"


def alignment(vector):
    sizes = {ir.FloatType(): 4, ir.DoubleType(): 8, ir.IntType(8): 1, ir.IntType(16): 2, ir.IntType(32): 4}
    return sizes[vector.element]


@intrinsic
def pointer(typingctx, array):
    """Where the elements of an array lie; the array must outlive it."""

    def codegen(context, builder, signature, arguments):
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def load(typingctx, array, index, count):
    """``array[index : index + LANES]``; lanes from ``count`` on are 0 and their memory is not touched.

    All lanes are wanted where ``count`` is None, here and below.
    """

    def codegen(context, builder, signature, arguments):
        vector = vector_of(context, array.dtype)
        where = address(builder, arguments[0], arguments[1], vector)
        if count == types.none:
            return builder.load(where, align=alignment(vector))
        align = ir.Constant(ir.IntType(32), alignment(vector))
        result = cgutils.alloca_once(builder, vector)
        whole = builder.icmp_signed(">=", arguments[2], ir.Constant(arguments[2].type, LANES))
        with builder.if_else(whole, likely=True) as (then, otherwise):
            with then:
                builder.store(builder.load(where, align=alignment(vector)), result)
            with otherwise:
                nothing = ir.Constant(vector, [0] * LANES)
                mask = _first(builder, arguments[2])
                builder.store(_masked(builder, "load", vector, [where, align, mask, nothing]), result)
        return builder.load(result)

    return Lanes(array.dtype)(array, types.intp, _known(count)), codegen


@intrinsic
def store(typingctx, array, index, value, count):
    """Write the first ``count`` lanes of ``value`` to ``array[index:]``."""

    def codegen(context, builder, signature, arguments):
        _store(builder, arguments, count, past_cache=False)
        return context.get_dummy_value()

    return types.void(array, types.intp, value, _known(count)), codegen


@intrinsic
def stream(typingctx, array, index, value, count):
    """Like ``store``, for what will not be read soon: whole cache lines go to memory without being fetched first."""

    def codegen(context, builder, signature, arguments):
        _store(builder, arguments, count, past_cache=True)
        return context.get_dummy_value()

    return types.void(array, types.intp, value, _known(count)), codegen


def stream_vector(builder, value, where, wanted=None):
    """Write a vector, past the cache if it begins with a cache line and, where that is a choice, it is ``wanted``."""
    integer = ir.IntType(64)
    within = builder.and_(builder.ptrtoint(where, integer), ir.Constant(integer, CACHE_LINE - 1))
    aligned = builder.icmp_signed("==", within, ir.Constant(integer, 0))
    if wanted is not None:
        aligned = builder.and_(aligned, wanted)
    with builder.if_else(aligned, likely=True) as (yes, no):
        with yes:
            written = builder.store(value, where, align=CACHE_LINE)
            written.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        with no:
            builder.store(value, where, align=alignment(value.type))


def _known(count):
    return types.none if count == types.none else types.intp


def _store(builder, arguments, wanted, *, past_cache):
    array, index, value, count = arguments
    where = address(builder, array, index, value.type)

    def all_lanes():
        if past_cache:
            stream_vector(builder, value, where)
        else:
            builder.store(value, where, align=alignment(value.type))

    if wanted == types.none:
        all_lanes()
        return
    whole = builder.icmp_signed(">=", count, ir.Constant(count.type, LANES))
    with builder.if_else(whole, likely=True) as (then, otherwise):
        with then:
            all_lanes()
        with otherwise:
            align = ir.Constant(ir.IntType(32), alignment(value.type))
            _masked(builder, "store", value.type, [value, where, align, _first(builder, count)])


@intrinsic
def load_one(typingctx, array, index):
    """``array[index]``, a number."""

    def codegen(context, builder, signature, arguments):
        return builder.load(builder.gep(arguments[0], [arguments[1]]))

    return array.dtype(array, types.intp), codegen


@intrinsic
def store_one(typingctx, array, index, value):
    """Write a number to ``array[index]``."""

    def codegen(context, builder, signature, arguments):
        builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


@intrinsic
def splat(typingctx, like, scalar):
    """``scalar`` in every lane; ``like`` is a pointer to, or lanes of, the wanted dtype."""
    lanes = Lanes(like.dtype)

    def codegen(context, builder, signature, arguments):
        return broadcast(builder, arguments[1], vector_of(context, lanes.dtype))

    return lanes(like, lanes.dtype), codegen


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the cache line of ``array[index]`` in the second-level cache; an index outside the array does no harm."""

    def codegen(context, builder, signature, arguments):
        byte = ir.IntType(8).as_pointer()
        where = address(builder, arguments[0], arguments[1], ir.IntType(8))
        i32 = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [where, i32(0), i32(2), i32(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen
