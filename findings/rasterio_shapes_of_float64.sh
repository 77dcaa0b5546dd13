#!/usr/bin/env bash
# rasterio.features.shapes turns a map of ids into polygons and takes float64, but compares in float32: two ids beside
# each other that differ past the 24th bit, 16777216 and 16777217, are one polygon with the former's number. As int32
# they are two. Seen with rasterio 1.4.4.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rasterio==1.4.4 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import rasterio
from rasterio.features import shapes

ids = np.repeat([[16777216, 16777217]], 4, axis=1).repeat(4, axis=0)
found = {dtype: sorted(int(number) for _, number in shapes(ids.astype(dtype))) for dtype in ("float64", "int32")}
print("rasterio", rasterio.__version__)
print(found)
sys.exit(0 if found == {"float64": [16777216], "int32": [16777216, 16777217]} else 1)
PYTHON
