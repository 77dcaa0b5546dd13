"""What training lowers: cross-entropy plus Dice, on pixels that count."""

import torch
import torch.nn.functional as F
from torch import Tensor


def refinement_loss(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return cross-entropy plus (1 - soft Dice), a scalar.

    Parameters
    ----------
    logits, truth, valid : (N, 1, H, W); truth and valid 0..1. Where ``valid`` is 0 there is no loss and no gradient.

    Notes
    -----
    Dice: Milletari et al., "V-Net", 3DV 2016, per patch, with one pixel added so that empty patches are defined.
    """
    logits = logits.float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, weight=valid, reduction="sum") / valid.sum().clamp(
        min=1
    )
    probability = logits.sigmoid() * valid
    counted = truth * valid
    overlap = (probability * counted).sum((1, 2, 3))
    dice = (2 * overlap + 1) / (probability.sum((1, 2, 3)) + counted.sum((1, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


def auxiliary_loss(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return the same loss of a head at a lower resolution, whose truth is averaged down."""
    size = logits.shape[-2:]
    small = F.interpolate(torch.cat([truth, valid], 1), size, mode="area")
    return refinement_loss(logits, small[:, :1], (small[:, 1:] > 0.5).to(truth.dtype))
