"""The CUDA kernels on the CPU, against the reference: values and every gradient, in float64 unless said.

Every problem is run with a block's threads in either order, which must not matter to a bit.
"""

import pytest
import torch

from spnrefine.ops.cuda import launching, limits, plan, tensors
from spnrefine.ops.directions import ALL_DIRECTIONS, Direction
from spnrefine.ops.reference import propagate
from tests.ops.cuda_on_cpu import COMPILER, OnCPU

pytestmark = pytest.mark.skipif(COMPILER is None, reason="builds the kernels with g++ or clang++")


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    """Send what is launched to the CPU."""
    torch.manual_seed(0)
    on_cpu = OnCPU()
    monkeypatch.setattr(launching, "launch", on_cpu)
    return on_cpu


@pytest.fixture
def few_threads(monkeypatch):
    """Plan for blocks so small that lines of 33 pixels are already longer."""
    few = {"FORWARD_THREADS": 32, "BACKWARD_THREADS": 16, "WIDE_THREADS": 32, "LONG_THREADS": 32}
    monkeypatch.setattr(plan, "threads_of", lambda wide: few)
    for cached in (plan.forward_plan, plan.backward_plan):
        cached.cache_clear()
    yield
    for cached in (plan.forward_plan, plan.backward_plan):
        cached.cache_clear()


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
    return results[0], [what.kernel for what, _ in on_cpu.launches]


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


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 6), (6, 1), (2, 2), (7, 9), (33, 3), (3, 33), (31, 5), (40, 65)],
    ids=lambda s: f"{s[0]}x{s[1]}",
)
def test_sizes(size):
    check(*problem(1, 1, *size))


def test_batch_and_channels():
    directions = (Direction.RIGHT_TO_LEFT, Direction.TOP_TO_BOTTOM)
    check(*problem(2, 3, 3, 4, directions=directions), directions=directions)


@pytest.mark.parametrize("normalise", ["bounded", "unit", None])
@pytest.mark.parametrize("taps", [1, 3])
def test_normalisations(normalise, taps):
    x, guidance, grad = problem(1, 1, 5, 6, taps=taps)
    check(x, guidance / 2, grad, normalise=normalise)


@pytest.mark.parametrize("normalise", ["bounded", "unit"])
def test_sums_of_exactly_one_and_of_zero(normalise):
    x, guidance, grad = problem(1, 1, 4, 5)
    guidance[:] = torch.tensor([0.25, -0.5, 0.25], dtype=guidance.dtype).view(1, 1, 3, 1, 1, 1)
    guidance[..., 2] = 0
    check(x, guidance, grad, normalise=normalise)


@pytest.mark.parametrize("batch", [1, 2])
def test_gates_shared_by_all_channels(batch):
    directions = (Direction.RIGHT_TO_LEFT, Direction.BOTTOM_TO_TOP)
    check(*problem(batch, 3, 3, 4, gates=1, directions=directions), directions=directions)


@pytest.mark.parametrize("direction", ALL_DIRECTIONS)
def test_one_direction(direction):
    check(*problem(1, 1, 5, 4, directions=(direction,)), directions=(direction,))


def test_directions_in_any_order_and_number():
    directions = (Direction.BOTTOM_TO_TOP, Direction.LEFT_TO_RIGHT, Direction.RIGHT_TO_LEFT)
    check(*problem(1, 1, 4, 5, directions=directions), directions=directions)


def test_the_first_of_tied_directions_takes_the_gradient():
    x, guidance, grad = problem(1, 1, 4, 5)
    guidance.zero_()  # every direction returns x
    check(x, guidance, grad)


def test_without_saving():
    x, guidance, _ = problem(1, 2, 4, 5)
    out, saved = tensors.forward(x, guidance, ALL_DIRECTIONS, "bounded", save=False)
    assert saved.numel() == 0
    torch.testing.assert_close(out, propagate(x, guidance))
    out, _ = tensors.forward(x, guidance[:, :1], (Direction.LEFT_TO_RIGHT,), "bounded", save=False)
    torch.testing.assert_close(out, propagate(x, guidance[:, :1], directions=(Direction.LEFT_TO_RIGHT,)))


def test_strided_inputs():
    x, guidance, grad = problem(2, 2, 5, 4)
    check(x[:1, ::2, ::2, 1:], guidance[1:, :, :, ::2, ::2, 1:], grad.transpose(0, 1)[1:, ::2, ::2, 1:])


def test_expanded_inputs():
    directions = (Direction.LEFT_TO_RIGHT, Direction.BOTTOM_TO_TOP)
    x, guidance, _ = problem(1, 1, 3, 4, directions=directions)
    ones = torch.ones(1, dtype=x.dtype).expand(2, 2, 3, 4)
    check(x.expand(2, 2, 3, 4), guidance.expand(2, 2, 3, 2, 3, 4), ones, directions=directions)


@pytest.mark.parametrize("channels", [3, 4, 16])
def test_channels_last_guidance_is_taken_as_it_is(channels):
    directions = (Direction.LEFT_TO_RIGHT, Direction.BOTTOM_TO_TOP)
    x, guidance, grad = problem(1, channels, 3, 5, directions=directions)
    guidance = guidance.permute(0, 4, 5, 1, 2, 3).contiguous().permute(0, 3, 4, 5, 1, 2)
    check(x.to(memory_format=torch.channels_last), guidance, grad, directions=directions)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [(8, 12), (12, 8), (4, 4)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_lines_that_are_neighbours_in_memory_move_four_at_once(size, dtype):
    tolerance = {"rtol": 2e-2, "atol": 2e-2} if dtype == torch.bfloat16 else {}
    check(*problem(1, 2, *size, dtype=dtype), **tolerance)


def test_lines_too_long_for_the_kernel_with_fewer_threads():
    directions = (Direction.RIGHT_TO_LEFT, Direction.BOTTOM_TO_TOP)
    kernels = check(*problem(1, 1, 300, 5, directions=directions), directions=directions)
    assert kernels == ["forward", "merge", "backward_wide", "sum"]


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("size", [(37, 3), (3, 150)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("shared", [limits.SHARED, 100])
@pytest.mark.usefixtures("few_threads")
def test_lines_longer_than_a_block(size, taps, shared, monkeypatch):
    monkeypatch.setattr(plan, "SHARED", shared)  # with 100 bytes, two lines lie in device memory
    directions = (Direction.RIGHT_TO_LEFT, Direction.TOP_TO_BOTTOM)
    kernels = check(*problem(1, 1, *size, taps=taps, directions=directions), directions=directions)
    assert kernels == ["forward_long", "merge", "backward_long", "sum"]
    assert (launching.launch.launches[0][0].carry > 0) == (shared == 100)


@pytest.mark.parametrize("channels", [2, 8])
@pytest.mark.usefixtures("few_threads")
def test_long_lines_with_channels_side_by_side(channels):
    directions = (Direction.LEFT_TO_RIGHT,)
    x, guidance, grad = problem(1, channels, 37, 9, directions=directions)
    guidance = guidance.permute(0, 4, 5, 1, 2, 3).contiguous().permute(0, 3, 4, 5, 1, 2)
    assert check(x, guidance, grad, directions=directions)[0] == "forward_long"


def laid_out(channels, length, *, last, dtype=torch.float32):
    """Return what plans are made for: lines of so many pixels, with a pixel's channels neighbours or far apart."""
    x = torch.empty(1, channels, length, 8, dtype=dtype, device="meta")
    guidance = torch.empty(1, 12 * channels, length, 8, dtype=dtype, device="meta")
    if last:
        x, guidance = (each.to(memory_format=torch.channels_last) for each in (x, guidance))
    return tensors._operands(x, guidance.unflatten(1, (4, 3, channels)), ALL_DIRECTIONS, "bounded")


@pytest.mark.parametrize(
    ("channels", "length", "last", "kernel", "blocks"),
    [
        (32, 1024, False, "forward", 128),
        (32, 512, True, "forward", 64),  # two channels a block
        (32, 1024, True, "forward_long", 32),  # four, where a thread a position would leave but one
        (2, 1024, True, "forward", 8),  # there are no four
        (32, 2048, True, "forward_long", 32),
    ],
)
def test_blocks_take_neighbouring_channels_together(channels, length, last, kernel, blocks):
    scans = plan.forward_plan(laid_out(channels, length, last=last), save=False).scans
    assert (scans.kernel, scans.blocks) == (kernel, blocks)
    assert (scans.shared > 0, scans.carry > 0) == ((True, False) if length < 2048 else (False, True))


COMPILED = pytest.mark.slow(reason="compiles the kernels for one more type; the coarsest tells most of it")


@pytest.mark.parametrize(
    "dtype",
    [pytest.param(torch.float32, marks=COMPILED), pytest.param(torch.float16, marks=COMPILED), torch.bfloat16],
)
def test_types_calculate_in_float32(dtype):
    # one rounding to the storage type, so never further off than that
    check(*problem(1, 1, 6, 7, dtype=dtype), rtol=2 * torch.finfo(dtype).eps, atol=2 * torch.finfo(dtype).eps)


def test_barriers(cpu):
    """A line costs one barrier, beyond the first."""
    x, guidance, grad = problem(1, 1, 8, 8)
    run(x, guidance, grad, ALL_DIRECTIONS, "bounded")
    assert [(what.kernel, barriers) for what, barriers in cpu.launches] == [
        ("forward", 9), ("merge", 0), ("backward", 9), ("sum", 0),
    ]  # fmt: skip


def test_half_gates_for_float32_input():
    x, guidance, grad = problem(1, 1, 4, 5, dtype=torch.float32)
    check(x, guidance.bfloat16(), grad, rtol=1e-2, atol=1e-2)


def test_nothing_to_do():
    x, guidance, grad = problem(0, 2, 3, 4)
    assert [t.shape for t in run(x, guidance, grad, ALL_DIRECTIONS, "bounded")[0]] == [x.shape, x.shape, guidance.shape]
