#!/usr/bin/env bash
# Where nothing was found there is no Hausdorff distance, or it is infinite. seg-metrics gives 0, which is that of a
# perfect mask: a mean or a floor over pictures takes a network that finds nothing for a better one. Dice and Jaccard of
# the same pair are 0. Seen with seg-metrics 1.2.8.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet seg-metrics==1.2.8
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from seg_metrics.seg_metrics import write_metrics

truth, found = (np.zeros((20, 20), np.uint8) for _ in range(2))
truth[5:15, 5:15] = 1
found[5:15, 5:14] = 1
said = []
for mask in (found, np.zeros_like(truth), truth):
    made = write_metrics(labels=[1], gdth_img=truth, pred_img=mask, csv_file=None, metrics=["dice", "hd"])[0]
    said.append((round(float(made["dice"][0]), 3), float(made["hd"][0])))
print("seg-metrics", version("seg-metrics"))
for name, (dice, distance) in zip(("a column short", "nothing", "exact"), said, strict=True):
    print(f"{name}: dice {dice}, Hausdorff distance {distance}")
sys.exit(0 if said == [(0.947, 1.0), (0.0, 0.0), (1.0, 0.0)] else 1)
PYTHON
