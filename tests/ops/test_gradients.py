"""Gradients beside the reference's: numerically, and what autograd may and may not do."""

import pytest
import torch

from spnrefine.errors import BackendError
from spnrefine.ops import Direction, propagate, scan
from tests.ops.conftest import DOUBLE

in_double = pytest.mark.parametrize("precision", [torch.float64], ids=["double"])
numerically = pytest.mark.parametrize(
    "any_backend",
    ["reference", pytest.param("cpu", marks=DOUBLE), pytest.param("cuda", marks=pytest.mark.cuda)],
    indirect=True,
)
"""With the reference's gradients, which are checked numerically, test_backends.py compares the others'."""


@in_double
@numerically
@pytest.mark.parametrize("normalise", ["bounded", "unit", None])
@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_gradcheck(any_backend, operands, normalise, taps, shared):
    x, guidance = operands((1, 2 if shared else 1, 3, 4), backend=any_backend, taps=taps, shared=shared)
    inputs = (x.requires_grad_(), guidance.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, g: propagate(x, g, normalise=normalise, backend=any_backend), inputs)


@in_double
@numerically
@pytest.mark.parametrize("direction", Direction)
def test_gradcheck_of_scans(any_backend, operands, direction):
    x, guidance = operands((2, 1, 3, 4), backend=any_backend, directions=1)
    inputs = (x.requires_grad_(), guidance[:, 0].requires_grad_())
    assert torch.autograd.gradcheck(lambda x, g: scan(x, g, direction, backend=any_backend), inputs)


def test_taps_outside_the_image_get_no_gradient(any_backend, operands):
    x, guidance = operands((1, 2, 4, 5), backend=any_backend, directions=1)
    guidance.requires_grad_()
    scan(x, guidance[:, 0], Direction.LEFT_TO_RIGHT, backend=any_backend).sum().backward()
    taps = guidance.grad[0, 0]
    assert not taps[..., 0].any()
    assert not taps[0, :, 0].any()
    assert not taps[2, :, -1].any()
    assert taps[1, :, :, 1:].all()


@pytest.mark.parametrize("needed", ["x", "guidance"])
def test_one_gradient_alone(backend, operands, needed):
    x, guidance = operands((1, 3, 5, 6), backend=backend)
    wanted = {"x": x, "guidance": guidance}[needed].requires_grad_()
    both = [tensor.detach().requires_grad_() for tensor in (x, guidance)]
    (gradient,) = torch.autograd.grad(propagate(x, guidance, backend=backend).sum(), wanted)
    expected = torch.autograd.grad(propagate(*both, backend="reference").sum(), both)
    torch.testing.assert_close(gradient, expected[needed == "guidance"])


def test_upstream_gradient_is_left_alone(backend, operands):
    x, guidance = operands((2, 17, 5, 6), backend=backend)
    for upstream in (torch.randn_like(x), torch.randn_like(x).to(memory_format=torch.channels_last)):
        before = upstream.clone()
        propagate(x.requires_grad_(), guidance.requires_grad_(), backend=backend).backward(upstream)
        assert torch.equal(upstream, before)


def test_two_rounds_with_the_same_gates(backend, operands):
    x, guidance = operands((1, 3, 8, 9), backend=backend)
    results = []
    for name in (backend, "reference"):
        leaves = [x.detach().requires_grad_(), guidance.detach().requires_grad_()]
        out = propagate(propagate(*leaves, backend=name), leaves[1], backend=name)
        results.append((out.detach(), *torch.autograd.grad(out.square().sum(), leaves)))
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if x.dtype == torch.float32 else {"rtol": 1e-7, "atol": 1e-7}
    torch.testing.assert_close(*results, **tolerance)


def test_double_backward_is_refused(backend, operands):
    x, guidance = operands((1, 2, 3, 4), backend=backend)
    out = propagate(x.requires_grad_(), guidance.requires_grad_(), backend=backend)
    (gradient,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    with pytest.raises(BackendError, match="backend='reference'"):
        gradient.sum().backward()


@in_double
def test_double_backward_of_the_reference(operands):
    x, guidance = operands((1, 1, 3, 3))
    inputs = (x.requires_grad_(), guidance.requires_grad_())
    assert torch.autograd.gradgradcheck(lambda x, g: propagate(x, g, backend="reference"), inputs)


def test_nothing_is_saved_without_need(backend, operands):
    x, guidance = operands((1, 2, 3, 4), backend=backend)
    assert propagate(x, guidance, backend=backend).grad_fn is None
    out, saved = torch.ops.spnrefine.propagate(x, guidance, [0, 1, 2, 3], "bounded", backend, False)
    assert out.shape == x.shape
    assert saved.numel() == 0
