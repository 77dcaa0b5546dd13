"""What the figures were measured on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spnrefine.simd import cores
from spnrefine.version import ALGORITHM, __version__

PACKAGES = (
    "torch",
    "onnxruntime",
    "numba",
    "nvidia-cuda-nvrtc",
    "numpy",
    "opencv-contrib-python-headless",
    "pillow",
    "safetensors",
    "pydensecrf2",
    "PyMaxflow",
)


def facts() -> dict[str, dict[str, Any]]:
    """What figures for programs begin with: ``versions`` and ``machine``."""
    return {"versions": versions(), "machine": describe()}


def versions() -> dict[str, str]:
    """Name the versions of this program, Python and the packages that matter."""
    return {"spnrefine": __version__, "algorithm": str(ALGORITHM), "python": platform.python_version()} | {
        p: _version(p) for p in PACKAGES
    }


def describe() -> dict[str, Any]:
    """Name system, processor, cores, CUDA devices and backends; without torch, what is wrong with it."""
    return {"system": platform.platform(), "processor": _processor(), "cores": cores.available()} | _seen_by_torch()


def _seen_by_torch() -> dict[str, Any]:
    try:
        import torch

        from spnrefine.ops import available_backends
    except Exception as error:  # broken installations raise whatever comes first
        return {
            "threads": cores.available(),
            "devices": ["cpu"],
            "backends": [],
            "torch": f"cannot be imported: {error}",
        }
    return {
        "threads": torch.get_num_threads(),
        "devices": ["cpu", *(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count()))],
        "backends": list(available_backends()),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
