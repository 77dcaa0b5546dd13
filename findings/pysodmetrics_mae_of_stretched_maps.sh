#!/usr/bin/env bash
# The mean absolute error of a soft mask is a plain measure: 0 for the true mask only. pysodmetrics, the usual package for
# salient and camouflaged objects, first stretches each prediction from its least to its greatest value. A mask with the
# true shape and a probability of 0.1 has an error of 0, and in a picture without an object a map that is 0 but for one
# level of noise (1 of 255) in half of its pixels has 0.5, where its error is 0.002. A map of one value only is left as it
# is. normalize=False keeps the numbers. Seen with pysodmetrics 1.6.2.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pysodmetrics==1.6.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import py_sod_metrics

truth = np.zeros((20, 20), np.uint8)
truth[5:15, 5:15] = 255
none = np.zeros_like(truth)
noise = none.copy()
noise[::2] = 1
print("pysodmetrics", version("pysodmetrics"))
seen = {}
for name, prediction, true in (("dim", truth // 10, truth), ("noise", noise, none), ("flat", none + 1, none)):
    errors = []
    for normalize in (True, False):
        measure = py_sod_metrics.MAE()
        pair = (prediction, true) if normalize else (prediction / 255, true > 128)
        measure.step(*pair, normalize=normalize)
        errors.append(round(float(measure.get_results()["mae"]), 3))
    seen[name] = tuple(errors)
    print(f"{name}: {errors[0]} by default, {errors[1]} of the numbers as they are")
sys.exit(0 if seen == {"dim": (0, 0.225), "noise": (0.5, 0.002), "flat": (0.004, 0.004)} else 1)
PYTHON
