"""What is paired: a photograph and its mask, by which rules, and what was left out."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spnrefine.batch.patterns import Pattern
from spnrefine.files.labelmaps import find_labelmap


@dataclass(frozen=True)
class Pair:
    """A photograph, its coarse mask, and the folder and name of its refined mask; or why they cannot be worked on.

    ``problem`` is a failure; ``without`` says which mask there is not, where the photograph is passed over. ``choice``
    is what somebody asked for by the pair's name: that it be refined again, or that its coarse mask be kept.
    """

    photograph: Path
    mask: Path | None
    folder: Path
    problem: str | None = None
    without: str | None = None
    called: str = ""
    choice: Literal["refine", "keep"] | None = None

    @property
    def stem(self) -> str:
        """The name of the refined mask, without its extension."""
        return self.called or self.photograph.stem

    @property
    def inputs(self) -> list[Path]:
        """The files that nothing may overwrite."""
        return [path for path in (self.photograph, self.mask) if path]


def all_inputs(pairs: Sequence[Pair]) -> list[Path]:
    """List all files that are read for some pairs: photographs, masks, and what says what the colours of these mean."""
    masks = [pair.mask for pair in pairs if pair.mask]
    labelmaps = {find_labelmap(mask) for mask in {mask.parent: mask for mask in masks}.values()}
    return [*(path for pair in pairs for path in pair.inputs), *(path for path in labelmaps if path)]


@dataclass(frozen=True)
class Rules:
    """How masks are found, and how refined ones are called.

    Attributes
    ----------
    masks : folder of the masks, a tree like that of the photographs; None for ``masks`` among the photographs where
        that is a folder, and else for masks beside them.
    pattern : the names of masks, in or from the folder in ``masks`` that the photograph has in its own tree, or, where
        ``masks`` is None, beside it; None for the photographs' stems, and ``STEM_mask`` beside them.
    name : what a refined mask is called, without its extension; None for its photograph's stem.
    strict : a photograph without a mask is a failure.
    """

    masks: Path | None = None
    pattern: Pattern | None = None
    name: Pattern | None = None
    strict: bool = False


@dataclass(frozen=True)
class Found:
    """The pairs of a batch in the order of their paths, and in sentences what was left out and why."""

    pairs: list[Pair]
    left_out: list[str] = field(default_factory=list)


Listed = Sequence[tuple[Path, Path | None]]
"""Photographs of a list, each with its mask where the list names one."""


def full(path: Path) -> Path:
    """Make a path absolute, with no ``..`` in it that would lead a result out of the folder of outputs."""
    return Path(os.path.normpath(path.absolute()))  # links in it stay what they are


def below(path: Path, root: Path) -> Path:
    """Return where a file lies below a folder, as both are named."""
    return full(path).relative_to(full(root))
