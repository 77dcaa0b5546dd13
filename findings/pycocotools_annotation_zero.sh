#!/usr/bin/env bash
# Nothing in COCO's format says that an annotation's id may not be 0, and exporters that count from 0 write it. COCOeval
# keeps the id of the object that was found, and takes 0 for none: of one object, found exactly, the AP is 0 where its id
# is 0 and 1 where it is 1; of two, 0.25 and 1. hotcoco, which gives pycocotools' numbers otherwise, says 1 throughout;
# faster-coco-eval says what pycocotools says, with a warning. Seen with pycocotools 2.0.11 and hotcoco 1.3.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycocotools==2.0.11 hotcoco==1.3.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path

import hotcoco
import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def precision(ids, format, measure):
    truth, found = [], []
    for place, number in enumerate(ids):
        pixels = np.zeros((100, 100), np.uint8, order="F")
        pixels[10:50, 5 + 40 * place : 40 + 40 * place] = 1
        runs = mask.encode(pixels)
        runs["counts"] = runs["counts"].decode()
        one = {"image_id": 1, "category_id": 1, "segmentation": runs, "bbox": mask.toBbox(runs).tolist()}
        truth.append(one | {"id": number, "area": float(pixels.sum()), "iscrowd": 0})
        found.append(one | {"score": 0.9 - 0.1 * place})
    images, categories = [{"id": 1, "width": 100, "height": 100}], [{"id": 1, "name": "cup"}]
    Path("truth.json").write_text(json.dumps({"images": images, "categories": categories, "annotations": truth}))
    Path("found.json").write_text(json.dumps(found))
    with contextlib.redirect_stdout(io.StringIO()):
        ours = format("truth.json")
        made = measure(ours, ours.loadRes("found.json"), "segm")
        made.evaluate(), made.accumulate(), made.summarize()
    return round(float(made.stats[0]), 2)


print("pycocotools", version("pycocotools"), "hotcoco", version("hotcoco"))
seen = []
for ids in ((0,), (1,), (0, 1), (1, 2)):
    seen.append((precision(ids, COCO, COCOeval), precision(ids, hotcoco.COCO, hotcoco.COCOeval)))
    print(f"ids {ids}: AP {seen[-1][0]} by pycocotools, {seen[-1][1]} by hotcoco")
sys.exit(0 if seen == [(0, 1), (1, 1), (0.25, 1), (1, 1)] else 1)
PYTHON
