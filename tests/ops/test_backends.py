"""Every compiled backend against the reference: values and every gradient."""

import pytest
import torch

from spnrefine.ops import Direction, propagate, scan

SHAPES = [(1, 3, 1, 1), (2, 5, 33, 31), (1, 20, 1, 9), (3, 17, 9, 1), (1, 16, 2, 70), (5, 2, 18, 3), (1, 33, 20, 19)]


def values_and_gradients(operator, x, guidance, *arguments, **options):
    x, guidance = x.detach().requires_grad_(), guidance.detach().requires_grad_()
    out = operator(x, guidance, *arguments, **options)
    upstream = torch.linspace(-1, 1, out.numel(), dtype=out.dtype, device=out.device).reshape(out.shape)
    return out.detach(), *torch.autograd.grad(out, (x, guidance), upstream)


def check(operator, x, guidance, *arguments, backend, **options):
    expected = values_and_gradients(operator, x, guidance, *arguments, backend="reference", **options)
    actual = values_and_gradients(operator, x, guidance, *arguments, backend=backend, **options)
    tolerance = {"rtol": 1e-9, "atol": 1e-10} if x.dtype == torch.float64 else {"rtol": 1e-4, "atol": 2e-5}
    torch.testing.assert_close(actual, expected, **tolerance)
    with torch.no_grad():  # where nothing is saved, other code runs
        torch.testing.assert_close(
            operator(x, guidance, *arguments, backend=backend, **options), expected[0], **tolerance
        )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("normalise", ["bounded", "unit", None])
def test_propagate(backend, operands, shape, normalise):
    x, guidance = operands(shape, backend=backend)
    check(propagate, x, guidance * (1 if normalise else 0.2), normalise=normalise, backend=backend)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("direction", Direction)
def test_scan(backend, operands, shape, direction):
    x, guidance = operands(shape, backend=backend, directions=1)
    check(scan, x, guidance[:, 0], direction, backend=backend)


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("normalise", ["bounded", "unit"])
def test_taps_and_sharing(backend, operands, taps, shared, normalise):
    x, guidance = operands((2, 20, 11, 13), backend=backend, taps=taps, shared=shared)
    check(propagate, x, guidance, normalise=normalise, backend=backend)
    check(scan, x, guidance[:, 1], Direction.RIGHT_TO_LEFT, normalise=normalise, backend=backend)


@pytest.mark.parametrize("shape", [(2, 20, 33, 31), (1, 32, 64, 64)], ids=str)
def test_float32(backend, operands, shape):
    check(propagate, *operands(shape, backend=backend, dtype=torch.float32), backend=backend)


@pytest.mark.parametrize("x_type", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("guidance_type", [torch.float16, torch.bfloat16])
def test_half_precision_accumulates_in_float32(backend, operands, x_type, guidance_type):
    x, guidance = operands((2, 5, 12, 40), backend=backend)
    x, guidance = x.to(x_type), guidance.to(guidance_type)
    expected = values_and_gradients(propagate, x, guidance, backend="reference")
    actual = values_and_gradients(propagate, x, guidance, backend=backend)
    assert [a.dtype for a in actual] == [x_type, x_type, guidance_type]
    for one, other in zip(actual, expected, strict=True):  # float32 inside: at most a rounding of the storage apart
        torch.testing.assert_close(one, other, rtol=2 * torch.finfo(one.dtype).eps, atol=1e-3)


def strided(tensor):
    """Every second column of a larger tensor."""
    return torch.stack([tensor, torch.full_like(tensor, torch.nan)], -1).flatten(-2)[..., ::2]


def channels_last(tensor):
    return tensor.movedim((-2, -1), (1, 2)).contiguous().movedim((1, 2), (-2, -1))


def transposed(tensor):
    return tensor.mT.contiguous().mT


@pytest.mark.parametrize("of_x", [torch.Tensor.contiguous, strided, channels_last, transposed])
@pytest.mark.parametrize("of_guidance", [torch.Tensor.contiguous, strided, channels_last, transposed])
def test_memory_layouts(backend, operands, of_x, of_guidance):
    x, guidance = operands((2, 5, 6, 7), backend=backend)
    expected = propagate(x, guidance, backend="reference")
    x, guidance = of_x(x), of_guidance(guidance)
    torch.testing.assert_close(propagate(x, guidance, backend=backend), expected)
    check(propagate, x, guidance, backend=backend)
    out = propagate(x, guidance, backend=backend)
    assert out.is_contiguous(memory_format=torch.channels_last) == (of_x is channels_last)


def test_expanded(backend, operands):
    x, guidance = operands((1, 1, 6, 7), backend=backend)
    check(propagate, x.expand(3, 4, 6, 7), guidance.expand(3, 4, 3, 4, 6, 7), backend=backend)
    check(propagate, x[..., :1].expand(1, 1, 6, 7), guidance[..., :1, :].expand(1, 4, 3, 1, 6, 7), backend=backend)


def test_ties_go_to_the_first_direction(backend, operands):
    """With zero gates all directions agree everywhere; integers on a mirrored image agree in places."""
    x, guidance = operands((1, 20, 9, 10), backend=backend)
    check(propagate, x, guidance * 0, backend=backend)
    generator = torch.Generator().manual_seed(3)
    x = torch.randint(0, 3, (1, 20, 9, 10), generator=generator).to(x)
    guidance = torch.randint(0, 2, (1, 4, 3, 20, 9, 10), generator=generator).to(x)
    check(propagate, x, guidance, normalise=None, backend=backend)


def test_gates_at_the_kinks(backend, operands):
    """Sums of exactly 1 and 0, and taps of 0: the Jacobian is the reference's there too."""
    x, _ = operands((1, 20, 9, 10), backend=backend)
    generator = torch.Generator().manual_seed(1)
    guidance = torch.randint(-2, 3, (1, 4, 3, 20, 9, 10), generator=generator).to(x) / 4
    for normalise in ("bounded", "unit"):
        check(propagate, x, guidance, normalise=normalise, backend=backend)


def test_many_images_and_threads(operands):
    """More images than threads, and a number of them that no number of threads divides."""
    for batch in (1, 4, 7, 13):
        check(propagate, *operands((batch, 3, 5, 6), seed=batch), backend="cpu")
