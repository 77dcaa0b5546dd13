#!/usr/bin/env bash
# Image files hold masks of 0 and 255. SimpleITK's filters for binary images take 1 for the object, unless another value
# is named, and 255 for something that is none of theirs: BinaryErode, BinaryDilate, opening, closing and BinaryFillhole
# give the mask back as it was, and BinaryMedian an empty one, without a word. ConnectedComponent, BinaryThinning and
# LabelContour take all that is not 0, so half of a pipeline works. foregroundValue=255, said to each filter, mends it.
# Seen with SimpleITK 2.5.7.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet SimpleITK==2.5.7 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import SimpleITK as sitk

ring = np.zeros((9, 9), np.uint8)
ring[2:7, 2:7] = 1
ring[4, 4] = 0
filters = {
    "BinaryErode": lambda mask: sitk.BinaryErode(mask, (1, 1)),
    "BinaryDilate": lambda mask: sitk.BinaryDilate(mask, (1, 1)),
    "BinaryMorphologicalOpening": lambda mask: sitk.BinaryMorphologicalOpening(mask, (1, 1)),
    "BinaryMorphologicalClosing": lambda mask: sitk.BinaryMorphologicalClosing(mask, (1, 1)),
    "BinaryFillhole": sitk.BinaryFillhole,
    "BinaryMedian": lambda mask: sitk.BinaryMedian(mask, (1, 1)),
    "BinaryThinning": sitk.BinaryThinning,
    "LabelContour": sitk.LabelContour,
    "ConnectedComponent": sitk.ConnectedComponent,
}
print("SimpleITK", sitk.Version.VersionString(), "pixels of the ring:", int(ring.sum()))
seen = {}
for name, taken in filters.items():
    counts = [
        int(np.count_nonzero(sitk.GetArrayFromImage(taken(sitk.GetImageFromArray(ring * white))))) for white in (1, 255)
    ]
    seen[name] = tuple(counts)
    print(f"{name}: {counts[0]} pixels of ones, {counts[1]} of 255")
whole = sitk.BinaryDilate(sitk.GetImageFromArray(ring * np.uint8(255)), (1, 1), foregroundValue=255)
named = int(np.count_nonzero(sitk.GetArrayFromImage(whole)))
print("BinaryDilate with foregroundValue=255:", named)
idle = all(seen[name][1] == 24 != seen[name][0] for name in list(filters)[:5])
same = all(seen[name][0] == seen[name][1] for name in list(filters)[6:])
sys.exit(0 if idle and same and seen["BinaryMedian"] == (21, 0) and named == seen["BinaryDilate"][0] else 1)
PYTHON
