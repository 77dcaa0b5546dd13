#!/usr/bin/env bash
# ImageJ keeps the corners of a polygon twice in an ROI file: as whole pixels, for old readers, and as floats, where they
# lie between pixels. roifile writes both, and reads the floats. read-roi gives the whole ones, which are rounded, and does
# not say that there are others: of a sliver from x = 9.75 to 10.25, 60 pixels high, nothing is left, and its area of 30
# becomes 0. Seen with read-roi 1.6.0 and roifile 2026.2.10.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet read-roi==1.6.0 roifile==2026.2.10 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import read_roi
import roifile


def area(points):
    x, y = np.asarray(points, float).T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


sliver = [[9.75, 20], [10.25, 20], [10.25, 80], [9.75, 80]]
roifile.ImagejRoi.frompoints(sliver).tofile("sliver.roi")
by_roifile = roifile.ImagejRoi.fromfile("sliver.roi").coordinates().tolist()
found = read_roi.read_roi_file("sliver.roi")["sliver"]
by_read_roi = list(zip(found["x"], found["y"], strict=True))
print("read-roi", version("read-roi"), "roifile", version("roifile"))
print("roifile:", by_roifile, "area", area(by_roifile))
print("read-roi:", by_read_roi, "area", area(by_read_roi))
sys.exit(0 if by_roifile == sliver and area(by_roifile) == 30 and area(by_read_roi) == 0 else 1)
PYTHON
