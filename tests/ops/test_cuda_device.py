"""What only a CUDA device can show; skipped without one."""

import pytest
import torch

from spnrefine.ops import available_backends, propagate

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif("cuda" not in available_backends(), reason="no CUDA device, or not the extra cuda"),
]


def problem(dtype=torch.float32):
    generator = torch.Generator("cuda").manual_seed(0)
    x = torch.randn(1, 8, 40, 56, device="cuda", generator=generator, dtype=dtype)
    guidance = torch.randn(1, 4, 3, 8, 40, 56, device="cuda", generator=generator, dtype=dtype)
    return x.requires_grad_(), guidance.requires_grad_()


def test_forward_and_backward_are_captured_in_a_graph():
    x, guidance = problem()

    def step():
        x.grad = guidance.grad = None
        propagate(x, guidance).square().sum().backward()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # compiles and warms up outside the capture
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    with torch.no_grad():
        x.mul_(-0.5)
    graph.replay()
    captured = x.grad.clone(), guidance.grad.clone()
    x.grad = guidance.grad = None
    propagate(x, guidance, backend="reference").square().sum().backward()
    torch.testing.assert_close(captured, (x.grad, guidance.grad), rtol=1e-4, atol=1e-4)


def test_work_goes_to_the_current_stream():
    x, guidance = problem()
    with torch.no_grad():
        expected = propagate(x, guidance, backend="reference")
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            torch.cuda._sleep(10_000_000)  # a kernel on another stream would run before this has filled x
            late = x * 1
            result = propagate(late, guidance)
        side.synchronize()
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
