"""Every compiled backend against the reference: values and every gradient."""

import pytest
import torch

from spnrefine.ops import propagate


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 5, 33, 31), (1, 20, 1, 9), (3, 17, 9, 1)])
@pytest.mark.parametrize("normalise", ["bounded", "unit", None])
def test_cpu_propagate(shape, normalise):
    torch.manual_seed(0)
    n, c, h, w = shape
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    guidance = torch.randn(n, 4, 3, c, h, w, dtype=torch.float64) * (1 if normalise else 0.2)
    guidance.requires_grad_()
    results = []
    for backend in ("reference", "cpu"):
        out = propagate(x, guidance, normalise=normalise, backend=backend)
        results.append((out, *torch.autograd.grad((out * out).sum(), (x, guidance))))
    torch.testing.assert_close(results[1], results[0], rtol=1e-8, atol=1e-9)
