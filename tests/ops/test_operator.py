"""The operator as a citizen of torch and of a process: registration, errors, threads, the kernels' cache."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from spnrefine.errors import BackendError, ShapeError, SpnRefineError
from spnrefine.ops import Direction, available_backends, propagate, scan


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("save", [False, True])
def test_opcheck(backend, operands, channels_last, save):
    x, guidance = operands((2, 3, 4, 5), backend=backend, dtype=torch.float32)
    if channels_last:
        x, guidance = (t.movedim((-2, -1), (1, 2)).contiguous().movedim((1, 2), (-2, -1)) for t in (x, guidance))
    arguments = (x.requires_grad_(save), guidance.requires_grad_(save), [0, 1, 2, 3], "bounded", backend, save)
    torch.library.opcheck(torch.ops.spnrefine.propagate.default, arguments)


def test_opcheck_of_backward(backend, operands):
    x, guidance = operands((2, 3, 4, 5), backend=backend, dtype=torch.float32)
    settings = ([0, 1, 2, 3], "bounded", backend)
    _, saved = torch.ops.spnrefine.propagate(x, guidance, *settings, True)
    arguments = (torch.ones_like(x), x, guidance, saved, *settings)
    torch.library.opcheck(torch.ops.spnrefine.propagate_backward.default, arguments)


def test_available_backends():
    assert available_backends()[:2] == ("reference", "cpu")
    assert ("cuda" in available_backends()) <= torch.cuda.is_available()


def test_importing_the_package_does_not_import_torch():
    code = "import sys, spnrefine.ops; assert 'torch' not in sys.modules; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_cpu_backend_does_not_import_torch():
    code = "import sys, spnrefine.ops.cpu.scans; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("x", "guidance", "text"),
    [
        ((1, 2, 3), (1, 4, 3, 2, 3, 3), r"\(1, 2, 3\).*\(1, 4, 3, 2, 3, 3\)"),
        ((1, 2, 3, 4), (1, 3, 2, 3, 4), r"\(N, 4, T, G, H, W\)"),
        ((1, 2, 3, 4), (1, 3, 3, 2, 3, 4), "4 directions"),
        ((1, 2, 3, 4), (1, 4, 2, 2, 3, 4), "1 or 3 taps"),
        ((1, 2, 3, 4), (1, 4, 3, 3, 3, 4), "1 channel or all 2, not 3"),
        ((1, 2, 3, 4), (1, 4, 3, 2, 4, 3), r"\(1, 2, 3, 4\).*\(1, 4, 3, 2, 4, 3\).*same N, H and W"),
        ((0, 2, 3, 4), (0, 4, 3, 2, 3, 4), "at least one"),
    ],
)
def test_shapes_that_do_not_fit(x, guidance, text):
    with pytest.raises(ShapeError, match=text):
        propagate(torch.zeros(x), torch.zeros(guidance))


def test_other_errors(operands):
    x, guidance = operands((1, 2, 3, 4))
    with pytest.raises(ShapeError, match=r"torch\.int64"):
        propagate(x.long(), guidance)
    with pytest.raises(SpnRefineError, match=r"'softmax'.*'bounded', 'unit' or None"):
        propagate(x, guidance, normalise="softmax")
    with pytest.raises(BackendError, match=r"'opencl'.*reference, cpu"):
        propagate(x, guidance, backend="opencl")
    with pytest.raises(BackendError, match="cuda"):
        propagate(x, guidance, backend="cuda")
    with pytest.raises(SpnRefineError, match="LEFT_TO_RIGHT"):
        scan(x, guidance[:, 0], 7)
    with pytest.raises(ShapeError, match=r"\(N, T, G, H, W\)"):
        scan(x, guidance, Direction.LEFT_TO_RIGHT)


def test_calls_from_several_threads(operands):
    """Many callers share the helpers; none waits for another's work, and none sees it."""
    cases = [operands((1 + i % 3, 5, 20, 30), seed=i) for i in range(16)]
    expected = [propagate(*case, backend="reference") for case in cases]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for actual, wanted in zip(pool.map(lambda case: propagate(*case), cases), expected, strict=True):
                torch.testing.assert_close(actual, wanted)


def test_threads_do_not_change_the_result(operands):
    from spnrefine.ops.cpu import scans

    x, guidance = operands((1, 40, 30, 20), dtype=torch.float32)
    before = scans.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 8):
            scans.set_num_threads(threads)
            assert scans.get_num_threads() == threads
            leaves = x.detach().requires_grad_(), guidance.detach().requires_grad_()
            out = propagate(*leaves)
            results.append((out.detach(), *torch.autograd.grad(out.sum(), leaves)))
        for result in results[1:]:
            torch.testing.assert_close(result, results[0])
        with pytest.raises(SpnRefineError, match="at least 1"):
            scans.set_num_threads(0)
    finally:
        scans.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_starts_its_own_helpers():
    code = """
    import os, numpy as np
    from spnrefine.ops.cpu import scans
    from spnrefine.ops.directions import ALL_DIRECTIONS
    scans.set_num_threads(2)
    x, guidance = np.ones((2, 3, 80, 90), np.float32), np.ones((2, 4, 3, 3, 80, 90), np.float32)
    scans.forward(x, guidance, ALL_DIRECTIONS, "bounded", save=False)
    child = os.fork()
    if child == 0:
        out, _ = scans.forward(x, guidance, ALL_DIRECTIONS, "bounded", save=False)
        os._exit(0 if np.allclose(out, 1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], check=True, timeout=120)


@pytest.mark.slow(reason="compiles without a cache")
def test_works_where_no_directory_can_hold_a_cache():
    code = """
    import numba.core.caching as caching, numpy as np
    caching.CacheImpl._locator_classes = []
    from spnrefine.ops.cpu import scans
    from spnrefine.ops.directions import Direction
    x = np.ones((1, 1, 2, 3), np.float32)
    out, _ = scans.forward(x, np.ones((1, 1, 1, 1, 2, 3), np.float32), (Direction.LEFT_TO_RIGHT,), "unit", save=False)
    assert np.allclose(out, 1)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=300)
