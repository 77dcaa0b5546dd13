#!/usr/bin/env bash
# Panoptic quality (Kirillov et al., CVPR 2019) matches two segments whose IoU is more than 0.5, for then no segment has
# two partners. panoptica, told a threshold of 0.5, matches one of exactly 0.5 as well: half of a bar of four pixels is
# found, and the quality is 0.5 instead of 0. Where it comes to that, the definition's promise is gone: of two halves
# that were found either is a match. Seen with panoptica 2.1.7.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet panoptica==2.1.7
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from panoptica import InputType, NaiveThresholdMatching, Panoptica_Evaluator

truth = np.zeros((4, 6), np.uint8)
truth[1, 1:5] = 1
half, halves = np.zeros_like(truth), np.zeros_like(truth)
half[1, 1:3] = halves[1, 1:3] = 1
halves[1, 3:5] = 2
evaluator = Panoptica_Evaluator(
    expected_input=InputType.UNMATCHED_INSTANCE, instance_matcher=NaiveThresholdMatching(matching_threshold=0.5)
)
print("panoptica", version("panoptica"))
seen = []
for found in (half, halves):
    result = evaluator.evaluate(found, truth)["ungrouped"]
    seen.append((result.tp, result.fp, result.fn))
    print(f"right {result.tp}, wrong {result.fp}, missed {result.fn}")
sys.exit(0 if seen == [(1, 0, 0), (1, 1, 0)] else 1)
PYTHON
