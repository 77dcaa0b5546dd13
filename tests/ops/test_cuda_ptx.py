"""The CUDA kernels as a GPU would run them: compiled to PTX and assembled, without a GPU, for four architectures.

``python -m pytest -n 0 -s tests/ops/test_cuda_ptx.py`` prints registers, shared memory and blocks a multiprocessor.
"""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess

import pytest
import torch

from spnrefine.ops.cuda import plan

CAPABILITIES = {(7, 5): (64, 32), (8, 0): (164, 64), (9, 0): (228, 64), (10, 0): (228, 64)}
"""Compute capability: (KiB of shared memory, warps) of a multiprocessor; each has 65,536 registers."""


def ptxas() -> str | None:
    """Find the assembler in the package nvidia-cuda-nvcc, or else on the PATH."""
    try:
        files = importlib.metadata.files("nvidia-cuda-nvcc") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("ptxas", "ptxas.exe"):
            return str(file.locate())
    return shutil.which("ptxas")


pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None,
        reason="compiles with numba-cuda: install the extra 'cuda'",
    ),
    pytest.mark.skipif(ptxas() is None, reason="assembles with ptxas: install the extra 'cuda'"),
]


def variants(dtype: torch.dtype):
    """Yield (name, builder, configuration, threads) of all kernels that ship for tensors of ``dtype``."""
    from spnrefine.ops.cuda.backward import backward_kernel
    from spnrefine.ops.cuda.forward import forward_kernel
    from spnrefine.ops.cuda.merging import merge_kernel, sum_kernel
    from spnrefine.ops.cuda.storage import STORAGE

    wide = dtype == torch.float64
    storage, real = STORAGE[dtype], STORAGE[torch.float64 if wide else torch.float32]
    forward = plan.FORWARD_FLOAT64 if wide else plan.FORWARD
    backward = plan.BACKWARD_FLOAT64 if wide else plan.BACKWARD
    kinds = [("forward", forward_kernel, forward, storage), ("backward", backward_kernel, backward, storage)]
    if storage is not real:
        kinds += [
            ("forward, saving", forward_kernel, forward, real),
            ("backward, shared gates", backward_kernel, backward, real),
        ]
    for taps in (3, 1):
        for name, build, tiles, written in kinds:
            for chunked, sizes in ((False, tiles.whole), (True, tiles.chunked)):
                for threads, depth in sizes.items():
                    yield (
                        f"{name}, {taps} taps, {threads} threads{', chunked' * chunked}",
                        build,
                        (storage, storage, written, taps, depth, threads, chunked, wide),
                        threads,
                    )
    for remember in (False, True):
        yield "merge", merge_kernel, (real if remember else storage, storage, remember, wide), plan.MERGE_THREADS
    yield "sum", sum_kernel, (storage, wide), plan.MERGE_THREADS


def assemble(text: str, capability: tuple[int, int], folder) -> dict[str, int]:
    """Return what ``ptxas -v`` reports of the one kernel in a PTX text."""
    source = folder / "kernel.ptx"
    source.write_text(text)
    arch = "sm_{}{}".format(*capability)
    result = subprocess.run(
        [ptxas(), "-v", "-arch", arch, "-o", folder / "kernel.cubin", source],
        capture_output=True,
        text=True,
        check=False,
    )
    report = result.stdout + result.stderr
    assert result.returncode == 0, report
    patterns = {
        "stack": r"(\d+) bytes stack frame",
        "stores": r"(\d+) bytes spill stores",
        "loads": r"(\d+) bytes spill loads",
        "registers": r"Used (\d+) registers",
    }
    return {name: int(re.search(pattern, report).group(1)) for name, pattern in patterns.items()}


def blocks_per_multiprocessor(registers: int, threads: int, shared: int, capability: tuple[int, int]) -> int:
    """Work out the occupancy: registers are handed out to warps by the 256, shared memory with 1 KiB a block on top."""
    kib, warps = CAPABILITIES[capability]
    warps_of_block = -(-threads // 32)
    registers_of_block = warps_of_block * -(-registers * 32 // 256) * 256
    own = 1024 if capability >= (8, 0) else 0
    return min(65536 // registers_of_block, warps // warps_of_block, kib * 1024 // max(shared + own, 1))


def check(dtype: torch.dtype, capability: tuple[int, int], folder, chosen=lambda name: True) -> None:
    from spnrefine.ops.cuda.launching import ptx

    seen = 0
    for name, build, config, threads in filter(lambda variant: chosen(variant[0]), variants(dtype)):
        used = assemble(ptx(build, config, threads, capability), capability, folder)
        shared = 0
        if len(config) > 4:
            *_, taps, depth, _, _, wide = config
            numbers = (taps + 2) * depth if "forward" in name else (taps + 4) * depth + 4
            shared = numbers * (threads + 32 // depth) * (8 if wide else 4)
        blocks = blocks_per_multiprocessor(used["registers"], threads, shared, capability)
        print(
            f"sm_{capability[0]}{capability[1]} {str(dtype)[6:]:8} {name:42} registers {used['registers']:3}, "
            f"spilled {used['stores'] + used['loads']}, shared {shared:6}, blocks a multiprocessor {blocks}"
        )
        assert used["stack"] == used["stores"] == used["loads"] == 0, name
        assert used["registers"] * threads <= 65536, name
        seen += 1
    assert seen


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
def test_kernels_fit_registers(capability, tmp_path):
    check(torch.float32, capability, tmp_path, lambda name: name.endswith("3 taps, 512 threads") or name == "merge")


def test_machine_code_as_the_launch_makes_it():
    from spnrefine.ops.cuda.launching import entry_name, machine_code, ptx
    from spnrefine.ops.cuda.merging import sum_kernel
    from spnrefine.ops.cuda.storage import STORAGE

    text = ptx(sum_kernel, (STORAGE[torch.bfloat16], False), 256, (9, 0))
    code = machine_code(text, (9, 0)).code
    assert code.startswith(b"\x7fELF")
    assert entry_name(text).encode() in code


@pytest.mark.slow  # 500 kernels at some seconds each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
def test_every_kernel_that_ships_fits_registers(capability, dtype, tmp_path):
    check(dtype, capability, tmp_path)
