#!/usr/bin/env bash
# Numba compiles NumPy's sum, mean, std and var of an array, and adds float32 numbers up one by one in a float32. From
# 16,777,216 on, adding 1 changes nothing: of a mask of 5000 x 5000 ones, a photograph of 25 million pixels, the sum is
# 16,777,216, the mean 0.67, and the variance 0.11. NumPy, which adds in pairs, says 25,000,000, 1 and 0. Below that size
# digits go: of 4 million values of 0.1 the mean is 4 % too low. It has been known there since 2018 and stays so;
# bool masks, which are summed as integers, are right. Seen with Numba 0.68.1 and NumPy 2.4.6.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numba
import numpy as np


def measures(pixels):
    return float(pixels.sum()), float(pixels.mean()), float(pixels.var())


compiled = numba.njit(measures)
mask = np.ones((5000, 5000), np.float32)
tenths = np.full((2000, 2000), 0.1, np.float32)
print("numba", numba.__version__, "numpy", np.__version__)
for name, pixels in (("ones", mask), ("tenths", tenths)):
    for by, numbers in (("Numba", compiled(pixels)), ("NumPy", measures(pixels))):
        print(f"{pixels.size} {name}, {by}: sum {numbers[0]:.0f}, mean {numbers[1]:.4f}, variance {numbers[2]:.4f}")
total, mean, _ = compiled(mask)
right = measures(mask) == (25e6, 1, 0) and numba.njit(lambda pixels: pixels.sum())(mask.astype(bool)) == 25e6
sys.exit(0 if right and total == 2**24 and round(mean, 2) == 0.67 and abs(compiled(tenths)[1] - 0.1) > 1e-3 else 1)
PYTHON
