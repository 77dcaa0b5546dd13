"""What the figures were measured on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from spnrefine.simd import cores
from spnrefine.version import __version__

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


def versions() -> dict[str, str]:
    """Name the versions of this program, Python and the packages that matter."""
    return {"spnrefine": __version__, "python": platform.python_version()} | {p: _version(p) for p in PACKAGES}


def describe() -> dict[str, Any]:
    """Name system, processor, cores and CUDA devices."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": cores.available(),
        "threads": torch.get_num_threads(),
        "devices": ["cpu", *(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count()))],
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
