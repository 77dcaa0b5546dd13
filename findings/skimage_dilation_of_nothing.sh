#!/usr/bin/env bash
# An empty mask, dilated, is empty. scikit-image's isotropic_dilation gives 7 pixels in the top left corner for a radius of
# 3, and isotropic_erosion takes the same 7 from a mask that is full; dilation by a disc of that radius gives none. The
# functions compare SciPy's distances with the radius, also where there is nothing to be distant from. So a class that is
# not in a picture is in its widened masks. Seen with scikit-image 0.26.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-image==0.26.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import skimage
from skimage import morphology

empty = np.zeros((10, 10), bool)
dilated, eroded = morphology.isotropic_dilation(empty, 3), morphology.isotropic_erosion(~empty, 3)
by_disc = morphology.dilation(empty, morphology.disk(3))
seen = [int(mask.sum()) for mask in (dilated, ~eroded, by_disc)]
print("scikit-image", skimage.__version__)
print(f"pixels of the empty mask dilated: {seen[0]}, by a disc: {seen[2]}")
print(f"pixels that the full mask loses when eroded: {seen[1]}")
sys.exit(0 if seen == [7, 7, 0] and dilated[0, 0] else 1)
PYTHON
