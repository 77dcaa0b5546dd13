"""Where a run begins: weights of the same network, those of another that fit in places, ImageNet's, or nothing."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spnrefine.errors import WeightsError
from spnrefine.model import storage, weights
from spnrefine.model.config import Config
from spnrefine.model.encoder import Encoder
from spnrefine.model.imagenet import load_imagenet
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.spn import SPN

RGB = 3


@dataclass(frozen=True)
class Start:
    """``words`` say where a network begins; ``continued`` when it is the very network that the weights are of."""

    words: str
    continued: bool = False


TRAINED = {"binary": weights.SPN, "labels": weights.PARSER, "object": weights.SEGMENTER, "matte": weights.MATTE}
"""What each task trains."""


def check_kind(task: str, start: str, *, encoder_alone: bool) -> None:
    """Refuse to begin with weights of another kind, unless their encoder alone is asked for.

    A refiner is part of a model of label maps, and begins one.

    Raises
    ------
    WeightsError
        They are of another kind; or neither kind has an encoder.
    """
    info, wanted = weights.describe(start), TRAINED[task]
    if info.architecture == wanted or (info.architecture, wanted) == (weights.SPN, weights.PARSER):
        return
    kinds = f"{info.name} is {weights.PURPOSES[info.architecture]}, and --task {task} trains"
    if weights.MATTE in (info.architecture, wanted):
        raise WeightsError(f"{kinds} {weights.PURPOSES[wanted]}, which have nothing in common: name other weights.")
    if not encoder_alone:
        raise WeightsError(
            f"{kinds} {weights.PURPOSES[wanted]}: name such weights, or give --encoder-alone to take only what sees "
            "the photograph."
        )


def begin(model: nn.Module, start: str | None, imagenet: Path | None, base: str | None = None) -> Start:
    """Fill ``model`` from weights, from ImageNet's, or leave it as it was made.

    Weights of another network fill what fits: a refiner fills a label model's refiner, and its encoder any encoder.
    Last, ``base`` names a model of label maps whose base parser replaces that of ``model``.

    Raises
    ------
    WeightsError
        The weights are missing, corrupt, or fit nowhere.
    """
    begun = _begin(model, start, imagenet)
    if base is None:
        return begun
    info, found = weights.describe(base), storage.load_any(base)
    if not (
        isinstance(model, ParsingNetwork)
        and isinstance(found, ParsingNetwork)
        and found.base.config == model.base.config
    ):
        raise WeightsError(f"{info.path} holds no base parser for this network: name a model of the same label maps.")
    model.base.load_state_dict(found.base.state_dict())
    return Start(f"{begun.words}; base of {info.name} {info.sha256[:12]}", begun.continued)


def _begin(model: nn.Module, start: str | None, imagenet: Path | None) -> Start:
    if imagenet is not None:
        for module in model.modules():
            if isinstance(module, Encoder):
                load_imagenet(module, imagenet)
        return Start(f"ImageNet, {imagenet.name}")
    if start is None:
        return Start("scratch")
    info = weights.describe(start)
    found = storage.load_any(start)
    words = f"{info.name} {info.sha256[:12]}"
    if type(found) is type(model) and _same_but_told(found.config, model.config):
        fill(model, found, whole=True)
        return Start(words, continued=True)
    if isinstance(model, ParsingNetwork) and isinstance(found, SPN):
        fill(model.spn, found)
    elif type(found) is type(model):
        fill(model, found)
    encoder = next(module for module in found.modules() if isinstance(module, Encoder))
    for module in model.modules():
        if isinstance(module, Encoder) and not (
            isinstance(model, ParsingNetwork) and isinstance(found, ParsingNetwork)
        ):
            fill(module, encoder)
    return Start(words)


def _same_but_told(found: Any, wanted: Any) -> bool:
    """Tell whether a network is the one wanted, or the same before it was told how far off a mask's edge may be."""
    return found == wanted or (
        isinstance(found, Config) and not found.knows_off and replace(found, knows_off=1) == wanted
    )


@torch.no_grad()
def fill(model: nn.Module, other: nn.Module, *, whole: bool = False) -> None:
    """Copy the tensors of ``other`` whose names and shapes fit.

    Of inputs that differ in number, the first three (RGB); of a ``whole`` network, all that ``other`` has. The others
    begin at zero, so that they change nothing yet.
    """
    known = other.state_dict()
    fitting = 0
    for name, tensor in model.state_dict().items():
        value = known.get(name)
        if value is None:
            continue
        if value.shape == tensor.shape:
            tensor.copy_(_finite(value))
            fitting += 1
        elif value.ndim == 4 and name.endswith(("stem.0.weight", "detail_full.0.weight")):
            inputs = value.shape[1] if whole else RGB
            tensor.zero_()
            tensor[:, :inputs] = value[:, :inputs]
            fitting += 1
    if not fitting:
        raise WeightsError(f"Nothing in weights of {type(other).__name__} fits {type(model).__name__}: name others.")


def _finite(value: Tensor) -> Tensor:
    """Bring an infinite variance back to the largest number of weights files: its channel is as good as silent."""
    return value.clamp(max=torch.finfo(torch.float16).max) if value.is_floating_point() else value


def terms_of(stated: str | None, *began_as: str | None) -> str | None:
    """Put the terms that were stated before those of the weights that a network began as, which hold on."""
    infos = [weights.describe(given) for given in began_as if given is not None]
    theirs = [f"of {info.name}: {info.provenance['terms']}" for info in infos if info.provenance.get("terms")]
    return "; ".join([*([stated] if stated else []), *dict.fromkeys(theirs)]) or None
