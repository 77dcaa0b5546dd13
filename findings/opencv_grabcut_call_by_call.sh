#!/usr/bin/env bash
# cv2.grabCut starts its colour models from random clusters, and draws on from where the last call stopped: the same
# photograph and the same rectangle give another mask in each call of a process. cv2.setRNGSeed before each call makes
# them equal. So masks of a batch depend on what came before. Seen with opencv-python-headless 5.0.0.93 on scikit-image's
# photograph of a cup.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencv-python-headless==5.0.0.93 scikit-image==0.26.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np
from skimage import data

photograph = np.ascontiguousarray(data.coffee()[..., ::-1])


def cut():
    mask = np.zeros(photograph.shape[:2], np.uint8)
    cv2.grabCut(photograph, mask, (100, 60, 400, 300), np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_RECT)
    return mask & 1


as_they_come = [cut() for _ in range(3)]
seeded = []
for _ in range(3):
    cv2.setRNGSeed(0)
    seeded.append(cut())
apart = [int((one != masks[0]).sum()) for masks in (as_they_come, seeded) for one in masks[1:]]
print("opencv", cv2.__version__)
print(f"pixels unlike the first call's: {apart[:2]}, with a seed before each call {apart[2:]}")
sys.exit(0 if min(apart[:2]) > 0 and max(apart[2:]) == 0 else 1)
PYTHON
