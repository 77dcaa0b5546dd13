#!/usr/bin/env bash
# An opening should leave only pixels of the mask: it is the union of all squares that fit into it. With a square of an
# even side, OpenCV's morphologyEx(MORPH_OPEN) puts that union beside its place: erosion and dilation count from the same
# anchor, where the dilation would have to count from the opposite one. Seen with opencv-python-headless 4.12.0.88: a mask
# of 6 x 6 pixels, opened by a square of 2 x 2 or 4 x 4, comes back with 11 pixels outside the mask; by 3 x 3 or 5 x 5, or
# with opposite anchors, with none.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencv-python-headless==4.12.0.88 numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

mask = np.zeros((12, 12), np.uint8)
mask[3:9, 3:9] = 1
print("OpenCV", cv2.__version__)
seen = {}
for side in (2, 3, 4, 5):
    kernel = np.ones((side, side), np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    anchor, opposite = side // 2, side - 1 - side // 2
    placed = cv2.dilate(cv2.erode(mask, kernel, anchor=(anchor, anchor)), kernel, anchor=(opposite, opposite))
    seen[side] = int((opened > mask).sum()), int((placed > mask).sum())
    print(f"side {side}: pixels outside the mask after MORPH_OPEN {seen[side][0]}, with opposite anchors {seen[side][1]}")
sys.exit(0 if all((outside > 0) == (side % 2 == 0) and placed == 0 for side, (outside, placed) in seen.items()) else 1)
PYTHON
