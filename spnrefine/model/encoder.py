"""EfficientNet-Lite0 without its head: the encoder of the guidance network.

Tan and Le, "EfficientNet", ICML 2019; the Lite variant drops squeeze-and-excitation and uses ReLU6. Padding is
symmetric here, whatever the stride.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from spnrefine.errors import WeightsError
from spnrefine.model.layers import ConvBlock, conv_block

STEM = 32
# blocks, channels, kernel, stride, expansion
STAGES = (
    (1, 16, 3, 1, 1),
    (2, 24, 3, 2, 6),
    (2, 40, 5, 2, 6),
    (3, 80, 3, 2, 6),
    (3, 112, 5, 1, 6),
    (4, 192, 5, 2, 6),
    (1, 320, 3, 1, 6),
)
FEATURE_STAGES = (0, 1, 2, 4, 6)
FEATURE_CHANNELS = tuple(STAGES[i][1] for i in FEATURE_STAGES)
"""Channels of the features at strides 2, 4, 8, 16 and 32."""


class InvertedBottleneck(nn.Module):
    """Expand with 1x1, filter depthwise, project with 1x1; residual where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = inputs * expansion
        self.expand = conv_block(inputs, hidden, 1) if expansion > 1 else nn.Sequential()
        self.depthwise = conv_block(hidden, hidden, kernel, stride=stride, groups=hidden)
        self.project = conv_block(hidden, outputs, 1, activation=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class Encoder(nn.Module):
    """(N, ``inputs``, H, W) in -1..1 to five feature maps at strides 2, 4, 8, 16 and 32."""

    def __init__(self, inputs: int):
        super().__init__()
        self.stem: nn.Sequential = conv_block(inputs, STEM, stride=2)
        widths = [STEM, *(channels for _, channels, *_ in STAGES)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                InvertedBottleneck(before, after, kernel, stride, expansion),
                *(InvertedBottleneck(after, after, kernel, 1, expansion) for _ in range(blocks - 1)),
            )
            for (before, after), (blocks, _, kernel, stride, expansion) in zip(pairwise(widths), STAGES, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return self._features(self.stem(x), 0)

    def deeper(self, at4: Tensor) -> list[Tensor]:
        """Return the features at strides 8, 16 and 32, of those at stride 4."""
        return self._features(at4, FEATURE_STAGES[1] + 1)

    def _features(self, x: Tensor, first: int) -> list[Tensor]:
        features = []
        for i in range(first, len(self.stages)):
            x = self.stages[i](x)
            if i in FEATURE_STAGES:
                features.append(x)
        return features

    @torch.no_grad()
    def load_imagenet(self, state: dict[str, Tensor]) -> None:
        """Fill the encoder from a state dict in the layout of ``efficientnet-lite-pytorch``.

        That network takes RGB as (x - 127) / 128, which is this one's -1..1; input channels beyond RGB start at zero.

        Raises
        ------
        WeightsError
            A tensor is missing or has another shape.
        """
        blocks = [block for block in self.modules() if isinstance(block, InvertedBottleneck)]
        pairs: list[tuple[nn.Sequential, str, str]] = [(self.stem, "_conv_stem", "_bn0")]
        for i, block in enumerate(blocks):
            parts = [(block.depthwise, "_depthwise_conv", "_bn1"), (block.project, "_project_conv", "_bn2")]
            if isinstance(block.expand, ConvBlock):
                parts.append((block.expand, "_expand_conv", "_bn0"))
            pairs += [(part, f"_blocks.{i}.{conv}", f"_blocks.{i}.{norm}") for part, conv, norm in parts]
        for part, conv, norm in pairs:
            _fill(part[0].state_dict()["weight"], state, f"{conv}.weight")
            for name in ("weight", "bias", "running_mean", "running_var"):
                _fill(part[1].state_dict()[name], state, f"{norm}.{name}")


def _fill(target: Tensor, state: dict[str, Tensor], key: str) -> None:
    value = state.get(key)
    if value is None or value.shape[0] != target.shape[0] or value.shape[2:] != target.shape[2:]:
        found = "missing" if value is None else f"of shape {tuple(value.shape)}"
        raise WeightsError(f"{key} of the ImageNet weights is {found}: expected an EfficientNet-Lite0 state dict.")
    target.zero_()
    if value.ndim == 4:
        target[:, : value.shape[1]] = value
    else:
        target.copy_(value)
