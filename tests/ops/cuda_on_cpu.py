"""The CUDA kernels built for the CPU by a C++ compiler: the same source, run block by block on tensors of the CPU."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from struct import pack

import torch

from spnrefine.ops.cuda import launching, tensors
from spnrefine.ops.cuda.compiling import Unit, source
from spnrefine.ops.directions import ALL_DIRECTIONS
from spnrefine.ops.reference import propagate

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
        self.launches.append((what, barriers, library(what.unit).barriers_of_a_warp()))


def problem(n, c, height, width, *, directions=ALL_DIRECTIONS, taps=3, gates=None, dtype=torch.float64):
    x = torch.randn(n, c, height, width).to(dtype)
    guidance = torch.randn(n, len(directions), taps, gates or c, height, width).to(dtype)
    grad = torch.randn(n, c, height, width).to(dtype)
    return x, guidance, grad


def run(x, guidance, grad, directions, normalise):
    """Return forward's and backward's results, and the kernels that ran."""
    on_cpu, results = launching.launch, []
    for on_cpu.last_first in (False, True):
        on_cpu.launches.clear()
        out, saved = tensors.forward(x, guidance, directions, normalise, save=True)
        results.append((out, *tensors.backward(grad, x, guidance, saved, directions, normalise)))
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)
    return results[0], [what.kernel for what, *_ in on_cpu.launches]


def defined(x, guidance, grad, directions, normalise):
    x, guidance = x.detach().clone().requires_grad_(), guidance.detach().clone().requires_grad_()
    out = propagate(x, guidance, directions=directions, normalise=normalise)
    return out.detach(), *torch.autograd.grad(out, (x, guidance), grad.to(out.dtype))


def check(x, guidance, grad, directions=ALL_DIRECTIONS, normalise="bounded", **tolerance):
    for tensor in (x, guidance, grad):
        tensor.requires_grad_(False)
    grad_before = grad.clone()
    results, kernels = run(x, guidance, grad, directions, normalise)
    definition = defined(x, guidance, grad, directions, normalise)
    for result, expected, like in zip(results, definition, (x, x, guidance), strict=True):
        assert result.dtype == like.dtype
        torch.testing.assert_close(result, expected.to(like.dtype), **tolerance)
    assert torch.equal(grad, grad_before)
    return kernels


def channels_last(x, guidance, grad):
    guidance = guidance.permute(0, 4, 5, 1, 2, 3).contiguous().permute(0, 3, 4, 5, 1, 2)
    return x.to(memory_format=torch.channels_last), guidance, grad
