"""Arithmetic on lanes: the operators + - * /, and functions that kernels call by name."""

import operator

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import lower_builtin

from spnrefine.simd.vectors import Lanes, intrinsic, suffix, vector_of


def _define(symbol, instruction):
    @infer_global(symbol)
    class Template(AbstractTemplate):
        def generic(self, arguments, keywords):
            a, b = arguments
            return a(a, b) if isinstance(a, Lanes) and a == b else None

    @lower_builtin(symbol, Lanes, Lanes)
    def lower(context, builder, signature, arguments):
        return getattr(builder, instruction)(*arguments)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


@intrinsic
def multiply_add(typingctx, a, b, c):
    """``a * b + c``, rounded once where the machine has an instruction for it."""

    def codegen(context, builder, signature, arguments):
        vector = vector_of(context, a.dtype)
        function_type = ir.FunctionType(vector, [vector] * 3)
        name = f"llvm.fmuladd.{suffix(vector)}"
        return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)

    return a(a, b, c), codegen


@intrinsic
def absolute(typingctx, a):
    """The absolute value of every lane."""

    def codegen(context, builder, signature, arguments):
        vector = vector_of(context, a.dtype)
        function_type = ir.FunctionType(vector, [vector])
        name = f"llvm.fabs.{suffix(vector)}"
        return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)

    return a(a), codegen


@intrinsic
def where_greater(typingctx, a, b, yes, no):
    """``yes`` where ``a > b``, else ``no``; ``yes`` and ``no`` may be of another dtype."""

    def codegen(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments[:2]), *arguments[2:])

    return yes(a, b, yes, no), codegen


@intrinsic
def where_equal(typingctx, a, b, yes, no):
    """``yes`` where ``a == b``, else ``no``; the lanes of ``a`` and ``b`` are numbers or bytes."""

    def codegen(context, builder, signature, arguments):
        if isinstance(a.dtype, types.Float):
            equal = builder.fcmp_ordered("==", *arguments[:2])
        else:
            equal = builder.icmp_signed("==", *arguments[:2])
        return builder.select(equal, *arguments[2:])

    return yes(a, b, yes, no), codegen


@intrinsic
def smaller_byte(typingctx, a, b):
    """The smaller of two bytes, lane by lane."""

    def codegen(context, builder, signature, arguments):
        return builder.select(builder.icmp_unsigned("<", *arguments), *arguments)

    return a(a, b), codegen


@intrinsic
def total(typingctx, a):
    """The sum over the lanes."""

    def codegen(context, builder, signature, arguments):
        vector = vector_of(context, a.dtype)
        function_type = ir.FunctionType(vector.element, [vector.element, vector])
        function = cgutils.get_or_insert_function(
            builder.module, function_type, f"llvm.vector.reduce.fadd.{suffix(vector)}"
        )
        return builder.call(function, [ir.Constant(vector.element, 0), *arguments], fastmath=("reassoc",))

    return a.dtype(a), codegen
