#!/usr/bin/env bash
# A PGM file says which number is white, and a map of ids 1 to 3 may well say 3. The same four numbers come out of OpenCV
# as 0, 1, 2, 3 where they are stored in bytes (P5), and as 0, 85, 170, 255 where they are written in digits (P2); with a
# white of 300 as they are, from both. Pillow spreads all of them, to 8 or 16 bits, netpbmfile none. So ids change with
# the reader, and for one reader with the kind of file. Seen with opencv-python-headless 5.0.0.93, Pillow 13.0.0 and
# netpbmfile 2026.1.29.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencv-python-headless==5.0.0.93 pillow==13.0.0 netpbmfile==2026.1.29
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import cv2
import netpbmfile
import numpy as np
import PIL
from PIL import Image

print("opencv", cv2.__version__, "Pillow", PIL.__version__, "netpbmfile", netpbmfile.__version__)
seen = {}
for white in (3, 300):
    digits, stored = Path(f"digits{white}.pgm"), Path(f"bytes{white}.pgm")
    digits.write_text(f"P2\n4 1\n{white}\n0 1 2 3\n")
    ids = np.arange(4, dtype=">u2" if white > 255 else "u1")
    stored.write_bytes(b"P5\n4 1\n%d\n" % white + ids.tobytes())
    for path in (digits, stored):
        readers = cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.asarray(Image.open(path)), netpbmfile.imread(path)
        seen[path.stem] = [np.asarray(read).ravel().tolist() for read in readers]
        print(path.name, *seen[path.stem])
plain, spread, wide = [0, 1, 2, 3], [0, 85, 170, 255], [0, 218, 437, 655]
expected = {
    "digits3": [spread, spread, plain],
    "bytes3": [plain, spread, plain],
    "digits300": [plain, wide, plain],
    "bytes300": [plain, wide, plain],
}
sys.exit(0 if seen == expected else 1)
PYTHON
