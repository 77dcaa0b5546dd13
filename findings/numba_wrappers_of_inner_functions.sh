#!/usr/bin/env bash
# Numba compiles two wrappers beside every function under njit, one for Python and one for C, and for functions that only
# other compiled functions call as well: of a helper they are most of its machine code's functions, and take compile time
# on each cold start. Two options leave them out, no_cpython_wrapper and no_cfunc_wrapper; the docstring of jit, which
# lists the options, names neither. Seen with Numba 0.68.1 on Python 3.11.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numba
import numpy as np


def helper(values, at):
    return values[at] * 2 + 1


def defined(**options):
    compiled = numba.njit(**options)(helper)
    caller = numba.njit(lambda values: compiled(values, 1))
    assert caller(np.arange(3.0)) == 3.0
    (text,) = compiled.inspect_llvm().values()
    return [line.split("@")[1].split("(")[0] for line in text.splitlines() if line.startswith("define ")]


usual, bare = defined(), defined(no_cpython_wrapper=True, no_cfunc_wrapper=True)
wrappers = [sum(mark in name for name in usual) for mark in ("cpython", "cfunc")]
left = sum("cpython" in name or "cfunc" in name for name in bare)
named = [option in (numba.jit.__doc__ or "") for option in ("no_cpython_wrapper", "no_cfunc_wrapper")]
print("numba", numba.__version__)
print(f"a helper that Python never calls: {len(usual)} functions, {wrappers[0]} wrapper for Python, {wrappers[1]} for C")
print(f"with both options: {len(bare)} functions, {left} wrappers; named in the docstring of jit: {named}")
sys.exit(0 if wrappers == [1, 1] and left == 0 and not any(named) else 1)
PYTHON
