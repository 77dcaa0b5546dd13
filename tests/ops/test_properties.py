"""What holds for any image and any gates."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spnrefine.ops import Direction, available_backends, propagate, scan
from tests.ops.conftest import DOUBLE

LEFT_TO_RIGHT, RIGHT_TO_LEFT, TOP_TO_BOTTOM, BOTTOM_TO_TOP = Direction

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def cases(draw):
    """A random x, guidance and normalisation."""
    n, c, h, w = draw(st.tuples(*(st.integers(1, most) for most in (2, 18, 9, 9))))
    taps, shared = draw(st.sampled_from([1, 3])), draw(st.booleans())
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    scale = draw(st.sampled_from([0.1, 1.0, 10.0]))
    x = torch.randn(n, c, h, w, generator=generator, dtype=torch.float64)
    guidance = torch.randn(n, 4, taps, 1 if shared else c, h, w, generator=generator, dtype=torch.float64) * scale
    return x, guidance, draw(st.sampled_from(["bounded", "unit"]))


@pytest.fixture(
    params=[
        ("reference", torch.float64),
        ("cpu", torch.float32),
        pytest.param(("cpu", torch.float64), marks=DOUBLE),
        pytest.param(("cuda", torch.float64), marks=pytest.mark.cuda),
    ],
    ids=lambda param: "-".join(map(str, param)),
)
def how(request):
    """A backend that can run here, and the type it calculates in."""
    if request.param[0] not in available_backends():
        pytest.skip("no CUDA device, or not the extra cuda")
    return request.param


def run(operator, x, guidance, *arguments, how, normalise):
    backend, dtype = how
    device = "cuda" if backend == "cuda" else "cpu"
    out = operator(x.to(device, dtype), guidance.to(device, dtype), *arguments, backend=backend, normalise=normalise)
    return out.cpu().double()


def assert_close(actual, expected, how, tolerance=1e-9):
    """Compare; in float32 what can be told apart depends on the largest number that was added."""
    if how[1] == torch.float32:
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4 * max(1, expected.abs().max().item()))
    else:
        torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


@some
@given(cases(), st.floats(-100, 100))
def test_a_constant_stays_constant(how, case, value):
    x, guidance, normalise = case
    x = torch.full_like(x, value)
    out = run(propagate, x, guidance, how=how, normalise=normalise)
    assert_close(out, x, how)


@some
@given(cases())
def test_non_negative_gates_stay_within_the_range_of_x(how, case):
    x, guidance, normalise = case
    out = run(propagate, x, guidance.abs(), how=how, normalise=normalise)
    margin = 1e-9 if how[1] == torch.float64 else 1e-5 * max(1, x.abs().max().item())
    for image, result in zip(x.flatten(2), out.flatten(2), strict=True):
        assert (result >= image.amin(1, keepdim=True) - margin).all()
        assert (result <= image.amax(1, keepdim=True) + margin).all()


@some
@given(cases(), st.sampled_from(Direction), st.floats(-3, 3))
def test_a_scan_is_linear_in_x(how, case, direction, factor):
    x, guidance, normalise = case
    other = torch.roll(x, (1, 1), (2, 3))

    def of(x):
        return run(scan, x, guidance[:, 0], direction, how=how, normalise=normalise)

    assert_close(of(x + factor * other), of(x) + factor * of(other), how, 1e-7)


@some
@given(cases())
def test_directions_are_turns_of_each_other(how, case):
    x, guidance, normalise = case
    guidance = guidance[:, 0]

    def of(x, guidance, direction):
        return run(scan, x, guidance, direction, how=how, normalise=normalise)

    expected = of(x, guidance, LEFT_TO_RIGHT)
    assert_close(of(x.flip(-1), guidance.flip(-1), RIGHT_TO_LEFT).flip(-1), expected, how)
    assert_close(of(x.mT, guidance.mT, TOP_TO_BOTTOM).mT, expected, how)
    assert_close(of(x.mT.flip(-2), guidance.mT.flip(-2), BOTTOM_TO_TOP).flip(-2).mT, expected, how)
    # upside down, before and after change places
    assert_close(of(x.flip(-2), guidance.flip(-2, 1), LEFT_TO_RIGHT).flip(-2), expected, how)
