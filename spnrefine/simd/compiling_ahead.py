"""Compile routines with Numba, and have their machine code kept for :mod:`spnrefine.simd.ahead`."""

import logging
from importlib import import_module
from typing import Any

from numba import cfunc, types

from spnrefine.simd.ahead import NOT_CALLED

TYPES: dict[str, Any] = {
    "i": types.int64,
    "f": types.float32,
    "L": types.CPointer(types.int64),
    "F": types.CPointer(types.float32),
    "B": types.CPointer(types.uint8),
    "I": types.CPointer(types.int32),
}
OF_THE_SYSTEM = "sched_yield", "memset", "memcpy", "memmove"
_kept: list[Any] = []
_log = logging.getLogger(__name__)


def compiled(module: str, takes: dict[str, str]) -> tuple[dict[str, int], dict[str, tuple[str, bytes]] | None]:
    """Compile functions of a module; arguments as for :func:`spnrefine.simd.ahead.routines`.

    Returns
    -------
    Where each begins, and what to keep: by name a symbol and an object file. None where that would not be enough.
    """
    _log.info("Kernels are compiled for this processor, which takes some twelve seconds: later runs find them.")
    functions = import_module(module)
    found: dict[str, Any] = {}
    for name, letters in takes.items():
        signature = types.void(*(TYPES[each] for each in letters))
        found[name] = cfunc(signature, error_model="numpy")(getattr(functions, name))
    _kept.append(found)
    addresses = {name: function.address for name, function in found.items()}
    try:
        code = {name: _code(function) for name, function in found.items()}
    except Exception as error:  # Numba promises nothing of what it keeps: then every process compiles
        _log.warning("Compiled routines cannot be kept (%s).", error)
        return addresses, None
    return addresses, code


def _code(function: Any) -> tuple[str, bytes]:
    """Return the symbol and the object file of a routine.

    Raises
    ------
    ValueError
        It needs more than is there without Numba.
    """
    library = function._library
    needed = {each.name for each in library._final_module.functions if each.is_declaration}
    for name in needed:
        if not name.startswith(("llvm.", "Py")) and name not in (*NOT_CALLED, *OF_THE_SYSTEM):
            raise ValueError(f"{function.__name__} needs {name}")
    return function._wrapper_name, library._get_compiled_object()
