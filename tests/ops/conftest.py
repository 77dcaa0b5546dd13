import pytest
import torch

from spnrefine.ops import available_backends
from spnrefine.ops.cpu import scans
from spnrefine.ops.cuda import launching
from tests.ops.cuda_on_cpu import OnCPU


@pytest.fixture(autouse=True)
def helpers_for_small_calls_too(monkeypatch):
    monkeypatch.setattr(scans, "ALONE", 0)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def backend(request):
    """Each compiled backend that can run here; its tensors live on the device of that name."""
    if request.param not in available_backends():
        pytest.skip("no CUDA device, or not the extra cuda")
    return request.param


@pytest.fixture(params=["reference", "cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def any_backend(request):
    """The reference too."""
    if request.param not in available_backends():
        pytest.skip("no CUDA device, or not the extra cuda")
    return request.param


DOUBLE = pytest.mark.slow(reason="compiles the kernels for float64 as well")
"""What the CPU's kernels do in float64 is what they do in float32: one source for both."""


@pytest.fixture(params=[torch.float32, pytest.param(torch.float64, marks=DOUBLE)], ids=["single", "double"])
def precision(request):
    """The type that operands have unless a test asks for another."""
    return request.param


@pytest.fixture
def operands(precision):
    """Make random x (N, C, H, W) and guidance (N, D, T, G, H, W) on the device of a backend."""

    def make(shape, *, backend="cpu", directions=4, taps=3, shared=False, dtype=precision, seed=0):
        generator = torch.Generator().manual_seed(seed)
        n, c, h, w = shape
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
        guidance = torch.randn(n, directions, taps, 1 if shared else c, h, w, generator=generator, dtype=torch.float64)
        if dtype == torch.float32:  # gradients of a quotient of small numbers are not precise in it
            guidance = guidance + 0.5 * guidance.sign()
        device = "cuda" if backend == "cuda" else "cpu"
        return x.to(device, dtype), guidance.to(device, dtype)

    return make


@pytest.fixture
def cuda_on_cpu(monkeypatch):
    """Send what is launched on a GPU to the CPU."""
    torch.manual_seed(0)
    on_cpu = OnCPU()
    monkeypatch.setattr(launching, "launch", on_cpu)
    return on_cpu
