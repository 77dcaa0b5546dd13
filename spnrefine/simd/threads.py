"""What kernels do with the counters that threads share: see :mod:`spnrefine.simd.team`."""

import os

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import cgutils, types

from spnrefine.simd.compiling import kernel
from spnrefine.simd.team import CLAIMED as CLAIMED
from spnrefine.simd.team import DONE as DONE
from spnrefine.simd.team import ENTERED as ENTERED
from spnrefine.simd.vectors import intrinsic


@intrinsic
def add_and_fetch_old(typingctx, counters, index):
    """Add 1 to ``counters[index]`` and return what it was, as one atomic step."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(counters)(context, builder, arguments[0]).data
        where = builder.gep(data, [arguments[1]])
        return builder.atomic_rmw("add", where, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counters, types.intp), codegen


@intrinsic
def _fetch(typingctx, counters, index):
    def codegen(context, builder, signature, arguments):
        data = context.make_array(counters)(context, builder, arguments[0]).data
        return builder.load_atomic(builder.gep(data, [arguments[1]]), "seq_cst", 8)

    return types.int64(counters, types.intp), codegen


@intrinsic
def _give_way(typingctx):
    """Let another thread have the core, where the system has POSIX's call for it."""

    def codegen(context, builder, signature, arguments):
        if os.name == "posix":
            function_type = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, function_type, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@kernel
def wait_until_done(control, tasks):
    """Return once ``tasks`` tasks are done; those still open are being worked on by other threads."""
    turns = 0
    while _fetch(control, DONE) < tasks:
        turns += 1
        if turns > 1000:
            _give_way()
