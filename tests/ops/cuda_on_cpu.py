"""The CUDA kernels built for the CPU by a C++ compiler: the same source, run block by block on tensors of the CPU."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from struct import pack

from spnrefine.ops.cuda.compiling import Unit, source

HEADER = Path(__file__).with_name("cuda_on_cpu.h")
COMPILER = shutil.which("g++") or shutil.which("clang++")


@functools.cache
def folder() -> Path:
    holder = tempfile.TemporaryDirectory(prefix="spnrefine-cuda-")
    _kept.append(holder)
    return Path(holder.name)


_kept: list[tempfile.TemporaryDirectory] = []


@functools.cache
def library(unit: Unit) -> ctypes.CDLL:
    name = "-".join(map(str, unit))
    text, built = folder() / f"{name}.cpp", folder() / f"{name}.so"
    text.write_text(f'#include "{HEADER}"\n{source(unit)}')
    command = [COMPILER, "-O0", "-std=c++17", "-Wno-unknown-pragmas", "-shared", "-fPIC", "-o", built, text]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(built))


class OnCPU:
    """Stands in for ``launching.launch``; keeps what was launched."""

    def __init__(self):
        self.last_first = False  # of a block's threads
        self.launches = []

    def __call__(self, what, device, *pointers):
        run = getattr(library(what.unit), f"run_{what.kernel}")
        run.restype = ctypes.c_long
        arguments = ctypes.create_string_buffer(pack(f"{len(pointers)}Q", *pointers) + what.numbers)
        barriers = run(arguments, what.blocks, what.threads, what.shared, self.last_first)
        assert barriers >= 0, f"{what.kernel}: threads parted ways at a barrier, or too many of them"
        self.launches.append((what, barriers))
