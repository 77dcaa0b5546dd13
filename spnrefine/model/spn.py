"""The spatial propagation network: embed the coarse mask, propagate it under guidance, decode the refined mask."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spnrefine.model.config import DETAIL_FULL, Config
from spnrefine.model.encoder import Encoder
from spnrefine.model.guidance import DECODER8, GuidanceNetwork
from spnrefine.model.layers import conv_block, upsample
from spnrefine.ops import propagate

STRIDE = 32  # of the encoder's deepest features: sides are padded to a multiple of it
RGB = 3
SHOWN_TO_GUIDANCE = 2  # of the configuration's ``sees_mask``


class Begun(NamedTuple):
    """What is known before propagation; sides are those of the padded image."""

    guidance: Tensor  # (N, 4 * taps * gates, H/2, W/2), raw; without taps (N, channels, H/2, W/2)
    state: Tensor  # (N, channels, H/2, W/2): the embedded coarse mask, to be propagated
    detail: Tensor  # (N, 8, H, W): features at full resolution
    mask: Tensor  # (N, classes, H, W): the coarse mask in -1..1
    stride8: Tensor  # (N, 64, H/8, W/8): where training attaches its auxiliary head


class SPN(nn.Module):
    """Refines the mask of one object, or a label map's classes together.

    Liu et al., "Learning Affinity via Spatial Propagation Networks", NIPS 2017, with the coarse mask shown to the
    guidance network too, and the decoder sharpened by features at full resolution.
    """

    def __init__(self, config: Config | None = None):
        super().__init__()
        self.config = config = config or Config()
        channels, classes = config.channels, config.classes
        gates = 1 if config.shared_gates else channels
        inputs = RGB + (classes if config.sees_mask == SHOWN_TO_GUIDANCE else 0) + config.knows_off
        outputs = 4 * config.taps * gates or channels
        self.guidance = GuidanceNetwork(inputs, outputs, bottleneck=bool(config.bottleneck))
        self.embed = nn.Conv2d(classes, channels, 4, stride=2, padding=1)
        width = max(8, classes)
        self.decode = nn.Sequential(
            conv_block(channels + DETAIL_FULL + classes, width), nn.Conv2d(width, classes, 3, padding=1)
        )
        self.convolve = None
        if not config.taps:
            self.convolve = nn.Sequential(conv_block(2 * channels, channels), conv_block(channels, channels))
        self.auxiliary: nn.Module | None = None

    @property
    def encoder(self) -> Encoder:
        return self.guidance.encoder

    def add_auxiliary(self) -> None:
        """Add the head at stride 8 that helps training; it is left out of weights files."""
        self.auxiliary = nn.Conv2d(DECODER8, self.config.classes, 1)

    def forward(self, image: Tensor, coarse: Tensor, off: Tensor | None = None) -> Tensor:
        """Refine ``coarse``, guided by ``image``.

        Parameters
        ----------
        image : (N, 3, H, W) float tensor, RGB in 0..1, any H and W.
        coarse : (N, classes, H, W) float tensor, probabilities in 0..1.
        off : (N, 1, 1, 1) float tensor, how far off the edge of ``coarse`` may be, see :mod:`spnrefine.model.off`;
            None: not told. Only a configuration that ``knows_off`` looks at it.

        Returns
        -------
        (N, classes, H, W) logits, of a sigmoid for one class, else of a softmax.
        """
        return self.supervised(image, coarse, off)[0]

    def supervised(self, image: Tensor, coarse: Tensor, off: Tensor | None = None) -> list[Tensor]:
        """Return all logits that training compares with the truth; arguments as for forward.

        Returns
        -------
        What forward returns and, where there is an auxiliary head, its (N, classes, ceil(H / 8), ceil(W / 8)) at
        stride 8.
        """
        height, width = image.shape[-2:]
        begun = self.begin(image, coarse, off)
        logits = self.finish(self._spread(begun), begun.detail, begun.mask)[..., :height, :width]
        if self.auxiliary is None:
            return [logits]
        return [logits, self.auxiliary(begun.stride8)[..., : -(-height // 8), : -(-width // 8)]]

    def _spread(self, begun: Begun) -> Tensor:
        """Propagate the state; without taps, convolve it with what would have been the gates."""
        if self.convolve is not None:
            return self.convolve(torch.cat([begun.state, begun.guidance], 1))
        state = begun.state
        guidance = begun.guidance.unflatten(1, (4, self.config.taps, -1))
        for _ in range(self.config.rounds):
            state = propagate(state, guidance)
        return state

    def begin(self, image: Tensor, coarse: Tensor, off: Tensor | None = None) -> Begun:
        """Do all that comes before propagation, on sides padded to multiples of 32; arguments as for forward."""
        height, width = image.shape[-2:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        x = F.pad(torch.cat([image, coarse], 1) * 2 - 1, padding, mode="replicate")
        shown = x if self.config.sees_mask == SHOWN_TO_GUIDANCE else x[:, :RGB]
        if self.config.knows_off:
            plane = torch.zeros_like(x[:, :1]) if off is None else off.to(x.dtype).expand(-1, 1, *x.shape[-2:])
            shown = torch.cat([shown, plane], 1)
        guided = self.guidance(shown)
        mask = x[:, RGB:] if self.config.sees_mask else torch.zeros_like(x[:, RGB:])
        return Begun(guided.guidance, self.embed(mask), guided.detail, mask, guided.stride8)

    def finish(self, state: Tensor, detail: Tensor, mask: Tensor) -> Tensor:
        """Decode what was propagated to logits (N, classes, H, W)."""
        return self.decode(torch.cat([upsample(state), detail, mask], 1))
