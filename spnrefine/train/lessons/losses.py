"""What training lowers: cross-entropy plus Dice, on pixels that count."""

import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.regions import iou


def refinement_loss(logits: Tensor, truth: Tensor, valid: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return cross-entropy plus (1 - soft Dice), a scalar.

    Parameters
    ----------
    logits, truth, valid : (N, 1, H, W); truth and valid 0..1. Where ``valid`` is 0 there is no loss and no gradient.
    weight : (N,) how much each patch counts, 1 on average; None: all the same.

    Notes
    -----
    Dice: Milletari et al., "V-Net", 3DV 2016, per patch, with one pixel added so that empty patches are defined.
    """
    logits = logits.float()
    weight = logits.new_ones(len(logits)) if weight is None else weight
    each = F.binary_cross_entropy_with_logits(logits, truth, weight=valid, reduction="none").sum((1, 2, 3))
    entropy = (weight * each).sum() / valid.sum().clamp(min=1)
    probability = logits.sigmoid() * valid
    counted = truth * valid
    overlap = (probability * counted).sum((1, 2, 3))
    dice = (2 * overlap + 1) / (probability.sum((1, 2, 3)) + counted.sum((1, 2, 3)) + 1)
    return entropy + (weight * (1 - dice)).mean()


def edge_loss(logits: Tensor, truth: Tensor, valid: Tensor, near: Tensor, weight: Tensor) -> Tensor:
    """Return cross-entropy near the true contour, a scalar: each patch's mean, however long its contour is.

    Parameters
    ----------
    logits, truth, valid, near : (N, 1, H, W); ``near`` is 1 on the contour and falls to 0 away from it.
    weight : (N,) how much each patch counts.

    Notes
    -----
    The U-Net's border weights (Ronneberger et al., MICCAI 2015), with the distance to the contour itself.
    """
    counted = near * valid
    each = F.binary_cross_entropy_with_logits(logits.float(), truth, weight=counted, reduction="none").sum((1, 2, 3))
    return (weight * each / counted.sum((1, 2, 3)).clamp(min=1)).mean()


def patch_weights(coarse: Tensor, truth: Tensor, valid: Tensor, offset: float) -> Tensor:
    """Return (N,) weights, 1 on average: the smaller a coarse mask's IoU error, the more what is left of it counts.

    So a patch whose edge is a little off counts beside one that lacks a third of the object, as in the share of the
    error that is removed. ``offset`` is added to the error, so that exact masks have no more than their part.
    """
    error = 1 - iou(coarse, truth, valid).flatten()
    weight = 1 / (error + offset)
    return weight / weight.mean()


def auxiliary_loss(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return the same loss of a head at a lower resolution, whose truth is averaged down."""
    size = logits.shape[-2:]
    small = F.interpolate(torch.cat([truth, valid], 1), size, mode="area")
    return refinement_loss(logits, small[:, :1], (small[:, 1:] > 0.5).to(truth.dtype))
