"""The numbers that decide which network is built."""

from dataclasses import dataclass, replace

DETAIL_FULL = 8
"""Channels of the features at full resolution, which the decoder sees."""

MOST_SIDE = 8192
MOST_CLASSES = 256
"""Ids of label maps have 8 bits."""


@dataclass(frozen=True)
class Config:
    """What a weights file must say for its network to be built.

    ``channels`` the mask is embedded to; ``taps`` 3 (three-way), 1 (one-way) or 0 (two convolutions take the place of
    the propagation); ``rounds`` of propagation with the same gates; ``working_side`` in pixels, the longer side at
    which inference is meant to run; ``classes`` 1 (the mask of an object) or the number of classes of a label map.
    ``shared_gates`` 1: all channels share the gates of one. ``sees_mask``: what the coarse mask is shown to: 2, the
    guidance network too; 1, only what is propagated, and the decoder; 0, nothing, a network of the photograph alone.
    ``knows_off`` 1: the guidance network is told how far off the coarse mask's edge may be, see
    :mod:`spnrefine.model.off`. ``bottleneck`` 1: its decoders bring their inputs to fewer channels first, see
    :mod:`spnrefine.model.guidance`.
    """

    channels: int = 16
    taps: int = 3
    rounds: int = 2
    working_side: int = 512
    classes: int = 1
    shared_gates: int = 0
    sees_mask: int = 2
    knows_off: int = 0
    bottleneck: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no network can be built from."""
        allowed: dict[str, tuple[int, ...]] = {"taps": (0, 1, 3), "sees_mask": (0, 1, 2)}
        allowed |= dict.fromkeys(("shared_gates", "knows_off", "bottleneck"), (0, 1))
        for name, choices in allowed.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} was {getattr(self, name)}: expected one of {', '.join(map(str, choices))}")
        _check_range(self, channels=512, rounds=64, working_side=MOST_SIDE, classes=MOST_CLASSES)

    @property
    def built(self) -> "Config":
        """What decides which tensors there are: all but ``rounds`` and ``working_side``, which are the usual ones."""
        return replace(self, rounds=Config.rounds, working_side=Config.working_side)


@dataclass(frozen=True)
class SegmenterConfig:
    """The network that makes a coarse mask from a photograph alone.

    ``outputs`` 1 (an object against all else) or the number of classes; ``stride`` 8 or 4, by which the mask is smaller
    than the network's input; ``side`` in pixels: the input has about ``side * side`` of them.
    """

    outputs: int = 1
    stride: int = 8
    side: int = 384

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no network can be built from."""
        if self.stride not in (4, 8):
            raise ValueError(f"stride was {self.stride}: expected one of 4, 8")
        _check_range(self, outputs=MOST_CLASSES, side=MOST_SIDE)


@dataclass(frozen=True)
class MatteConfig:
    """The network that makes a matte of a refined mask; ``width`` is its channels at half of the resolution."""

    width: int = 32

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that no network can be built from."""
        _check_range(self, width=512)


def _check_range(config: object, **most: int) -> None:
    """Refuse numbers that no network here has: a forged one would only cost memory, or time without end."""
    for name, highest in most.items():
        if not 1 <= getattr(config, name) <= highest:
            raise ValueError(f"{name} was {getattr(config, name)}: expected 1 to {highest}")
