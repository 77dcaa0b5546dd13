"""The network in torch, on any of its devices."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spnrefine.errors import BackendError, SpnRefineError
from spnrefine.model import storage
from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.layers import fold_batch_norms
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.replayed import Replayed
from spnrefine.model.spn import STRIDE
from spnrefine.model.weights import check_output
from spnrefine.simd import cores


class OnTorch:
    """A network loaded for inference."""

    def __init__(self, weights: str, device: str, threads: int | None = None):
        torch.set_num_threads(threads or min(torch.get_num_threads(), cores.threads()))
        network = storage.load_any(weights)
        self.config = network.config
        self._device = torch.device(device)
        with _told_in_words(self._device):
            # channels last: the memory format that convolutions and propagation are fastest in
            self._network: nn.Module = fold_batch_norms(network).to(
                self._device,
                memory_format=torch.channels_last,  # type: ignore[call-overload]  # torch's own stubs lack the argument
            )
            if self._device.type == "cuda" and isinstance(self.config, Config) and self.config.taps:
                from spnrefine.ops.cuda import tensors

                # now, so that no picture waits for it, and `auto` learns in time that it cannot be
                tensors.prepare(self._device, torch.float32, training=False)

    def _image(self, image: NDArray[np.uint8]) -> Tensor:
        return _seen(torch.from_numpy(image).to(self._device))


class NetworkOnTorch(OnTorch):
    """A refiner."""

    config: Config

    def __init__(self, weights: str, device: str, threads: int | None = None):
        super().__init__(weights, device, threads)
        self._replayed = Replayed(self._refined, self._device) if self._device.type == "cuda" else None

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W.

        ``off`` is what the network is told of the mask, see :func:`spnrefine.model.off.coded`; 0: nothing.
        """
        told = np.full((1, 1, 1, 1), off, np.float32)
        if self._replayed is None:
            return _checked(self._refined(*map(torch.from_numpy, (image, coarse, told))))
        height, width = coarse.shape
        # the network pads in the same way: done before, pictures of many sizes share few
        around = (0, -height % STRIDE), (0, -width % STRIDE)
        with _told_in_words(self._device):
            refined = self._replayed(np.pad(image, (*around, (0, 0)), "edge"), np.pad(coarse, around, "edge"), told)
        refined = refined[:height, :width].copy()
        check_output(refined)
        return refined

    def _refined(self, image: Tensor, coarse: Tensor, told: Tensor) -> Tensor:
        """Return probabilities (H, W) for tensors of the device."""
        return torch.sigmoid(self._network(_seen(image), coarse[None, None], told))[0, 0]


class SegmenterOnTorch(OnTorch):
    """A network that makes the mask of an object."""

    config: SegmenterConfig

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""
        with _told_in_words(self._device):
            return _checked(torch.sigmoid(self._network(self._image(image)))[0, 0])


class ParserOnTorch(OnTorch):
    """A network that makes a label map and refines it."""

    config: Config

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the classes' probabilities (K, H, W) in an image (H, W, 3), uint8 RGB: coarse, and refined."""
        network = cast(ParsingNetwork, self._network)
        with _told_in_words(self._device):
            seen = self._image(image)
            coarse = network.coarse(seen)
            refined = network.spn(seen, coarse).softmax(1)
            return _checked(coarse[0]), _checked(refined[0])


def _seen(image: Tensor) -> Tensor:
    """Turn an image (H, W, 3), uint8, into what networks see: (1, 3, H, W) in 0..1."""
    return image.permute(2, 0, 1)[None].float() / 255


@contextmanager
def _told_in_words(device: torch.device) -> Iterator[None]:
    """Raise an error of one sentence where a GPU fails: memory that others hold, or a process that was forked."""
    try:
        yield
    except SpnRefineError:
        raise
    except RuntimeError as error:
        if device.type != "cuda":
            raise
        said = re.split(r"\. (?=[A-Z])", str(error).strip().partition("\n")[0].rstrip(". "))
        why = "; ".join(said[:3])  # of memory that ran out, how much was wanted and how much there was; then advice
        what = "has too little memory left" if isinstance(error, torch.OutOfMemoryError) else "cannot be used"
        raise BackendError(f"{device} {what} ({why}): end what else uses it, or use cpu.") from error


def _checked(output: Tensor) -> NDArray[np.float32]:
    array = output.cpu().numpy()
    check_output(array)
    return array
