#!/usr/bin/env bash
# potracer is meant as a drop-in replacement of pypotrace, whose tutorial traces a square of ones in an array of zeros. Of
# the same array potracer traces the whole picture, with no square: it compares numbers with 127.5, takes what is below for
# ink, and so all of it. Of a bool mask, or one of 0 and 255, it traces the outside, with the object as a hole: True is
# white paper. The package has no word on it; an issue has stood open since 2023. np.where(mask, 0, 255) is traced as
# pypotrace would. Seen with potracer 0.0.4.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet potracer==0.0.4 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import potrace

mask = np.zeros((32, 32), np.uint32)
mask[8:24, 8:24] = 1


def traced(pixels):
    rings = []
    for curve in potrace.Bitmap(pixels).trace():
        ends = [(segment.end_point.x, segment.end_point.y) for segment in curve]
        rings.append(tuple(int(max(end[axis] for end in ends) - min(end[axis] for end in ends)) for axis in (0, 1)))
    return rings


print("potracer", version("potracer"))
seen = {}
for name, pixels in (
    ("0 and 1", mask),
    ("bool", mask.astype(bool)),
    ("0 and 255", mask * 255),
    ("255 and 0", np.where(mask, 0, 255)),
):
    seen[name] = traced(pixels)
    print(f"{name}: rings of the size {seen[name]}, where the object has 16 x 16 in 32 x 32")
whole, square = (32, 32), (16, 16)
expected = {"0 and 1": [whole], "bool": [whole, square], "0 and 255": [whole, square], "255 and 0": [square]}
sys.exit(0 if seen == expected else 1)
PYTHON
