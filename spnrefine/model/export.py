"""``python -m spnrefine.model.export``: write what :mod:`spnrefine.model.on_cpu` has ONNX Runtime run.

Structure only: every tensor that a weights file holds is left out and goes by its name there. Batch norms stay as they
are, ONNX Runtime folds them. To be run again when the network's structure changes; needs the package ``onnx``.
"""

import warnings
from pathlib import Path
from typing import cast

import onnx
import torch
from onnx.external_data_helper import set_external_data
from torch import Tensor, nn

from spnrefine.model.config import DETAIL_FULL, Config, MatteConfig, SegmenterConfig
from spnrefine.model.encoder import FEATURE_CHANNELS
from spnrefine.model.matte_inputs import CHANNELS
from spnrefine.model.matte_on_cpu import MATTE
from spnrefine.model.matting import Matting
from spnrefine.model.on_cpu import DEEP, SEGMENT
from spnrefine.model.parser_on_cpu import DECODE, PARSE
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN

OPSET = 17
SIDES = 64, 96  # of the example that is traced; any others work afterwards


class Deep(nn.Module):
    """From the encoder's features at stride 4 (1, 24, H / 4, W / 4) to what is enlarged to there, (1, H/8, W/8, C)."""

    def __init__(self, network: SPN):
        super().__init__()
        self.guidance = network.guidance

    def forward(self, deep: Tensor) -> Tensor:
        return self.guidance.below(deep).permute(0, 2, 3, 1)


class Segment(nn.Module):
    """From an image (1, H, W, 3) uint8 to probabilities (1, 1, H / 8, W / 8) of the object."""

    def __init__(self, network: Segmenter):
        super().__init__()
        for name, part in network.named_children():
            self.add_module(name, part)
        self.decoder4 = None

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(Segmenter.forward(self, image.permute(0, 3, 1, 2).float() / 255))  # type: ignore[arg-type]


class Parse(nn.Module):
    """From an image (1, H, W, 3) uint8 to the coarse label map (1, K, H, W) and what comes before the gates."""

    def __init__(self, network: ParsingNetwork):
        super().__init__()
        self.base, self.spn = network.base, network.spn

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        seen = image.permute(0, 3, 1, 2).float() / 255
        coarse = ParsingNetwork.coarse(cast(ParsingNetwork, self), seen)
        begun = self.spn.begin(seen, coarse)
        return coarse, begun.guidance, begun.state.permute(0, 2, 3, 1), begun.detail, begun.mask

    enlarge = staticmethod(ParsingNetwork.enlarge)


class Decode(nn.Module):
    """From what was propagated (1, H / 2, W / 2, C) to the classes' probabilities (1, K, H, W)."""

    def __init__(self, network: ParsingNetwork):
        super().__init__()
        self.spn = network.spn

    def forward(self, state: Tensor, detail: Tensor, mask: Tensor) -> Tensor:
        return self.spn.finish(state.permute(0, 3, 1, 2), detail, mask).softmax(1)


def export(network: SPN, path: Path) -> None:
    """Write the deep part of a network that refines: from an eighth of the sides down, and back up to there."""
    height, width = (side // 4 for side in SIDES)
    axes = {"deep": {2: "height / 4", 3: "width / 4"}, "below": {1: "height / 8", 2: "width / 8"}}
    inputs = {"deep": torch.zeros(1, FEATURE_CHANNELS[1], height, width)}
    _export(Deep(network.eval()), inputs, ("below",), axes, path)


def export_segmenter(network: Segmenter, path: Path) -> None:
    """Write a network that makes masks."""
    height, width = SIDES
    axes = {"image": {1: "height", 2: "width"}, "probability": {2: "height / 8", 3: "width / 8"}}
    image = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    _export(Segment(network.eval()), {"image": image}, ("probability",), axes, path)


def export_parser(network: ParsingNetwork, before: Path, after: Path) -> None:
    """Write the parts of a network of label maps that come before the gates, and after the propagation."""
    network = network.eval()
    network.spn.guidance.gates = nn.Identity()  # type: ignore[assignment]  # its features are put out instead
    height, width = SIDES
    full, half = {2: "height", 3: "width"}, {1: "half height", 2: "half width"}
    axes = {"image": {1: "image height", 2: "image width"}, "coarse": {2: "image height", 3: "image width"}}
    axes |= {"features": {2: "half height", 3: "half width"}, "state": half}
    axes |= dict.fromkeys(("detail", "mask", "refined"), full)
    image = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    _export(Parse(network), {"image": image}, ("coarse", "features", "state", "detail", "mask"), axes, before)
    state = torch.zeros(1, height // 2, width // 2, network.config.channels)
    planes = (torch.zeros(1, count, height, width) for count in (DETAIL_FULL, network.config.classes))
    _export(
        Decode(network),
        dict(zip(("state", "detail", "mask"), (state, *planes), strict=True)),
        ("refined",),
        axes,
        after,
    )


def export_matting(network: Matting, path: Path) -> None:
    """Write a network that makes mattes, whatever its tensors hold: equal ones would be exported as one."""
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5)
    sides = {2: "height", 3: "width"}
    inputs = torch.zeros(1, CHANNELS, *SIDES)
    _export(network.eval(), {"inputs": inputs}, ("alpha",), {"inputs": sides, "alpha": sides}, path)


def _export(
    part: nn.Module, inputs: dict[str, Tensor], outputs: tuple[str, ...], axes: dict[str, dict[int, str]], path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package calls itself the old one
        torch.onnx.export(
            part,
            tuple(inputs.values()),
            str(path),
            input_names=[*inputs],
            output_names=[*outputs],
            dynamic_axes={name: axes[name] for name in (*inputs, *outputs)},
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,  # keep batch norms apart
            do_constant_folding=False,
            dynamo=False,
        )
    model = onnx.load(str(path))
    learnt = part.state_dict()
    for tensor in model.graph.initializer:
        if tensor.name in learnt:
            set_external_data(tensor, "weights")
            tensor.ClearField("raw_data")
    onnx.save(model, str(path))


if __name__ == "__main__":
    for bottleneck, path in DEEP.items():
        export(SPN(Config(bottleneck=bottleneck)), path)
    export_segmenter(Segmenter(SegmenterConfig()), SEGMENT)
    for config, path in PARSE.items():
        export_parser(ParsingNetwork(config), path, DECODE)
    export_matting(Matting(MatteConfig()), MATTE)
    for written in (*DEEP.values(), SEGMENT, *PARSE.values(), DECODE, MATTE):
        print(f"{written} {written.stat().st_size} bytes")
