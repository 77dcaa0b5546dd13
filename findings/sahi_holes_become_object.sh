#!/usr/bin/env bash
# COCO takes a list of polygons for their union, and has no polygon for a hole. sahi writes the contour of a hole as one
# more polygon, and so does imantics, both through the centres of pixels: pycocotools reads a ring of 1500 pixels, with a
# hole of 100, as 1521 pixels without a hole. Each part loses a pixel of its width and of its height besides: a bar of 2 x
# 30 pixels comes back as 29, and one of 1 x 30 sahi leaves out. imantics reads its own polygons as the 1500 pixels that
# they were made of, so that a test with it alone shows nothing. Seen with sahi 0.12.8, imantics 0.1.12 and pycocotools
# 2.0.11.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sahi==0.12.8 imantics==0.1.12 pycocotools==2.0.11 opencv-python==5.0.0.93 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import imantics
import numpy as np
from pycocotools import mask
from sahi.utils.cv import get_coco_segmentation_from_bool_mask


def area(segmentation):
    """Return the pixels of a COCO segmentation on 60 x 80."""
    polygons = [[float(number) for number in polygon] for polygon in segmentation]
    return int(mask.area(mask.merge(mask.frPyObjects(polygons, 60, 80)))) if polygons else 0


ring, bar, line = np.zeros((3, 60, 80), bool)
ring[10:50, 10:50] = True
ring[20:30, 20:30] = False
bar[30:32, 30:60] = True
line[30, 30:60] = True
by_imantics = imantics.Mask(ring).polygons()
seen = {
    "ring by sahi": area(get_coco_segmentation_from_bool_mask(ring)),
    "ring by imantics": area(by_imantics.segmentation),
    "ring by imantics, read by itself": int(by_imantics.mask(80, 60).array.sum()),
    "bar by sahi": area(get_coco_segmentation_from_bool_mask(bar)),
    "line by sahi": area(get_coco_segmentation_from_bool_mask(line)),
}
print(*(f"{name} {version(name)}" for name in ("sahi", "imantics", "pycocotools")), sep=", ")
print(f"ring of {ring.sum()}, bar of {bar.sum()} and line of {line.sum()} pixels:")
for name, pixels in seen.items():
    print(f"{name}: {pixels}")
sys.exit(0 if list(seen.values()) == [1521, 1521, 1500, 29, 0] else 1)
PYTHON
