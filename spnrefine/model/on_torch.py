"""The network in torch, on any of its devices."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spnrefine.model import storage
from spnrefine.model.layers import fold_batch_norms


class NetworkOnTorch:
    """A network loaded for inference."""

    def __init__(self, weights: str, device: str, threads: int | None = None):
        if threads:
            torch.set_num_threads(threads)
        network = storage.load(weights)
        self.config = network.config
        self._device = torch.device(device)
        # channels last: the memory format that convolutions and propagation are fastest in
        self._network: nn.Module = fold_batch_norms(network).to(
            self._device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]  # torch's own stubs lack the argument
        )

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W."""
        x = torch.from_numpy(image).to(self._device).permute(2, 0, 1)[None].float() / 255
        y = torch.from_numpy(coarse).to(self._device)[None, None]
        return torch.sigmoid(self._network(x, y))[0, 0].cpu().numpy()
