#!/usr/bin/env bash
# The Hausdorff distance of two masks is that of their pixels' places. miseval's HD takes each row of a mask for a point:
# for a square of 20 pixels and the same square 10 pixels lower and 10 to the right it says 4.47, the root of 20, where
# the distance is 14.14 (so SciPy says of the places); for an empty mask beside the square 4.47 too, where there is none.
# Its AHD, of averages, takes places. Seen with miseval 1.3.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet miseval==1.3.0 numpy==2.2.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from miseval import evaluate
from scipy.spatial.distance import directed_hausdorff

square, moved, empty = (np.zeros((60, 60), int) for _ in range(3))
square[10:30, 10:30] = moved[20:40, 20:40] = 1
places = [np.argwhere(mask) for mask in (square, moved)]
true = max(directed_hausdorff(*places)[0], directed_hausdorff(*places[::-1])[0])
said = [round(float(evaluate(square, other, metric="HD")), 2) for other in (moved, empty)]
print("miseval", version("miseval"))
print(f"moved: {said[0]}, of the places {true:.2f}; empty: {said[1]}")
sys.exit(0 if said == [4.47, 4.47] and round(true, 2) == 14.14 else 1)
PYTHON
