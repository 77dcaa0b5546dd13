#!/usr/bin/env bash
# How far is a pixel from the background of a mask that has none? SciPy's distance_transform_edt answers with plausible
# numbers: the distance to a pixel that is not there, above the top left corner, in row -1 and column 0. So distances grow
# downwards and to the right, and nothing tells them from true ones. Its distance_transform_cdt says -1 throughout, and
# the package edt infinity, for the same mask. Seen with scipy 1.17.1 and edt 3.1.2.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scipy==1.17.1 edt==3.1.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import edt
import numpy as np
import scipy
from scipy import ndimage

mask = np.ones((3, 4), np.uint8)
exact, chessboard, other = ndimage.distance_transform_edt(mask), ndimage.distance_transform_cdt(mask), edt.edt(mask)
print("SciPy", scipy.__version__)
print("distance_transform_edt", np.round(exact, 2).tolist())
print("distance_transform_cdt", np.unique(chessboard).tolist(), "edt", np.unique(other).tolist())
rows, columns = np.indices(mask.shape)
absent = np.hypot(rows + 1, columns)
sys.exit(0 if np.allclose(exact, absent) and (chessboard == -1).all() and np.isinf(other).all() else 1)
PYTHON
