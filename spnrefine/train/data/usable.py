"""Which pairs can be read at all, told before hours are spent on the others."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files.classes import Classes
from spnrefine.train.data.looks import read_pair
from spnrefine.train.data.pairs import Pair, Split
from spnrefine.train.steps.display import say


def usable(split: Split, classes: Classes) -> Split:
    """Read every pair once, and keep those that can be trained on; the others are named with what is wrong.

    Raises
    ------
    FileError
        There is none to train on.
    """
    train, val = (list(_usable(pairs, classes)) for pairs in (split.train, split.val))
    if not train:
        raise FileError(
            f"None of the {len(split.train)} pairs can be trained on: expected readable photographs and masks of the "
            "same size."
        )
    return Split(train, val)


def _usable(pairs: Sequence[Pair], classes: Classes) -> Iterator[Pair]:
    def problem(pair: Pair) -> str | None:
        try:
            read_pair(pair, classes)
        except SpnRefineError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for pair, why in zip(pairs, pool.map(problem, pairs), strict=True):
            if why is None:
                yield pair
            else:
                say(f"left out {pair.image}: {why}")
