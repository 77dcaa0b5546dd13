"""What ``spnrefine train`` is told where it trains on the few pairs of an owner."""

from collections.abc import Iterator
from pathlib import Path

from spnrefine.adapt.examples import holds_ids

SETTINGS = {
    "encoder_rate": "0",  # what sees the photograph stays: a step takes half as long
    "learning_rate_continued": "5e-4",
    "batches": "((32,128),(32,256))",
    "held_aside": "0",  # which pairs are, is known already
}


def command(learnt: Path, model: str, minutes: float, out: Path, device: str, jobs: int) -> list[str]:
    """Return the command's arguments; ``learnt`` is a folder with ``images`` and ``masks``."""
    return [str(each) for each in _command(learnt, model, minutes, out, device, jobs)]


def _command(learnt: Path, model: str, minutes: float, out: Path, device: str, jobs: int) -> Iterator[object]:
    images, masks = learnt / "images", learnt / "masks"
    yield from ("--images", images, "--masks", masks, "--from", model, "--minutes", minutes)
    yield from ("--out", out, "--device", device, "--threads", jobs)
    if any(each.is_file() and holds_ids(each) for each in masks.rglob("*")):
        yield "--labels"
    for name, value in SETTINGS.items():
        yield from ("--set", f"{name}={value}")
