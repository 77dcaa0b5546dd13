"""What makes masks where none are given: the backbone, or a model of label maps, as the options say."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spnrefine.files.inputs import Inputs
    from spnrefine.job.makers import FromBackbone, FromParser

BACKBONE = "object"


def makes_labels(model: str) -> bool:
    """Tell whether a model makes label maps, rather than refine masks."""
    from spnrefine.model import weights

    return weights.describe(model).architecture == weights.PARSER


def load_maker(
    model: str,
    backbone: str | None,
    only: str | None,
    threshold: float,
    device: str,
    threads: int | None = None,
    *,
    best: bool,
) -> "FromBackbone | FromParser":
    """Load what the options name: a model of label maps, else a backbone."""
    from spnrefine.job.makers import FromBackbone, FromParser
    from spnrefine.refiner import Backbone, Parser

    if makes_labels(model):
        return FromParser(Parser(model, device, threads, best=best), only, threshold)
    return FromBackbone(Backbone(backbone or BACKBONE, device, threads))


def checksums(model: str, backbone: str | None, only: str | None) -> str:
    """Say in words what made masks depend on besides the photograph: the checksums of all weights, and the class."""
    from spnrefine.model import weights

    names = [model] if makes_labels(model) else [model, backbone or BACKBONE]
    return " ".join([*(weights.describe(name).identity for name in names), *([only] if only else [])])


def weights_files(model: str, backbone: str | None) -> list[Path]:
    """Return the files of the weights that may be read."""
    from spnrefine.model import weights

    return [weights.find(name) for name in (model, backbone) if name]


def check_usage(model: str, backbone: str | None, only: str | None, *, has_masks: bool) -> None:
    """Refuse options that contradict each other."""
    labels = makes_labels(model)
    if only is not None and not labels:
        raise click.UsageError(f"{model} is no model of label maps: --class goes with one, such as --model face.")
    if labels and (has_masks or backbone is not None):
        option = "--backbone" if backbone is not None else "a mask"
        raise click.UsageError(f"{model} makes label maps from photographs alone: leave out {option}.")
    if has_masks and backbone is not None:
        raise click.UsageError("--backbone was given beside masks: give one or the other.")


def write_labelmap(folder: Path, model: str, inputs: "Inputs", *, overwrite: bool) -> None:
    """Write the names and colours of a model's classes beside its label maps, as ``labelmap.txt``."""
    from spnrefine.errors import FileError
    from spnrefine.files import atomic, labelmaps
    from spnrefine.model import weights

    path = folder / labelmaps.NAME
    text = labelmaps.labelmap_text(weights.describe(model).classes).encode()
    if path.is_file() and path.read_bytes() == text:
        return
    if path.exists() and not overwrite:
        raise FileError(f"{path} names other classes: give -o another folder, or --overwrite to replace it.")
    atomic.write_bytes(path, text, overwrite=overwrite, inputs=inputs)
