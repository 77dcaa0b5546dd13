#!/usr/bin/env bash
# Labels of a NIfTI file, read with get_fdata and saved with the affine and the header that came with them, as many scripts
# do, are no longer the same. nibabel spreads the float64 numbers over all that the header's integers can hold, and
# notes a factor, also where they are whole and would fit: of bytes 0, 1 and 2, id 1 comes back as 0.996, and is 0, the
# background, after astype(int). Of int16, 2 comes back a hair below 2, and is 1. np.asarray(image.dataobj) in the place of
# get_fdata keeps them. Seen with nibabel 5.4.2; SimpleITK 2.5.7 reads the same numbers from the file.
# Exits with 0 while that is so, and with 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet nibabel==5.4.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import nibabel
import numpy as np
import SimpleITK

print("nibabel", nibabel.__version__, "SimpleITK", SimpleITK.Version.VersionString())
seen = {}
for dtype in (np.uint8, np.int16):
    ids = np.array([0, 1, 2, 2], dtype).reshape(2, 2, 1)
    nibabel.save(nibabel.Nifti1Image(ids, np.eye(4)), "labels.nii")
    labels = nibabel.load("labels.nii")
    nibabel.save(nibabel.Nifti1Image(labels.get_fdata(), labels.affine, labels.header), "again.nii")
    again = nibabel.load("again.nii").get_fdata()
    other = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("again.nii")).T
    nibabel.save(nibabel.Nifti1Image(np.asarray(labels.dataobj), labels.affine, labels.header), "kept.nii")
    kept = np.array_equal(nibabel.load("kept.nii").get_fdata(), ids)
    name = np.dtype(dtype).name
    seen[name] = int((again.astype(int) != ids).sum()), bool((again == ids).all()), bool(np.allclose(again, other)), kept
    print(f"{name} 0, 1, 2: {again.ravel()[:3].round(5).tolist()}, by SimpleITK {other.ravel()[:3].round(5).tolist()}")
    print(f"  as whole numbers {again.astype(int).ravel()[:3].tolist()}; by dataobj kept: {kept}")
sys.exit(0 if seen["uint8"] == (1, False, True, True) and seen["int16"] == (2, False, True, True) else 1)
PYTHON
