#!/usr/bin/env bash
# A bilevel PAM file has a MAXVAL of 1 and, unlike PBM, a whole byte for each pixel, 0 or 1. OpenCV takes these bytes for
# packed bits, and so has of each row what its first eighth says: of a disc of 1,257 pixels in the middle of 64 x 64 it
# reads none, without a word. With a MAXVAL of 3 it reads bytes. It never meets this in its own files, for it writes
# BLACKANDWHITE with a MAXVAL of 255, which the format does not allow. Seen with opencv-python-headless 5.0.0.93 and
# netpbmfile 2026.1.29, which reads and writes such files as they are meant.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet netpbmfile==2026.1.29 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import netpbmfile
import numpy as np

rows, columns = np.mgrid[:64, :64]
mask = np.hypot(rows - 31, columns - 31) <= 20
with netpbmfile.NetpbmFile.fromdata(mask) as file:
    file.write("mask.pam", magicnumber="P7")
stored = Path("mask.pam").read_bytes()
assert b"MAXVAL 1\n" in stored and b"BLACKANDWHITE" in stored and stored.endswith(mask.astype(np.uint8).tobytes())
read = cv2.imread("mask.pam", cv2.IMREAD_UNCHANGED)
other = netpbmfile.imread("mask.pam")
Path("three.pam").write_bytes(stored.replace(b"MAXVAL 1\n", b"MAXVAL 3\n").replace(b"BLACKANDWHITE", b"GRAYSCALE"))
three = cv2.imread("three.pam", cv2.IMREAD_UNCHANGED)
kind = [cv2.IMWRITE_PAM_TUPLETYPE, cv2.IMWRITE_PAM_FORMAT_BLACKANDWHITE]
written = cv2.imencode(".pam", mask.astype(np.uint8), kind)[1].tobytes()
counts = [int(np.count_nonzero(pixels)) for pixels in (mask, read, other, three)]
print("opencv", cv2.__version__, "netpbmfile", version("netpbmfile"))
print(f"white pixels: {counts[0]}; OpenCV reads {counts[1]}, netpbmfile {counts[2]}; OpenCV with a MAXVAL of 3 {counts[3]}")
print("OpenCV writes", written.split(b"ENDHDR")[0].split(b"DEPTH 1\n")[1].decode().split("\n")[:2])
wrong = read.shape == mask.shape and counts[1] == 0
sys.exit(0 if wrong and counts[0] == counts[2] == counts[3] and b"MAXVAL 255\nTUPLTYPE BLACKANDWHITE" in written else 1)
PYTHON
