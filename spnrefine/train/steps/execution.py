"""How steps run on a device: the arithmetic is the same but for rounding."""

from dataclasses import dataclass

import torch
from torch import nn

from spnrefine.model.layers import use_depthwise_kernels
from spnrefine.model.spn import SPN


@dataclass(frozen=True)
class Execution:
    """Ways to run a step.

    ``ahead``: patches are drawn while the step before is at work; ``captured``: a step is one CUDA graph;
    ``depthwise``: depthwise convolutions by this package's kernels; ``compiled``: the network by torch.compile, but for
    the propagation.
    """

    ahead: bool = False
    captured: bool = False
    depthwise: bool = False
    compiled: bool = False

    def fit(self, model: nn.Module, average: nn.Module) -> None:
        """Change how a network in training and its moving average compute, not what."""
        if self.depthwise:
            use_depthwise_kernels(model)
            use_depthwise_kernels(average)
        if self.compiled:
            for spn in (module for module in model.modules() if isinstance(module, SPN)):
                for name in ("begin", "finish"):  # each size of patches gets code of its own
                    setattr(spn, name, torch.compile(getattr(spn, name), dynamic=False))


def execution_on(device: torch.device) -> Execution:
    """Return what is fastest: on a CPU, where streams and graphs do not exist, all in turn."""
    on_gpu = device.type == "cuda"
    return Execution(ahead=on_gpu, captured=on_gpu)
