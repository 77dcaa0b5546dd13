#!/usr/bin/env bash
# Results of instance segmentation in COCO's form may have a bbox beside the segmentation. pycocotools' loadRes then takes
# the area of the box for the object's, and COCOeval sorts what was found by that into small, medium and large, while
# true objects go by the area of their mask. Of a slanting bar found exactly, and one found wrongly with a higher score,
# AP for medium objects is 0.5 where only masks are given, and 1 with their boxes beside them, as the wrong bar's box
# counts as large and drops out. AP over all sizes is the same. Seen with pycocotools 2.0.11.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycocotools==2.0.11 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

rows, columns = np.mgrid[:200, :200]
true = (np.abs(rows - columns) < 6) & (rows > 20) & (rows < 150)
wrong = (np.abs(rows + columns - 199) < 6) & (rows > 90) & (rows < 190)


def runs(pixels):
    made = mask.encode(np.asfortranarray(pixels, np.uint8))
    return made | {"counts": made["counts"].decode()}


def precisions(*, with_boxes):
    truth = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": runs(true), "iscrowd": 0}
    truth |= {"area": int(true.sum()), "bbox": mask.toBbox(runs(true)).tolist()}
    images, categories = [{"id": 1, "width": 200, "height": 200}], [{"id": 1, "name": "bar"}]
    Path("truth.json").write_text(json.dumps({"images": images, "categories": categories, "annotations": [truth]}))
    found = [
        {"image_id": 1, "category_id": 1, "segmentation": runs(pixels), "score": score}
        | ({"bbox": mask.toBbox(runs(pixels)).tolist()} if with_boxes else {})
        for pixels, score in ((wrong, 0.9), (true, 0.8))
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = COCO("truth.json")
        results = loaded.loadRes(found)
        made = COCOeval(loaded, results, "segm")
        made.evaluate(), made.accumulate(), made.summarize()
    areas = [int(each["area"]) for each in results.dataset["annotations"]]
    return areas, round(float(made.stats[0]), 2), round(float(made.stats[4]), 2)


print("pycocotools", version("pycocotools"))
seen = {}
for with_boxes in (False, True):
    seen[with_boxes] = areas, every, medium = precisions(with_boxes=with_boxes)
    print(f"boxes {with_boxes}: areas {areas}, masks of {wrong.sum()} and {true.sum()}; AP {every}, of medium {medium}")
as_masks = seen[False] == ([wrong.sum(), true.sum()], 0.5, 0.5)
sys.exit(0 if as_masks and min(seen[True][0]) > 96**2 and seen[True][1:] == (0.5, 1.0) else 1)
PYTHON
