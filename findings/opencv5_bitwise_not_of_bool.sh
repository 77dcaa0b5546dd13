#!/usr/bin/env bash
# OpenCV 5 takes bool arrays, which OpenCV 4 refuses, and gives bool arrays back. bitwise_not turns the bits of their
# bytes: 1 becomes 254 and 0 becomes 255. NumPy takes every byte but 0 for True, so the inverse of a mask is True
# everywhere, mask included; astype(int) says 1 throughout, and a comparison with ~mask is not True where it should be.
# With uint8 masks of 0 and 255 bitwise_not is right. Seen with opencv-python-headless 5.0.0.93 and numpy 2.4.6: of a
# mask of 6 in 24 pixels, the inverse has 24 True pixels instead of 18.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

mask = np.zeros((4, 6), bool)
mask[1:3, 2:5] = True
inverse = cv2.bitwise_not(mask)
print("OpenCV", cv2.__version__)
print(f"bytes {sorted(set(inverse.view(np.uint8).ravel().tolist()))} as {inverse.dtype}")
print(f"True pixels: {np.count_nonzero(inverse)} by bitwise_not, {np.count_nonzero(~mask)} by NumPy")
byte = cv2.bitwise_not(mask.astype(np.uint8) * 255)
print(f"of uint8 0 and 255: {np.count_nonzero(byte)}")
seen = inverse.dtype == bool and np.count_nonzero(inverse) == 24 and np.count_nonzero(byte) == 18
sys.exit(0 if seen else 1)
PYTHON
