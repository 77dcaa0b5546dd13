#!/usr/bin/env bash
# The dense CRF's smoothness has two widths. DenseCRF2D.addPairwiseGaussian(sxy=(x, y)) takes that along a row first; the
# helper create_pairwise_gaussian(sdims=...) calls its own the same as sxy, but takes that down a column first: (10, 1)
# given to both smooths along the rows in one and down the columns in the other, and up to 0.54 of a probability differs.
# Swapped, they agree to 0.03. Seen with pydensecrf2 1.1.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pydensecrf2==1.1 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from pydensecrf import densecrf, utils

first = np.random.default_rng(0).random((6, 40), dtype=np.float32)
unary = utils.unary_from_softmax(np.stack([first, 1 - first]))


def infer(sxy=None, sdims=None):
    field = densecrf.DenseCRF2D(40, 6, 2)
    field.setUnaryEnergy(unary.copy())
    if sxy:
        field.addPairwiseGaussian(sxy=sxy, compat=3)
    else:
        field.addPairwiseEnergy(utils.create_pairwise_gaussian(sdims=sdims, shape=(6, 40)), compat=3)
    return np.asarray(field.inference(5))


along = infer(sxy=(10, 1))
same, swapped = (float(np.abs(along - infer(sdims=sdims)).max()) for sdims in ((10, 1), (1, 10)))
print("pydensecrf2", version("pydensecrf2"))
print(f"same order: {same:.2f} apart, swapped: {swapped:.2f}")
sys.exit(0 if same > 0.4 and swapped < 0.05 else 1)
PYTHON
