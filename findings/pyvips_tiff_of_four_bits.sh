#!/usr/bin/env bash
# A map of up to 16 ids fits into four bits a pixel, two pixels a byte. Where the width is odd, the last byte of a row
# holds one pixel only. pyvips with tiffsave(bitdepth=4) writes the pixel before it there: ids 1, 2, 3 come back as 1, 2,
# 2, so the last column is lost, in each row and without a word. Pillow, tifffile and pyvips itself agree on what is in
# the file, so it is the writer. Even widths are right, and so are one and two bits. Seen with pyvips 3.2.0, libvips 8.18.7.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyvips==3.2.0 pyvips-binary==8.18.7 pillow==13.0.0 tifffile==2026.3.3 \
    imagecodecs==2026.3.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import pyvips
import tifffile
from PIL import Image

print("pyvips", pyvips.__version__, "libvips", ".".join(str(pyvips.version(part)) for part in range(3)))
right = True
for bits in (1, 2, 4):
    white, lost = 2**bits - 1, []
    for width in range(2, 12):
        ids = np.tile(np.arange(1, width + 1) % (white + 1), (3, 1)).astype(np.uint8)
        stored = pyvips.Image.new_from_array(ids * (255 // white)).tiffsave_buffer(bitdepth=bits)
        by_vips = pyvips.Image.new_from_buffer(stored, "").numpy() // (255 // white)
        by_tifffile = tifffile.imread(io.BytesIO(stored)).astype(int)
        by_pillow = np.asarray(Image.open(io.BytesIO(stored)).convert("L")) // (255 // white)
        right &= np.array_equal(by_vips, by_tifffile) and np.array_equal(by_vips, by_pillow)
        expected = ids.copy()
        if bits == 4 and width % 2:
            expected[:, -1] = ids[:, -2]
        right &= np.array_equal(by_vips, expected)
        if not np.array_equal(by_vips, ids):
            lost.append(width)
    print(f"{bits} bits: the last column is lost at widths {lost}")
print("the readers agree, and the column before it stands there:", right)
sys.exit(0 if right else 1)
PYTHON
