#!/usr/bin/env bash
# Numba, numexpr and Bottleneck offer NumPy's sums, faster. All three add float32 numbers up one by one in a float32, where
# from 16,777,216 on adding 1 changes nothing: of a mask of 5000 x 5000 ones, a photograph of 25 million pixels, the sum is
# 16,777,216, and the mean 0.67 in Numba and Bottleneck. NumPy, which adds in pairs, says 25,000,000 and 1. Below that size
# digits go: of 4 million values of 0.1 the mean is 4 % too low. bool masks are summed right by Numba. Issues about it are
# years old and it stays so. Seen with Numba 0.68.1, numexpr 2.14.2, Bottleneck 1.6.0 and NumPy 2.4.6.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numexpr==2.14.2 bottleneck==1.6.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import bottleneck
import numba
import numexpr
import numpy as np

compiled_sum, compiled_mean = numba.njit(lambda pixels: pixels.sum()), numba.njit(lambda pixels: pixels.mean())
ways = {
    "Numba": (compiled_sum, compiled_mean),
    "numexpr": (lambda pixels: numexpr.evaluate("sum(pixels)"), None),
    "Bottleneck": (bottleneck.nansum, bottleneck.nanmean),
    "NumPy": (np.sum, np.mean),
}
mask, tenths = np.ones((5000, 5000), np.float32), np.full((2000, 2000), 0.1, np.float32)
print(*(f"{library.__name__} {library.__version__}" for library in (numba, numexpr, bottleneck, np)))
seen = {}
for name, (total, mean) in ways.items():
    means = [round(float(mean(pixels)), 3) for pixels in (mask, tenths)] if mean else None
    seen[name] = float(total(mask)), means
    print(f"{name}: sum of the mask {seen[name][0]:.0f}, means of the mask and the tenths {means}")
right = seen.pop("NumPy") == (25e6, [1, 0.1]) and compiled_sum(mask.astype(bool)) == 25e6
pinned, low = all(total == 2**24 for total, _ in seen.values()), [0.671, 0.096]
sys.exit(0 if right and pinned and seen["Numba"][1] == seen["Bottleneck"][1] == low else 1)
PYTHON
