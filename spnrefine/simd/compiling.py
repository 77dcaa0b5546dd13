"""Kernels: functions that Numba compiles on their first call, and whose machine code is kept on disk.

Numba's own cache takes a function for unchanged where the one file that holds it is, whatever is compiled into it, and
numbers its files so that two processes can each write what the other's index names. Here a file's name is a digest of
the sources of all modules that can be compiled into it, the types, the processor, Python and Numba.
"""

import pickle
import sys
from collections.abc import Callable
from typing import Any

import llvmlite  # type: ignore[import-untyped]  # ships no types
import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from spnrefine import cache
from spnrefine.simd.sources import sources

njit: Any = numba.njit  # its types leave out the wrappers
KIND = "nbc"  # the extension that Numba's own files have
_NEVER_CALLED_FROM_PYTHON = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # a tenth of the time to compile


def kernel(function: Callable) -> Any:
    """Compile ``function`` on its first call, or load what an earlier process compiled."""
    compiled: Any = njit(function, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
    compiled._cache = _Cache(function)
    return compiled


def part(function: Callable) -> Any:
    """Compile ``function`` with the kernel that calls it, as if it stood there: large, and called in one place.

    As a kernel or inlined, all of it would be compiled on its own as well: to machine code that nothing calls. From
    Python, call its ``py_func``.
    """
    return njit(function, nogil=True, error_model="numpy", inline="always", **_NEVER_CALLED_FROM_PYTHON)


def inner(function: Callable) -> Any:
    """Compile ``function`` on its own, for kernels alone to call: what is kept is theirs."""
    return njit(function, nogil=True, error_model="numpy", **_NEVER_CALLED_FROM_PYTHON)


def inlined(function: Callable) -> Any:
    """Compile ``function`` as a part of the kernels that call it.

    From Python, call its ``py_func``: as a kernel it would be compiled in every process, for it is kept nowhere.
    """
    return njit(function, nogil=True, error_model="numpy", forceinline=True, **_NEVER_CALLED_FROM_PYTHON)


class _Cache(NullCache):
    """The compiled forms of one function, one for each signature, as Numba's dispatchers ask for them."""

    def __init__(self, function: Callable):
        self._module, self._name = function.__module__, function.__qualname__

    @property
    def cache_path(self) -> str:
        return str(cache.folder())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled form for a signature, None where it has to be compiled."""
        rtsys.initialize(target_context)  # all that machine code needs; what compiling needs takes half a second more
        code = cache.load(self._file_name(sig, target_context.codegen()))
        try:
            return None if code is None else CompileResult._rebuild(target_context, *pickle.loads(code))
        except Exception:  # whatever there is about old code, new code can be had
            return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep a compiled form, unless it holds addresses of this process."""
        name = self._file_name(sig, cres.codegen)
        if not cres.library.has_dynamic_globals:
            cache.keep(name, dumps(cres._reduce()))

    def _file_name(self, signature: Any, codegen: Any) -> str:
        what = f"{self._module.rpartition('.')[2]}.{self._name}"
        versions = numba.__version__, llvmlite.__version__, sys.version
        processor = codegen.magic_tuple()
        return cache.file_name(what, KIND, sources(self._module), *versions, repr(processor), repr(signature))
