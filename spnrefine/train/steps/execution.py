"""How steps run on a device: the arithmetic is the same but for rounding."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Execution:
    """Ways to run a step.

    ``ahead``: patches are drawn while the step before is at work; ``captured``: a step is one CUDA graph.
    """

    ahead: bool = False
    captured: bool = False


def execution_on(device: torch.device) -> Execution:
    """Return what is fastest: on a CPU, where streams and graphs do not exist, all in turn."""
    on_gpu = device.type == "cuda"
    return Execution(ahead=on_gpu, captured=on_gpu)
