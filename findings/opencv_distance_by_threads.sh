#!/usr/bin/env bash
# A pixel's distance to the nearest marked one is the root of a whole number, and should not depend on the machine. With
# a mask size of DIST_MASK_PRECISE, OpenCV's distanceTransform gives distances that differ in their last bit with the
# number of threads, which follows the number of cores: two distances that tie on one machine do not on another, and
# whatever compares them decides differently. Seen with opencv-python-headless 4.12.0.88 and 5.0.0.93: in a mask of 700
# x 500 pixels nearly 100,000 distances differ between one thread and two, by at most 3e-5; their squares, rounded
# to whole numbers, are the same.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
for version in 4.12.0.88 5.0.0.93; do
    "$folder/venv/bin/pip" install --quiet "opencv-python-headless==$version" numpy==2.2.6
    "$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

away = np.ones((700, 500), np.uint8)
away[[3, 350, 699], [499, 20, 250]] = 0
found = []
for threads in (1, 2):
    cv2.setNumThreads(threads)
    found.append(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
different = int((found[0] != found[1]).sum())
squares = [np.rint(each.astype(np.float64) ** 2) for each in found]
print("OpenCV", cv2.__version__, "distances that differ", different, "by at most", float(abs(found[0] - found[1]).max()))
sys.exit(0 if different > 0 and np.array_equal(*squares) else 1)
PYTHON
done
