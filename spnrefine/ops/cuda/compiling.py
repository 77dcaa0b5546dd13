"""From the kernels' CUDA C++ to machine code, kept on disk: NVIDIA's run-time compiler, which needs no GPU.

A unit is all kernels of one way (forward or backward) for one pair of types, whatever the sizes: two units serve a
training run. Machine code lies where that of the CPU's kernels does, see :mod:`spnrefine.cache`.
"""

import functools
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch

from spnrefine import cache
from spnrefine.errors import BackendError
from spnrefine.ops.cuda.limits import definitions

KERNELS = Path(__file__).with_name("kernels")
COMPILER = Path(__file__).with_name("compiler_process.py")
ELEMENTS = {torch.float64: "double", torch.float32: "float", torch.float16: "Half", torch.bfloat16: "Bfloat"}
"""The kernels' words for torch's types."""

Capability = tuple[int, int]
compilations = 0
"""How often this process has called the compiler."""


class Unit(NamedTuple):
    """What is compiled at once."""

    way: str
    """``forward`` or ``backward``."""
    x: torch.dtype
    guidance: torch.dtype

    @property
    def wide(self) -> bool:
        """True where the kernels calculate in float64."""
        return torch.float64 in (self.x, self.guidance)


@functools.cache
def source(unit: Unit) -> str:
    """Return a unit's CUDA C++, complete with its definitions."""
    least = "2.2250738585072014e-308" if unit.wide else "1.17549435e-38f"
    names = {"X_TYPE": ELEMENTS[unit.x], "G_TYPE": ELEMENTS[unit.guidance]}
    numbers = {"REAL": "double" if unit.wide else "float", "LEAST": least, **definitions(unit.way, unit.wide)}
    defined = "".join(f"#define {name} {value}\n" for name, value in {**names, **numbers}.items())
    return defined + "".join((KERNELS / file).read_text() for file in ("common.cuh", f"{unit.way}.cu"))


def machine_code(unit: Unit, capability: Capability, *, anew: bool = False) -> bytes:
    """Return a unit's machine code, from disk unless it is new or asked for ``anew``.

    Raises
    ------
    BackendError
        The compiler is missing, or does not know the capability.
    """
    name = _file_name(unit, capability)
    code = None if anew else cache.load(name)
    if code is None:
        code, _ = compiled(unit, capability)
        cache.keep(name, code)
    return code


def precompile(units: Iterable[Unit], capability: Capability, processes: int | None = None) -> None:
    """Have the machine code of all ``units`` on disk, compiling what is missing at the same time; needs no GPU."""
    with ThreadPoolExecutor(processes or os.cpu_count()) as pool:
        for _ in pool.map(lambda unit: machine_code(unit, capability), units):
            pass


def units_for(x: torch.dtype, guidance: torch.dtype, *, training: bool) -> list[Unit]:
    """Name the units that propagating tensors of these types takes."""
    return [Unit(way, x, guidance) for way in (("forward", "backward") if training else ("forward",))]


def compiled(unit: Unit, capability: Capability, *options: str) -> tuple[bytes, str]:
    """Compile a unit and return its machine code and what the compiler said; ``options`` are further ones of NVRTC's.

    Raises
    ------
    BackendError
        The compiler is missing, or does not know the capability.
    """
    global compilations
    compilations += 1
    command = [sys.executable, str(COMPILER), *_options(capability), *options]
    done = subprocess.run(command, input=source(unit).encode(), capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode or not done.stdout:
        raise BackendError(
            f"The CUDA kernels could not be compiled for compute capability {capability[0]}.{capability[1]} "
            f"({said or f'exit code {done.returncode}'}): install the extra 'cuda', or use the CPU."
        )
    return done.stdout, said


def _options(capability: Capability) -> tuple[str, ...]:
    return ("--gpu-architecture=sm_{}{}".format(*capability), "--std=c++17")


@functools.cache
def _file_name(unit: Unit, capability: Capability) -> str:
    try:
        version = importlib.metadata.version("nvidia-cuda-nvrtc")
    except importlib.metadata.PackageNotFoundError:  # a toolkit installed otherwise
        version = ""
    types = "-".join(str(dtype).removeprefix("torch.") for dtype in (unit.x, unit.guidance))
    what = "cuda.{}-{}-sm_{}{}".format(unit.way, types, *capability)
    return cache.file_name(what, "cubin", version, *_options(capability), source(unit))
