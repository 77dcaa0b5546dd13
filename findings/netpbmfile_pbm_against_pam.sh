#!/usr/bin/env bash
# The same mask, white on black, may be kept as PBM, where a set bit is black, or as PAM of the kind BLACKANDWHITE, where 1
# is white. netpbmfile gives the stored bits of both: the mask itself from PAM, and its inverse from PBM, as a bool array
# which looks like a mask. In writing it is the same: a bool mask that it saves as PBM is inverted for Pillow and OpenCV,
# which turn the bits so that white is True, or 255. Its documentation is silent on this. Seen with netpbmfile 2026.1.29,
# Pillow 13.0.0 and opencv-python-headless 5.0.0.93.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet netpbmfile==2026.1.29 pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import cv2
import netpbmfile
import numpy as np
from PIL import Image

mask = np.array([[0, 0, 1, 0, 0, 0, 0, 0]], bool)
Path("mask.pbm").write_bytes(b"P4\n8 1\n" + np.packbits(~mask).tobytes())
kind = b"P7\nWIDTH 8\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n"
Path("mask.pam").write_bytes(kind + mask.astype(np.uint8).tobytes())
netpbmfile.imwrite("saved.pbm", mask)


def readers(name):
    pixels = netpbmfile.imread(name), np.asarray(Image.open(name)), cv2.imread(name, cv2.IMREAD_UNCHANGED)
    return [int(np.count_nonzero(read)) for read in pixels]


print("netpbmfile", version("netpbmfile"), "Pillow", version("pillow"), "opencv", cv2.__version__)
pam = int(np.count_nonzero(netpbmfile.imread("mask.pam")))
given, saved = readers("mask.pbm"), readers("saved.pbm")
print(f"one white pixel of eight: netpbmfile sees {pam} in PAM and {given[0]} in PBM, Pillow {given[1]}, OpenCV {given[2]}")
print(f"saved as PBM by netpbmfile: it sees {saved[0]}, Pillow {saved[1]}, OpenCV {saved[2]}")
sys.exit(0 if (pam, given, saved) == (1, [7, 1, 1], [1, 7, 7]) else 1)
PYTHON
