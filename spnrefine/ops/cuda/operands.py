"""What of a propagation's tensors decides how it is launched."""

from typing import NamedTuple

import torch

from spnrefine.ops.directions import Direction


class Operands(NamedTuple):
    """All of the arguments that a plan depends on."""

    shape: tuple[int, ...]
    """(N, C, H, W) of x."""
    x: tuple[int, ...]
    """Strides of x, in elements."""
    guidance_shape: tuple[int, ...]
    guidance: tuple[int, ...]
    """Strides of guidance."""
    x_type: torch.dtype
    guidance_type: torch.dtype
    directions: tuple[Direction, ...]
    normalise: str | None

    @property
    def length(self) -> int:
        """Pixels of a line, of the direction whose lines are longest."""
        return max(self.shape[2] if direction.horizontal else self.shape[3] for direction in self.directions)

    @property
    def lines(self) -> int:
        """Lines of a scan, of the direction that has most."""
        return max(self.shape[3] if direction.horizontal else self.shape[2] for direction in self.directions)

    @property
    def channels_last(self) -> bool:
        """Whether a pixel's channels are neighbours in guidance, or in x where they share their gates."""
        channels, width = self.shape[1], self.shape[3]
        strides = self.guidance[3:] if self.guidance_shape[3] > 1 else self.x[1:]
        return channels > 1 and strides[0] == 1 and (strides[2] != 1 or width == 1)
