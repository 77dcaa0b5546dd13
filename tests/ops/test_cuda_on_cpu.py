"""The CUDA kernels on the CPU, against the reference: values and every gradient, in float64 unless said.

Every problem is run with a block's threads in either order, which must not matter to a bit.
"""

import pytest
import torch

from spnrefine.ops.cuda import tensors
from spnrefine.ops.directions import ALL_DIRECTIONS, Direction
from spnrefine.ops.reference import propagate
from tests.ops.cuda_on_cpu import COMPILER, channels_last, check, problem, run

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="builds the kernels with g++ or clang++"),
    pytest.mark.usefixtures("cuda_on_cpu"),
]


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
    check(*channels_last(x, guidance, grad), directions=directions)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [(8, 12), (12, 8), (4, 4)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_lines_that_are_neighbours_in_memory_move_four_at_once(size, dtype):
    tolerance = {"rtol": 2e-2, "atol": 2e-2} if dtype == torch.bfloat16 else {}
    check(*problem(1, 2, *size, dtype=dtype), **tolerance)


def test_lines_of_several_warps():
    directions = (Direction.RIGHT_TO_LEFT, Direction.BOTTOM_TO_TOP)
    check(*problem(1, 1, 131, 5, directions=directions), directions=directions)


COMPILED = pytest.mark.slow(reason="compiles the kernels for one more type; the coarsest tells most of it")


@pytest.mark.parametrize(
    "dtype",
    [pytest.param(torch.float32, marks=COMPILED), pytest.param(torch.float16, marks=COMPILED), torch.bfloat16],
)
def test_types_calculate_in_float32(dtype):
    # one rounding to the storage type, so never further off than that
    check(*problem(1, 1, 6, 7, dtype=dtype), rtol=2 * torch.finfo(dtype).eps, atol=2 * torch.finfo(dtype).eps)


def test_barriers(cuda_on_cpu):
    """A line costs one barrier: of a warp, where one has all of it."""
    for length, of_block, of_warp in ((8, 0, 8), (70, 8, 0)):
        x, guidance, grad = problem(1, 1, length, 8)
        run(x, guidance[:, :2], grad, ALL_DIRECTIONS[:2], "bounded")
        assert [(what.kernel, *barriers) for what, *barriers in cuda_on_cpu.launches] == [
            ("forward", of_block, of_warp), ("merge", 0, 0), ("backward", of_block, of_warp), ("sum", 0, 0),
        ]  # fmt: skip


def test_half_gates_for_float32_input():
    x, guidance, grad = problem(1, 1, 4, 5, dtype=torch.float32)
    check(x, guidance.bfloat16(), grad, rtol=1e-2, atol=1e-2)


def test_nothing_to_do():
    x, guidance, grad = problem(0, 2, 3, 4)
    assert [t.shape for t in run(x, guidance, grad, ALL_DIRECTIONS, "bounded")[0]] == [x.shape, x.shape, guidance.shape]
