#!/usr/bin/env bash
# Two masks that are both empty agree. MedPy's jc (Jaccard) says 1 of them, its dc (Dice) says nan, though each follows
# from the other (J = D / (2 - D)), and its hd raises an error. A mean over pictures that hold nothing is 1, nan or an
# error by the measure chosen. Seen with MedPy 0.5.2.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet medpy==0.5.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np
from medpy.metric import binary

warnings.simplefilter("ignore")
empty = np.zeros((8, 8), bool)
jaccard, dice = binary.jc(empty, empty), binary.dc(empty, empty)
try:
    distance = binary.hd(empty, empty)
except RuntimeError as error:
    distance = error
print("MedPy", version("medpy"))
print(f"jc {jaccard}, dc {dice}, hd {distance}")
sys.exit(0 if jaccard == 1 and np.isnan(dice) and isinstance(distance, RuntimeError) else 1)
PYTHON
