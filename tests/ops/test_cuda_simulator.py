"""Runs cuda_simulated.py where Numba's CUDA simulator is on, which is settled when Numba is first imported."""

import os
import subprocess
import sys
from pathlib import Path


def test_cuda_backend_in_the_simulator():
    tests = Path(__file__).with_name("cuda_simulated.py")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(tests)],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        cwd=tests.parents[2],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout
