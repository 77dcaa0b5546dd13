"""Lines cut into pieces: the CUDA kernels on the CPU, against the reference, and when lines are cut."""

import pytest
import torch

from spnrefine.ops.cuda import cuts, limits, plan, tensors
from spnrefine.ops.directions import ALL_DIRECTIONS, Direction
from tests.ops.cuda_on_cpu import COMPILER, channels_last, check, problem

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="builds the kernels with g++ or clang++"),
    pytest.mark.usefixtures("cuda_on_cpu"),
]


@pytest.fixture
def cut(monkeypatch):
    """Have lines cut into pieces that hand on so many positions, with so many channels a block."""

    def force(core, side=1, broad=False):
        def forced(operands, unit):
            kernel, block = list(limits.blocks_of(unit.way, unit.wide).items())[-broad]
            return cuts.Cut(kernel, block, side, -(-max(operands.shape[2:]) // core), core)

        monkeypatch.setattr(plan, "best", forced)
        forget()

    forget()
    yield force
    forget()


def forget():
    for cached in (plan.forward_plan, plan.backward_plan):
        cached.cache_clear()


@pytest.mark.parametrize("taps", [1, 3])
@pytest.mark.parametrize("size", [(70, 35), (33, 81)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_lines_in_pieces(size, taps, cut):
    """Pieces meet every 16 lines: three launches for 35 lines or 33, which end in different launches."""
    cut(core=32)
    directions = (Direction.RIGHT_TO_LEFT, Direction.TOP_TO_BOTTOM)
    kernels = check(*problem(1, 1, *size, taps=taps, directions=directions), directions=directions)
    scans = -(-max(size) // 16)
    assert kernels == ["forward"] * scans + ["merge"] + ["backward"] * scans + ["sum"]


@pytest.mark.parametrize(("gates", "broad"), [(1, False), (8, True)])
def test_pieces_with_channels_side_by_side(gates, broad, cut):
    cut(core=32, side=4, broad=broad)
    directions = (Direction.LEFT_TO_RIGHT, Direction.BOTTOM_TO_TOP)
    kernels = check(*channels_last(*problem(1, 8, 40, 18, gates=gates, directions=directions)), directions=directions)
    assert ("backward_broad" in kernels) == broad


SLOW = pytest.mark.slow(reason="fibres take seconds for what is large")


@SLOW
@pytest.mark.parametrize("size", [(31, 32), (33, 65), (130, 17)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("channels", [3, 16])
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_cuts_that_a_plan_may_choose(size, channels, last, dtype, monkeypatch):
    """The first of them, one in the middle and the last."""
    x, guidance, grad = problem(1, channels, *size, dtype=dtype)
    if dtype != torch.float64:
        guidance += guidance.sign() / 2  # gradients of a quotient of small numbers are not precise
    operands = channels_last(x, guidance, grad) if last else (x, guidance, grad)
    tolerance = {} if dtype == torch.float64 else dict.fromkeys(("rtol", "atol"), max(4 * torch.finfo(dtype).eps, 1e-4))
    for part in (0, 1, 2):

        def chosen(operands, unit, part=part):
            named = list(cuts.cuts(operands, unit))
            return named[part * (len(named) - 1) // 2]

        monkeypatch.setattr(plan, "best", chosen)
        forget()
        check(*operands, **tolerance)
    forget()


def laid_out(channels, length, *, last, dtype=torch.float32):
    """Return what plans are made for: lines of so many pixels, with a pixel's channels neighbours or far apart."""
    x = torch.empty(1, channels, length, length, dtype=dtype, device="meta")
    guidance = torch.empty(1, 12 * channels, length, length, dtype=dtype, device="meta")
    if last:
        x, guidance = (each.to(memory_format=torch.channels_last) for each in (x, guidance))
    return tensors._operands(x, guidance.unflatten(1, (4, 3, channels)), ALL_DIRECTIONS, "bounded")


@pytest.mark.parametrize(
    ("channels", "length", "last", "way", "blocks", "threads", "launches"),
    [
        (32, 64, False, "forward", 128, 32, 1),  # a warp a line
        (32, 64, True, "forward", 16, 256, 1),
        (32, 256, False, "forward", 128, 128, 1),
        (32, 256, True, "forward", 128, 256, 16),  # eight pieces
        (16, 512, False, "forward", 64, 256, 1),
        (16, 512, True, "forward", 128, 256, 32),
        (32, 1024, False, "forward", 128, 512, 1),
        (32, 1024, True, "forward", 256, 384, 64),
        (32, 2048, False, "forward", 512, 288, 128),  # too long for one block
        (32, 1024, False, "backward", 512, 288, 64),
        (32, 1024, True, "backward_broad", 256, 384, 64),
    ],
)
def test_lines_are_cut_where_that_pays(channels, length, last, way, blocks, threads, launches):
    operands = laid_out(channels, length, last=last)
    if way == "forward":
        scans = plan.forward_plan(operands, save=False).scans
    else:
        scans = plan.backward_plan(operands, operands.x, operands.guidance, False).scans
    assert {(scan.kernel, scan.blocks, scan.threads) for scan in scans} == {(way, blocks, threads)}
    assert len(scans) == launches
    assert max(scan.shared for scan in scans) <= 48 * 1024
