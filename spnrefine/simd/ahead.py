"""Routines: compiled functions of numbers and pointers, loaded without Numba, whose import takes longest of all.

Numba compiles a routine and all kernels in it to one piece of machine code that depends on nothing else. All routines
of a module are kept in one file, and LLVM alone puts that in its place in memory.
"""

import ctypes
import importlib.util
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # ships no types
import numpy as np

from spnrefine import cache
from spnrefine.simd.sources import sources

KIND = "routines"
TYPES: dict[str, Any] = {
    "i": ctypes.c_int64,
    "f": ctypes.c_float,
    "L": ctypes.c_void_p,
    "F": ctypes.c_void_p,
    "B": ctypes.c_void_p,
    "I": ctypes.c_void_p,
}
"""What a routine takes, by the letter that stands for it: int64, float32, and arrays of these, of bytes or of int32."""

NOT_CALLED = (
    "numba_gil_ensure", "numba_gil_release", "numba_unpickle", "numba_do_raise", "numba_runtime_build_excinfo_struct",
    "NRT_Free", "NRT_MemInfo_call_dtor",
)  # fmt: skip
"""What machine code names of Numba's own library for errors and memory, of which kernels have none."""

_NO_CODE = "NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR"  # of Numba's settings those that change no machine code
_kept: list[Any] = []  # what machine code lies in, for as long as the process runs


class Routine:
    """A function in machine code. Arrays are given as such, contiguous, and stay alive while it runs."""

    def __init__(self, address: int, takes: str):
        self._function = ctypes.CFUNCTYPE(None, *(TYPES[each] for each in takes))(address)

    def __call__(self, *arguments: Any) -> None:
        """Call it, without the GIL."""
        self._function(*(each.ctypes.data if isinstance(each, np.ndarray) else each for each in arguments))


def routines(module: str, takes: dict[str, str]) -> dict[str, Routine]:
    """Return functions of a module as routines: loaded, or compiled where no earlier process did.

    Parameters
    ----------
    module : its name; it is imported only where they have to be compiled.
    takes : the names of the functions, and the types of their arguments, see :data:`TYPES`.
    """
    name = _file_name(module, takes)
    code = cache.load(name)
    if code is not None:
        found = _placed(pickle.loads(code))
    else:
        from spnrefine.simd import compiling_ahead

        found, pieces = compiling_ahead.compiled(module, takes)
        if pieces is not None:
            cache.keep(name, pickle.dumps(pieces))
    return {each: Routine(found[each], takes[each]) for each in takes}


def _placed(code: dict[str, tuple[str, bytes]]) -> dict[str, int]:
    """Put machine code in memory, by name a symbol and an object file, and return where each symbol lies."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    never = ctypes.cast(_abort(), ctypes.c_void_p).value
    for name in NOT_CALLED:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, never)
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for _, data in code.values():
        engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    _kept.append(engine)
    return {name: engine.get_function_address(symbol) for name, (symbol, _) in code.items()}


def _abort() -> Any:
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    return library.abort


def _file_name(module: str, takes: dict[str, str]) -> str:
    processor = llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] not in _NO_CODE)
    versions = _version("numba"), _version("llvmlite"), sys.version
    return cache.file_name(
        module.rpartition(".")[2], KIND, sources(module), *versions, *processor, repr(settings), repr(takes)
    )


def _version(package: str) -> bytes:
    """Return the file that tells the version of a package, which is not imported for it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return b""
    return Path(found.origin).with_name("_version.py").read_bytes()
