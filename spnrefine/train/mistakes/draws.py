"""Random numbers for a batch, made on the device: one a patch, or a smooth field over each patch."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Draws for ``count`` patches of ``side`` by ``side`` pixels; numbers are (N, 1, 1, 1) to broadcast over them."""

    generator: torch.Generator
    count: int
    side: int

    def uniform(self, low: float = 0.0, high: float = 1.0, *, channels: int = 1) -> Tensor:
        """Return (N, channels, 1, 1)."""
        shape = (self.count, channels, 1, 1)
        drawn = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return low + (high - low) * drawn

    def log_uniform(self, span: tuple[float, float]) -> Tensor:
        return self.uniform(math.log(span[0]), math.log(span[1])).exp()

    def chance(self, chance: float) -> Tensor:
        """Return 1.0 with probability ``chance``, else 0.0."""
        return (self.uniform() < chance).float()

    def sign(self) -> Tensor:
        return self.chance(0.5) * 2 - 1

    def smooth(self, cells: int, *, channels: int = 1) -> Tensor:
        """Return (N, channels, S, S) smooth noise of about unit variance, its bumps 1 / ``cells`` of the side."""
        shape = (self.count, channels, cells + 1, cells + 1)
        coarse = torch.randn(shape, generator=self.generator, device=self.generator.device)
        return F.interpolate(coarse, (self.side, self.side), mode="bilinear", align_corners=True) * 1.3

    def rough(self, cells: int, *, channels: int = 1) -> Tensor:
        """Return smooth noise with finer bumps on it."""
        return 0.8 * self.smooth(cells, channels=channels) + 0.5 * self.smooth(3 * cells, channels=channels)

    def white_numbers(self, channels: int) -> Tensor:
        """Return (N, channels, 1, 1) of unit variance."""
        shape = (self.count, channels, 1, 1)
        return torch.randn(shape, generator=self.generator, device=self.generator.device)

    def white(self, channels: int) -> Tensor:
        """Return (N, channels, S, S) white noise of unit variance."""
        shape = (self.count, channels, self.side, self.side)
        return torch.randn(shape, generator=self.generator, device=self.generator.device)
