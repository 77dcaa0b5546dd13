#!/usr/bin/env bash
# A PNG file may say how many of its bits are significant (sBIT). pypng, given 10 bits, writes 16, spread over the range,
# and says 10. SimpleITK shifts the rest out: it reads ids 1, 2 and 1023 of the file as they were given. Pillow and OpenCV
# leave sBIT alone, and read 64, 128 and 65535. The other way round, ids of bytes in a file that says 4 are a sixteenth of
# themselves in SimpleITK: 1 and 15 are 0, 16 is 1. So ids agree until a tool writes that chunk. Seen with pypng
# 0.20220715.0, SimpleITK 2.5.7, Pillow 13.0.0 and opencv-python-headless 5.0.0.93.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pypng==0.20220715.0 SimpleITK==2.5.7 pillow==13.0.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import png
import SimpleITK
from PIL import Image

with open("ten.png", "wb") as file:
    png.Writer(width=4, height=1, greyscale=True, bitdepth=10).write(file, [[0, 1, 2, 1023]])
with open("eight.png", "wb") as file:
    png.Writer(width=4, height=1, greyscale=True, bitdepth=8).write(file, [[0, 1, 15, 16]])
chunks = list(png.Reader("eight.png").chunks())
with open("four.png", "wb") as file:
    png.write_chunks(file, chunks[:1] + [(b"sBIT", struct.pack("B", 4))] + chunks[1:])
print(*(f"{name} {version(name)}" for name in ("pypng", "SimpleITK", "pillow", "opencv-python-headless")))
seen = {}
for name in ("ten", "eight", "four"):
    path = f"{name}.png"
    readers = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)), np.asarray(Image.open(path)), cv2.imread(path, -1)
    seen[name] = [np.asarray(read).ravel().tolist() for read in readers]
    print(f"{name}, sBIT {b'sBIT' in Path(path).read_bytes()}: SimpleITK {seen[name][0]}, others {seen[name][1:]}")
spread, bytes_ = [0, 64, 128, 65535], [0, 1, 15, 16]
expected = {
    "ten": [[0, 1, 2, 1023], spread, spread],
    "eight": [bytes_] * 3,
    "four": [[0, 0, 0, 1], bytes_, bytes_],
}
sys.exit(0 if seen == expected else 1)
PYTHON
