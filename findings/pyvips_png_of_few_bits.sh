#!/usr/bin/env bash
# pyvips saves a gray picture with bitdepth=2 or 4 as PNG and as TIFF. TIFF keeps the upper bits of each byte, as one would
# think of a soft mask: 200 becomes 3 of 3. PNG keeps the lower ones: 200 becomes 0, 128 too, and 255 is 3; a ramp comes
# back as a saw. With bitdepth=1 TIFF cuts at 128, and PNG makes all but 0 white. Ids 0 to 3, on the other hand, are kept
# by PNG and are all 0 in TIFF. The documentation says of both that they write an image of so many bits. Seen with
# pyvips 3.2.0 and libvips 8.18.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyvips==3.2.0 pyvips-binary==8.18.7 pypng==0.20220715.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import png
import pyvips

version = ".".join(str(pyvips.version(part)) for part in range(3))
print("pyvips", pyvips.__version__, "libvips", version)
seen = {}
for bits in (1, 2, 4):
    for name, values in (("mask", [0, 60, 100, 128, 200, 255]), ("ids", [0, 1, 2, 3])):
        picture = pyvips.Image.new_from_array(np.array([values] * 4, np.uint8))
        _, _, rows, form = png.Reader(bytes=picture.pngsave_buffer(bitdepth=bits)).read()
        as_png = list(next(iter(rows)))
        spread = pyvips.Image.new_from_buffer(picture.tiffsave_buffer(bitdepth=bits), "").numpy()
        as_tiff = (spread[0] // (255 // (2**bits - 1))).tolist()
        assert form["bitdepth"] == bits and form["greyscale"]
        seen[bits, name] = as_png, as_tiff
        print(f"{bits} bits, {values}: PNG {as_png}, TIFF {as_tiff}")
expected = {
    (1, "mask"): ([0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]),
    (2, "mask"): ([0, 0, 0, 0, 0, 3], [0, 0, 1, 2, 3, 3]),
    (4, "mask"): ([0, 12, 4, 0, 8, 15], [0, 3, 6, 8, 12, 15]),
    (1, "ids"): ([0, 1, 1, 1], [0, 0, 0, 0]),
    (2, "ids"): ([0, 1, 2, 3], [0, 0, 0, 0]),
    (4, "ids"): ([0, 1, 2, 3], [0, 0, 0, 0]),
}
sys.exit(0 if seen == expected else 1)
PYTHON
