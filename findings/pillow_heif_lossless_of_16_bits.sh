#!/usr/bin/env bash
# pillow-heif writes a picture without loss where quality is -1. Gray of 8 bits comes back as it was. Of 16 bits, ten are
# kept, without a word: ids 1 to 63 of a map come back as 0, and 70 as 64. RGB loses more still, unless chroma=444 and
# matrix_coefficients=0 are said too. Seen with pillow-heif 1.8.1.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow-heif==1.8.1 pillow==13.0.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
draw = np.random.default_rng(0).integers


def apart(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "HEIF", quality=-1, **options)
    back = np.asarray(Image.open(io.BytesIO(file.getvalue()))).reshape(pixels.shape)
    return int(np.abs(back.astype(int) - pixels).max()), back


gray, _ = apart(draw(0, 256, (64, 64)).astype(np.uint8))
ids = np.zeros((64, 64), np.uint16)
ids[0, :4] = 1, 63, 64, 70
_, back = apart(ids)
rgb = draw(0, 256, (64, 64, 3)).astype(np.uint8)
by_default, _ = apart(rgb)
whole, _ = apart(rgb, chroma=444, matrix_coefficients=0)
print("pillow-heif", pillow_heif.__version__)
print(f"gray of 8 bits {gray} apart; ids 1, 63, 64, 70 came back as {back[0, :4].tolist()}")
print(f"RGB {by_default} apart, with chroma and matrix {whole}")
sys.exit(0 if gray == 0 and back[0, :4].tolist() == [0, 0, 64, 64] and by_default > 100 and whole == 0 else 1)
PYTHON
