#!/usr/bin/env bash
# An expected calibration error sorts probabilities into bins, the last of which ends at 1 and holds it (Guo et al., ICML
# 2017). In torchmetrics, what is exactly 1 gets a bin of its own, one more than was asked for: two answers of 0.95 that
# are right and two of 1 that are wrong have an error of 0.525 in ten bins; a hair below 1, where all four share the last
# bin, one of 0.475. Answers that are certain, as of hard masks, meet it. Seen with torchmetrics 1.9.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torchmetrics==1.9.0 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
import torchmetrics
from torchmetrics.classification import BinaryCalibrationError

right = torch.tensor([1, 1, 0, 0])
errors = [
    float(BinaryCalibrationError(n_bins=10, norm="l1")(torch.tensor([0.95, 0.95, top, top]), right))
    for top in (1.0, 0.99999)
]
print("torchmetrics", torchmetrics.__version__)
print(f"of 1: {errors[0]:.3f}, of 0.99999: {errors[1]:.3f}")
sys.exit(0 if round(errors[0], 3) == 0.525 and round(errors[1], 3) == 0.475 else 1)
PYTHON
