"""The numbers that decide which network is built."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """What a weights file must say for its network to be built.

    ``channels`` the mask is embedded to; ``taps`` 3 (three-way) or 1 (one-way); ``rounds`` of propagation with the
    same gates; ``working_side`` in pixels, the longer side at which inference is meant to run.
    """

    channels: int = 16
    taps: int = 3
    rounds: int = 2
    working_side: int = 512
