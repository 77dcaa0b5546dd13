"""Tiny synthetic sets on disc and in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from spnrefine.train.data.pairs import find_tree
from spnrefine.train.data.store import Store, build_store
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings
from tests.train.sets import SMALL, VOID, draw_pair, write_pair


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny steps gain nothing from a second thread, and on a busy machine wait for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets ``discs`` (twelve pairs, none held aside by name) and ``ids`` (label maps; train and val)."""
    root, rng = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for index in range(12):
        write_pair(root / "discs", f"disc{index}", *draw_pair(rng))
    for part, count in (("train", 3), ("val", 2)):
        for index in range(count):
            image, mask = draw_pair(rng)
            ids = mask.astype(np.uint8) * 3
            ids[:20, :30] = VOID
            write_pair(root / "ids" / part, f"ids{index}", image, ids, "labels")
    return root


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return with_settings(Recipe(), SMALL)


@pytest.fixture(scope="session")
def store(tree: Path, recipe: Recipe) -> Store:
    split = find_tree(tree, held_aside=recipe.held_aside, void={"ids": VOID})
    return build_store(split.train, recipe, device=torch.device("cpu"), seed=0, threads=2, skipped=_refuse)


def _refuse(pair: object, why: str) -> None:
    raise AssertionError(f"{pair}: {why}")
