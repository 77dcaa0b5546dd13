"""What holds for any image and any gates."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spnrefine.ops import Direction, propagate, scan

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


def run(operator, x, guidance, *arguments, backend, normalise):
    device = "cuda" if backend == "cuda" else "cpu"
    return operator(x.to(device), guidance.to(device), *arguments, backend=backend, normalise=normalise).cpu()


@some
@given(cases(), st.floats(-100, 100))
def test_a_constant_stays_constant(any_backend, case, value):
    x, guidance, normalise = case
    x = torch.full_like(x, value)
    out = run(propagate, x, guidance, backend=any_backend, normalise=normalise)
    torch.testing.assert_close(out, x, rtol=1e-9, atol=1e-9)


@some
@given(cases())
def test_non_negative_gates_stay_within_the_range_of_x(any_backend, case):
    x, guidance, normalise = case
    out = run(propagate, x, guidance.abs(), backend=any_backend, normalise=normalise)
    for image, result in zip(x.flatten(2), out.flatten(2), strict=True):
        assert (result >= image.amin(1, keepdim=True) - 1e-9).all()
        assert (result <= image.amax(1, keepdim=True) + 1e-9).all()


@some
@given(cases(), st.sampled_from(Direction), st.floats(-3, 3))
def test_a_scan_is_linear_in_x(any_backend, case, direction, factor):
    x, guidance, normalise = case
    other = torch.roll(x, (1, 1), (2, 3))

    def of(x):
        return run(scan, x, guidance[:, 0], direction, backend=any_backend, normalise=normalise)

    torch.testing.assert_close(of(x + factor * other), of(x) + factor * of(other), rtol=1e-7, atol=1e-7)


@some
@given(cases())
def test_directions_are_turns_of_each_other(any_backend, case):
    x, guidance, normalise = case
    guidance = guidance[:, 0]

    def of(x, guidance, direction):
        return run(scan, x, guidance, direction, backend=any_backend, normalise=normalise)

    expected = of(x, guidance, LEFT_TO_RIGHT)
    close = {"rtol": 1e-9, "atol": 1e-9}
    torch.testing.assert_close(of(x.flip(-1), guidance.flip(-1), RIGHT_TO_LEFT).flip(-1), expected, **close)
    torch.testing.assert_close(of(x.mT, guidance.mT, TOP_TO_BOTTOM).mT, expected, **close)
    torch.testing.assert_close(of(x.mT.flip(-2), guidance.mT.flip(-2), BOTTOM_TO_TOP).flip(-2).mT, expected, **close)
    # upside down, before and after change places
    torch.testing.assert_close(of(x.flip(-2), guidance.flip(-2, 1), LEFT_TO_RIGHT).flip(-2), expected, **close)
