"""What a refinement on a CUDA device must be; skipped without one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.ops import available_backends
from spnrefine.refiner import Refiner, to_probability
from tests.documents import ROOT

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif("cuda" not in available_backends(), reason="no CUDA device, or not the extra cuda"),
]


def example(name: str) -> tuple[np.ndarray, np.ndarray]:
    folder: Path = ROOT / "examples"
    image = np.array(Image.open(folder / f"{name}.jpg").convert("RGB"))
    return image, to_probability(np.array(Image.open(folder / f"{name}_mask.png").convert("L")) > 127)


@pytest.fixture(scope="module")
def refiners() -> tuple[Refiner, Refiner]:
    return Refiner("general", "cpu"), Refiner("general", "cuda")


@pytest.mark.parametrize("name", ["astronaut", "cat", "coffee", "rocket"])
def test_masks_are_those_of_the_cpu_but_for_rounding(refiners: tuple[Refiner, Refiner], name: str):
    image, coarse = example(name)
    on_cpu, on_gpu = refiners
    expected = on_cpu(image, coarse) > 0.5
    for _ in range(3):  # launched one by one, captured, replayed
        differ = np.count_nonzero((on_gpu(image, coarse) > 0.5) != expected)
        assert differ <= expected.size / 10_000


def test_a_replay_is_the_same_to_the_bit(refiners: tuple[Refiner, Refiner]):
    image, coarse = example("astronaut")
    _, on_gpu = refiners
    first, *others = [on_gpu(image, coarse) for _ in range(4)]
    network = on_gpu.sights[None].network
    assert network._replayed._graphs  # type: ignore[attr-defined]  # none has failed
    assert all(np.array_equal(others[0], other) for other in others[1:])
    assert np.abs(first - others[0]).max() < 0.01
