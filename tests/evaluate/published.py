"""What published libraries measure of masks in files, as JSON: run by `test_published`, with these libraries alone."""

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import surface_distance
import torch
from faster_coco_eval import COCO, COCOeval_faster
from faster_coco_eval.core import mask as coco
from monai.metrics import compute_surface_dice
from torchmetrics.classification import (
    BinaryCalibrationError,
    BinaryJaccardIndex,
    MulticlassCalibrationError,
    MulticlassF1Score,
    MulticlassJaccardIndex,
)
from torchmetrics.detection import PanopticQuality


def of_masks(mask, truth, probability, radii):
    """Measures of one mask (H, W), and of its probabilities."""
    rles = [coco.encode(np.asfortranarray(each.astype(np.uint8))) for each in (mask, truth)]
    bands = [coco.rleToBoundary(rle) for rle in rles]
    distances = surface_distance.compute_surface_distances(truth, mask, (1, 1))
    planes = [torch.from_numpy(np.stack([~each, each])[None].astype(np.float32)) for each in (mask, truth)]
    p, target = torch.from_numpy(probability).ravel().double(), torch.from_numpy(truth).ravel().long()
    both = torch.stack([1 - p, p], 1)
    found = {
        "iou": BinaryJaccardIndex()(torch.from_numpy(mask).int(), torch.from_numpy(truth).int()),
        "biou": coco.iou(bands[:1], bands[1:], [0])[0, 0],
        "hd95": surface_distance.compute_robust_hausdorff(distances, 95),
        "calibration of the object": BinaryCalibrationError(n_bins=10, norm="l1")(p, target),
        "calibration of the winner": MulticlassCalibrationError(num_classes=2, n_bins=10, norm="l1")(both, target),
    }
    for radius in radii:
        found[f"nsd_{radius}"] = surface_distance.compute_surface_dice_at_tolerance(distances, radius)
        found[f"nsd_{radius}, MONAI"] = compute_surface_dice(*planes, [float(radius)], use_subvoxels=True)[0, 0]
    return found


def of_instances(file):
    """Measures of a COCO truth and results, by faster-coco-eval."""
    content = json.loads(file.read_text())
    truth = COCO(content["truth"])
    found = truth.loadRes(content["results"])
    aps = {}
    for name, kind in (("ap", "segm"), ("boundary_ap", "boundary")):
        evaluation = COCOeval_faster(truth, found, kind, boundary_dilation_ratio=0.02)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        aps[name] = evaluation.stats[0]
    return aps


def of_maps(maps):
    """Panoptic quality of maps (N, 2, H, W, 2) of categories and ids, and scores of label maps (N, 2, H, W)."""
    found, true = (torch.from_numpy(maps["panoptic"][:, side].astype(np.int64)) for side in (1, 0))
    quality = PanopticQuality(things={1, 2}, stuffs={0}, return_per_class=True)
    quality.update(found, true)
    labels = [torch.from_numpy(maps["labels"][:, side].astype(np.int64)) for side in (1, 0)]
    count = int(maps["labels"].max()) + 1
    return {
        "pq": quality.compute()[0, :2].mean(),  # of things, which come first: the background is no instance
        "mean IoU of classes": MulticlassJaccardIndex(count, average="macro")(*labels),
        "F1 of a class": MulticlassF1Score(count, average=None)(*labels)[1],
    }


def main(folder):
    """Measure all that is in a folder, and print it."""
    measured = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for file in sorted(folder.glob("masks*.npz")):
            given = np.load(file)
            measured[file.stem] = of_masks(given["mask"], given["truth"], given["probability"], given["radii"].tolist())
        measured["instances"] = of_instances(folder / "instances.json")
        measured["maps"] = of_maps(np.load(folder / "maps.npz"))
    print(json.dumps({name: {key: float(value) for key, value in row.items()} for name, row in measured.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
