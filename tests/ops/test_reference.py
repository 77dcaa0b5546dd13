"""The definition itself: against numbers worked out by hand and against the dense affinity matrix."""

import pytest
import torch

from spnrefine.ops import Direction, propagate, scan
from spnrefine.ops.reference import gates

L, R, T, B = Direction


def tensor(rows):
    return torch.tensor(rows, dtype=torch.float64)


def guidance_of(*taps):
    """(1, T, 1, H, W) from one table a tap."""
    return torch.stack([tensor(tap) for tap in taps])[None, :, None]


# x is 2 x 3 and every tap is 0.25. Left to right, row 0 has no tap before (above) and row 1 none after (below):
#   h[0,1] = (1 - .25 - .25) 2 + .25 h[0,0] + .25 h[1,0] = 1 + .25 * 1 + .25 * 4 = 2.25
#   h[1,1] = (1 - .25 - .25) 5 + .25 h[0,0] + .25 h[1,0] = 2.5 + .25 * 1 + .25 * 4 = 3.75
#   h[0,2] = .5 * 3 + .25 * 2.25 + .25 * 3.75 = 3, h[1,2] = .5 * 6 + .25 * 2.25 + .25 * 3.75 = 4.5
# Right to left the same from the last column: h[0,1] = .5 * 2 + .25 * 3 + .25 * 6 = 3.25, h[1,1] = 2.5 + 2.25 = 4.75,
#   h[0,0] = .5 * 1 + .25 * (3.25 + 4.75) = 2.5, h[1,0] = 2 + 2 = 4
# Top to bottom, the corners of row 1 have two taps and its middle three:
#   h[1,0] = .5 * 4 + .25 * (1 + 2) = 2.75, h[1,1] = .25 * 5 + .25 * (1 + 2 + 3) = 2.75, h[1,2] = 3 + .25 * 5 = 4.25
# Bottom to top: h[0,0] = .5 * 1 + .25 * (4 + 5) = 2.75, h[0,1] = .25 * 2 + .25 * 15 = 4.25, h[0,2] = 1.5 + .25 * 11
X = [[1, 2, 3], [4, 5, 6]]
BY_HAND = {
    L: [[1, 2.25, 3], [4, 3.75, 4.5]],
    R: [[2.5, 3.25, 3], [4, 4.75, 6]],
    T: [[1, 2, 3], [2.75, 2.75, 4.25]],
    B: [[2.75, 4.25, 4.25], [4, 5, 6]],
}


@pytest.mark.parametrize("direction", Direction)
def test_scan_by_hand(any_backend, precision, direction):
    device = "cuda" if any_backend == "cuda" else "cpu"
    guidance = torch.full((1, 3, 1, 2, 3), 0.25, dtype=precision, device=device)
    h = scan(tensor(X)[None, None].to(guidance), guidance, direction, backend=any_backend)
    assert torch.equal(h[0, 0].cpu(), tensor(BY_HAND[direction]).to(precision))


def test_propagate_by_hand(any_backend, precision):
    device = "cuda" if any_backend == "cuda" else "cpu"
    guidance = torch.full((1, 4, 3, 1, 2, 3), 0.25, dtype=precision, device=device)
    h = propagate(tensor(X)[None, None].to(guidance), guidance, backend=any_backend)
    assert torch.equal(h[0, 0].cpu(), tensor([[2.75, 4.25, 4.25], [4, 5, 6]]).to(precision))


def test_taps_are_told_apart(any_backend, precision):
    """Different gates, worked out by hand: h[1,1] = (1 - .1 - .2 + .4) 0 + .1 h[0,0] + .2 h[1,0] - .4 h[2,0]."""
    device = "cuda" if any_backend == "cuda" else "cpu"
    guidance = guidance_of(*([[value] * 2] * 3 for value in (0.1, 0.2, -0.4))).to(device, precision)
    x = tensor([[1, 0], [10, 0], [100, 0]])[None, None].to(device, precision)
    h = scan(x, guidance, L, backend=any_backend)[0, 0, :, 1].cpu()
    # row 0: .2 * 1 - .4 * 10, row 2: .1 * 10 + .2 * 100
    torch.testing.assert_close(h, tensor([-3.8, 0.1 + 2 - 40, 21]).to(precision))


@pytest.mark.parametrize(
    ("normalise", "raw", "expected"),
    [
        ("bounded", (0.2, 0.3, -0.1), (0.2, 0.3, -0.1)),  # 0.6 is within the bound
        ("bounded", (2, 1, -1), (0.5, 0.25, -0.25)),
        ("unit", (0.2, 0.3, -0.1), (1 / 3, 1 / 2, -1 / 6)),
        ("unit", (0, 0, 0), (0, 0, 0)),
        (None, (2, 1, -1), (2, 1, -1)),
    ],
)
def test_normalisations(normalise, raw, expected):
    taps = gates(guidance_of(*([[value] * 3] * 3 for value in raw)), L, normalise)
    torch.testing.assert_close(taps[0, :, 0, 1, 1], tensor(expected))


def test_taps_outside_the_image_do_not_count():
    """In a corner, 2 / 1 / -1 has lost its first tap: bounded divides the others by 2."""
    taps = gates(guidance_of(*([[value] * 3] * 3 for value in (2, 1, -1))), L)
    torch.testing.assert_close(taps[0, :, 0, 0, 1], tensor([0, 0.5, -0.5]))
    assert not taps[..., 0].any()


def affinity(guidance, direction):
    """The dense matrix of a scan over one channel, by multiplying out the recurrence pixel by pixel."""
    taps = gates(guidance, direction)[0, :, 0]
    height, width = taps.shape[1:]
    index = torch.arange(height * width).reshape(height, width)
    turn = {L: lambda a: a, R: lambda a: a.flip(-1), T: lambda a: a.mT, B: lambda a: a.mT.flip(-1)}[direction]
    index, taps = turn(index), turn(taps)
    matrix = torch.zeros(height * width, height * width, dtype=taps.dtype)
    for t in range(index.shape[1]):
        for k in range(index.shape[0]):
            pixel = index[k, t]
            matrix[pixel, pixel] = 1 - taps[:, k, t].sum()
            for tap, source in zip(taps[:, k, t], (k - 1, k, k + 1), strict=True):
                if t > 0 and 0 <= source < index.shape[0]:
                    matrix[pixel] += tap * matrix[index[source, t - 1]]
    return matrix


@pytest.mark.parametrize("direction", Direction)
def test_dense_affinity(any_backend, operands, direction):
    x, guidance = operands((1, 1, 4, 5), backend=any_backend, directions=1)
    matrix = affinity(guidance[:, 0].cpu(), direction)
    h = scan(x, guidance[:, 0], direction, backend=any_backend)
    torch.testing.assert_close(h.flatten().cpu(), matrix @ x.flatten().cpu())
    torch.testing.assert_close(matrix.sum(1), torch.ones(20, dtype=matrix.dtype))


def test_the_bound_limits_the_transition_not_the_output(any_backend):
    """Gates of -1/3 on alternating inputs: far from the edges, h[t] = 2 x[t] - h[t-1], as large as 2 t + 1."""
    device = "cuda" if any_backend == "cuda" else "cpu"
    sign = torch.ones(512, device=device)
    sign[1::2] = -1
    guidance = torch.full((1, 3, 1, 129, 512), -1 / 3, device=device)
    h = scan(sign.expand(1, 1, 129, 512), guidance, L, backend=any_backend)
    assert 900 < h.abs().max() < 1100


def test_zero_gates_give_x(any_backend, operands):
    x, guidance = operands((1, 3, 6, 7), backend=any_backend)
    for normalise in ("bounded", "unit", None):
        torch.testing.assert_close(propagate(x, guidance * 0, normalise=normalise, backend=any_backend), x)
