"""The network in torch, on any of its devices."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spnrefine.model import storage
from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.layers import fold_batch_norms
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.weights import check_output
from spnrefine.simd import cores


class OnTorch:
    """A network loaded for inference."""

    def __init__(self, weights: str, device: str, threads: int | None = None):
        torch.set_num_threads(threads or min(torch.get_num_threads(), cores.threads()))
        network = storage.load_any(weights)
        self.config = network.config
        self._device = torch.device(device)
        # channels last: the memory format that convolutions and propagation are fastest in
        self._network: nn.Module = fold_batch_norms(network).to(
            self._device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]  # torch's own stubs lack the argument
        )

    def _image(self, image: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(image).to(self._device).permute(2, 0, 1)[None].float() / 255


class NetworkOnTorch(OnTorch):
    """A refiner."""

    config: Config

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W.

        ``off`` is what the network is told of the mask, see :func:`spnrefine.model.off.coded`; 0: nothing.
        """
        y = torch.from_numpy(coarse).to(self._device)[None, None]
        told = torch.full((1, 1, 1, 1), off, device=self._device)
        return _checked(torch.sigmoid(self._network(self._image(image), y, told))[0, 0])


class SegmenterOnTorch(OnTorch):
    """A network that makes the mask of an object."""

    config: SegmenterConfig

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""
        return _checked(torch.sigmoid(self._network(self._image(image)))[0, 0])


class ParserOnTorch(OnTorch):
    """A network that makes a label map and refines it."""

    config: Config

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the classes' probabilities (K, H, W) in an image (H, W, 3), uint8 RGB: coarse, and refined."""
        network = cast(ParsingNetwork, self._network)
        seen = self._image(image)
        coarse = network.coarse(seen)
        refined = network.spn(seen, coarse).softmax(1)
        return _checked(coarse[0]), _checked(refined[0])


def _checked(output: Tensor) -> NDArray[np.float32]:
    array = output.cpu().numpy()
    check_output(array)
    return array
