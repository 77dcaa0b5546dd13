#!/usr/bin/env bash
# COCO's polygons go along the edges of pixels: the square from (5, 5) to (15, 15) has 100 pixels, by pycocotools and by
# the area that a COCO file states. supervision reads it as 121, with one more row and column, and when it writes it to COCO
# again it states 100 for these 121. So masks of one file differ by the reader: those of the square have an IoU of 0.83,
# those of a square of 4 x 4 pixels one of 0.64. Run lengths are read alike. Seen with supervision 0.31.2 and pycocotools
# 2.0.11.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet supervision==0.31.2 pycocotools==2.0.11 opencv-python-headless==5.0.0.93 numpy==2.4.6
mkdir "$folder/photographs"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import supervision
from pycocotools.coco import COCO

cv2.imwrite("photographs/a.png", np.zeros((40, 40, 3), np.uint8))


def masks(segmentation, area, crowd):
    """Return one object as pycocotools and as supervision read it, and its area as supervision writes it."""
    one = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation, "area": area, "iscrowd": crowd}
    images = [{"id": 1, "file_name": "a.png", "width": 40, "height": 40}]
    document = {"images": images, "categories": [{"id": 1, "name": "cup"}], "annotations": [one | {"bbox": [5, 5, 9, 9]}]}
    Path("truth.json").write_text(json.dumps(document))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        theirs = COCO("truth.json").annToMask(document["annotations"][0]) > 0
        read = supervision.DetectionDataset.from_coco("photographs", "truth.json", force_masks=True)
        read.as_coco(annotations_path="again.json")
    (objects,) = read.annotations.values()
    return theirs, objects.mask[0], json.loads(Path("again.json").read_text())["annotations"][0]["area"]


print("supervision", version("supervision"), "pycocotools", version("pycocotools"))
seen = []
for side in (10, 4):
    low, high = 5, 5 + side
    theirs, ours, area = masks([[low, low, high, low, high, high, low, high]], side**2, 0)
    iou = round(float((theirs & ours).sum() / (theirs | ours).sum()), 2)
    seen.append((int(theirs.sum()), int(ours.sum()), int(area), iou))
    print(f"square of {side}: {seen[-1][0]} pixels by pycocotools, {seen[-1][1]} by supervision, area {area}, IoU {iou}")
theirs, ours, _ = masks({"size": [40, 40], "counts": [205, 10, 30, 10, 1345]}, 20, 1)
print(f"run lengths: {theirs.sum()} and {ours.sum()} pixels")
alike = bool((theirs == ours).all()) and theirs.sum() == 20
sys.exit(0 if alike and seen == [(100, 121, 100, 0.83), (16, 25, 16, 0.64)] else 1)
PYTHON
