#!/usr/bin/env bash
# An edge that is blurred by a Gaussian becomes as soft as its sigma says. pyvips' gaussblur cuts the Gaussian off where it
# falls below a fifth of its height (min_ampl=0.2 by default), 1.8 sigmas from the middle: the edge of a mask feathered
# with a sigma of 10 has a spread of 8.2, at any precision, and ends after 18 pixels; with 1 it is 0.74. SciPy and Pillow
# give 10. min_ampl=0.01 comes to 9.9. So a sigma found with one library is another's by a factor. Seen with pyvips 3.2.0,
# libvips 8.18.7, SciPy 1.17.1 and Pillow 13.0.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyvips==3.2.0 pyvips-binary==8.18.7 scipy==1.17.1 pillow==13.0.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import PIL
import pyvips
import scipy
from PIL import Image, ImageFilter
from scipy import ndimage

mask = np.zeros((300, 300), np.float32)
mask[:, 150:] = 255
picture, bytes_ = pyvips.Image.new_from_array(mask), Image.fromarray(mask.astype(np.uint8))


def spread(blurred):
    slope = np.diff(np.asarray(blurred, np.float64)[150])
    places = np.arange(slope.size)
    middle = np.average(places, weights=slope)
    return round(float(np.sqrt(np.average((places - middle) ** 2, weights=slope))), 2)


print("pyvips", pyvips.__version__, "libvips", ".".join(str(pyvips.version(part)) for part in range(3)))
print("SciPy", scipy.__version__, "Pillow", PIL.__version__)
seen = {
    "integer": spread(picture.gaussblur(10).numpy()),
    "float": spread(picture.gaussblur(10, precision="float").numpy()),
    "approximate": spread(picture.gaussblur(10, precision="approximate").numpy()),
    "least": spread(picture.gaussblur(10, precision="float", min_ampl=0.01).numpy()),
    "scipy": spread(ndimage.gaussian_filter(mask, 10)),
    "pillow": spread(bytes_.filter(ImageFilter.GaussianBlur(10))),
}
print("spread of an edge blurred with a sigma of 10:", seen)
narrow = all(8 < seen[name] < 8.5 for name in ("integer", "float", "approximate"))
sys.exit(0 if narrow and all(abs(seen[name] - 10) < 0.3 for name in ("least", "scipy", "pillow")) else 1)
PYTHON
