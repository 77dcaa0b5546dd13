#!/usr/bin/env bash
# Pillow enlarges bytes bicubically in two passes, across and then down, and after the first rounds what it has to bytes and
# cuts off what lies below 0 or above 255. So of a small soft mask in mode L the enlarged one is not that of the same
# numbers in mode F, rounded and cut off at the end: it differs by up to 11 of 255 along the edge, and to turn the mask by a
# quarter before and back after enlarging gives another mask. Seen with Pillow 13.0.0 and NumPy 2.4.6.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import PIL
from PIL import Image

rows, columns = np.mgrid[:240, :240]
disc = np.hypot(rows - 117, columns - 124) < 83
small = np.round(255 * disc.reshape(24, 10, 24, 10).mean((1, 3))).astype(np.uint8)


def enlarged(values):
    return np.asarray(Image.fromarray(values).resize((240, 240), Image.Resampling.BICUBIC), np.float64)


of_bytes = enlarged(small)
of_floats = np.clip(np.floor(enlarged(small.astype(np.float32)) + 0.5), 0, 255)
turned = enlarged(np.ascontiguousarray(small.T)).T
off = np.abs(of_bytes - of_floats)
print("Pillow", PIL.__version__, "NumPy", np.__version__)
print(f"bytes and floats differ by up to {off.max():.0f} of 255, by more than 1 at {np.count_nonzero(off > 1)} pixels")
print(f"turned first: by up to {np.abs(of_bytes - turned).max():.0f}")
sys.exit(0 if off.max() > 3 and np.abs(of_bytes - turned).max() > 1 else 1)
PYTHON
