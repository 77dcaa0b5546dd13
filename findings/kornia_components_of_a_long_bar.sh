#!/usr/bin/env bash
# kornia.contrib.connected_components lets labels flow to their neighbours, a hundred times by default, and does not say
# when that was too few: a straight bar of 400 pixels comes back as 300 objects. As many rounds as the longest way inside
# an object are needed. Seen with kornia 0.9.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet kornia==0.9.0 torch==2.13.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import kornia
import torch

bar = torch.zeros(1, 1, 8, 500)
bar[..., 4, 50:450] = 1
counts = [
    len(kornia.contrib.connected_components(bar, **options).unique()) - 1 for options in ({}, {"num_iterations": 400})
]
print("kornia", kornia.__version__)
print(f"one bar of 400 pixels: {counts[0]} objects by default, {counts[1]} in 400 rounds")
sys.exit(0 if counts == [300, 1] else 1)
PYTHON
