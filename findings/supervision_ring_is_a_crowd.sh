#!/usr/bin/env bash
# supervision writes a mask with a hole, or of several parts, to a COCO file as run lengths, and marks it as a crowd. In
# COCO a crowd is a region of objects that were not told apart, and COCOeval counts none as found or missed: of one square
# that is found exactly the AP is 1, of the same square with a hole -1, which is what it says where there is no object at
# all. In a file with both, rings drop out of the AP without a word. An item "iscrowd" of 0 in the data avoids the mark,
# and fills the hole. Seen with supervision 0.31.2 and pycocotools 2.0.11.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet supervision==0.31.2 pycocotools==2.0.11 opencv-python-headless==5.0.0.93 numpy==2.4.6
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
from pycocotools.cocoeval import COCOeval
from pycocotools.mask import encode

cv2.imwrite("photograph.png", np.zeros((100, 100, 3), np.uint8))
square = np.zeros((100, 100), bool)
square[10:60, 10:60] = True
ring = square.copy()
ring[30:40, 30:40] = False


def written(mask, **data):
    objects = supervision.Detections(np.array([[10.0, 10, 60, 60]]), mask[None], class_id=np.array([0]), data=data)
    named = {"photograph.png": objects}
    with contextlib.redirect_stderr(io.StringIO()):
        supervision.DetectionDataset(["cup"], list(named), named).as_coco(annotations_path="truth.json")
    runs = encode(np.asfortranarray(mask.astype(np.uint8)))
    runs["counts"] = runs["counts"].decode()
    (annotation,) = json.loads(Path("truth.json").read_text())["annotations"]
    found = {key: annotation[key] for key in ("image_id", "category_id")} | {"segmentation": runs, "score": 0.9}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO("truth.json")
        made = COCOeval(truth, truth.loadRes([found]), "segm")
        made.evaluate(), made.accumulate(), made.summarize()
    return annotation["iscrowd"], int(truth.annToMask(annotation).sum()), round(float(made.stats[0]), 2)


print("supervision", version("supervision"), "pycocotools", version("pycocotools"))
seen = {}
for name, mask, data in (("square", square, {}), ("ring", ring, {}), ("ring, no crowd", ring, {"iscrowd": np.array([0])})):
    seen[name] = written(mask, **data)
    print(f"{name} of {mask.sum()} pixels: iscrowd {seen[name][0]}, {seen[name][1]} pixels, AP {seen[name][2]}")
sys.exit(0 if seen["square"][::2] == (0, 1) and seen["ring"] == (1, 2400, -1) and seen["ring, no crowd"][0] == 0 else 1)
PYTHON
