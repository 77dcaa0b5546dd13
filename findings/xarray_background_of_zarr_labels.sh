#!/usr/bin/env bash
# A label map in Zarr has a fill value of 0 by default: what chunks that were never written hold, and the background. Of
# format 2, which OME-Zarr up to 0.4 uses, xarray takes the fill value for missing data: uint16 ids come back as float32
# with NaN for the background, and a count of the pixels that are not 0 is that of the whole picture. Its option against
# that, use_zarr_fill_value_as_mask=False, is taken and does nothing: the reader passes None on in its place. Of format 3
# True does as little. mask_and_scale=False keeps the ids. Seen with xarray 2026.9.0 and zarr 3.1.6.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xarray==2026.9.0 zarr==3.1.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import xarray
import zarr

ids = np.array([[0, 0, 1], [0, 300, 300]], np.uint16)
print("xarray", xarray.__version__, "zarr", zarr.__version__)
seen = []
for form in (2, 3):
    name = f"labels.{form}.zarr"
    names = {"dimension_names": ("y", "x")} if form == 3 else {"attributes": {"_ARRAY_DIMENSIONS": ["y", "x"]}}
    group = zarr.open_group(name, mode="w", zarr_format=form)
    group.create_array("labels", shape=ids.shape, dtype=ids.dtype, **names)[:] = ids
    for option in (None, True, False):
        read = xarray.open_zarr(name, consolidated=False, use_zarr_fill_value_as_mask=option).labels.values
        seen.append((form, str(read.dtype), int(np.isnan(read).sum()), int(np.count_nonzero(read))))
        print(f"format {form}, option {option}: {read.dtype}, {seen[-1][2]} NaN, {seen[-1][3]} of 6 pixels are not 0")
kept = xarray.open_zarr("labels.2.zarr", consolidated=False, mask_and_scale=False).labels.values
print("format 2, mask_and_scale=False:", kept.dtype, kept.tolist())
expected = [(2, "float32", 3, 6)] * 3 + [(3, "uint16", 0, 3)] * 3
sys.exit(0 if seen == expected and kept.dtype == ids.dtype and np.array_equal(kept, ids) else 1)
PYTHON
