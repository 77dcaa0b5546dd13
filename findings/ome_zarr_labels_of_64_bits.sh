#!/usr/bin/env bash
# OME-Zarr keeps labels at full resolution and in coarser levels. ome-zarr's write_labels makes the levels by way of
# float64, which holds whole numbers up to 2^53 only. Two cells with the ids 864691135000000001 and 864691135000000002, of
# 18 digits as connectomes have them, are stored as they are at full resolution, and are one in each coarser level, with
# the id 864691135000000000, which no cell has. Of ids below 2^53 all levels are right. Nothing is said. Seen with ome-zarr
# 0.18.0.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ome-zarr==0.18.0 zarr==3.1.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import zarr
from ome_zarr.writer import write_image, write_labels


def levels(name, one, other):
    """Write two cells, 20 x 20 pixels each, and return the ids in each level, the finest first."""
    cells = np.zeros((64, 64), np.uint64)
    cells[10:30, 10:30], cells[30:50, 30:50] = one, other
    group = zarr.open_group(name, mode="w")
    write_image(np.zeros((64, 64), np.uint8), group, axes="yx")
    write_labels(cells, group, name="cells", axes="yx")
    written = zarr.open_group(f"{name}/labels/cells", mode="r")
    paths = [each["path"] for each in written.attrs["ome"]["multiscales"][0]["datasets"]]
    return [np.unique(written[path][:]).tolist() for path in paths]


print("ome-zarr", version("ome-zarr"), "zarr", version("zarr"))
long, short = levels("long.zarr", 864691135000000001, 864691135000000002), levels("short.zarr", 2**53 - 2, 2**53 - 1)
for ids in (long, short):
    print("\n".join(f"level {number}: {seen}" for number, seen in enumerate(ids)))
whole, *coarser = long
one_id = whole == [0, 864691135000000001, 864691135000000002] and all(seen == [0, 864691135000000000] for seen in coarser)
sys.exit(0 if one_id and coarser and all(seen == [0, 2**53 - 2, 2**53 - 1] for seen in short) else 1)
PYTHON
