"""Stacks of planes through the Python interface, beside what the command makes of the same files."""

import numpy as np
import pytest
from PIL import Image

from spnrefine import ShapeError, refine
from tests.model.make_check import draw


@pytest.fixture(scope="module")
def scene():
    """A drawn photograph and two planes that sum to 1, floats, background first."""
    image, coarse = draw(60, 80, seed=3)
    p = (coarse / 255).astype(np.float32)
    return image, np.stack([1 - p, p])


@pytest.mark.parametrize("kind", ["classes", "masks", "bits"])
@pytest.mark.parametrize("soft", [False, True])
def test_planes_are_what_the_command_makes_of_them(run, scene, tmp_path, kind, soft):
    image, planes = scene
    if kind == "masks":
        planes = np.stack([planes[1], np.roll(planes[1], 9, axis=1)])
    if kind == "bits":
        planes = planes > 0.5
        planes[0] |= planes[1]
    Image.fromarray(image).save(tmp_path / "photo.png")
    np.save(tmp_path / "planes.npy", planes)
    named = tmp_path / "photo.png", "--mask", tmp_path / "planes.npy", "-o", tmp_path / "out.npy"
    done = run(*named, *(["--soft"] if soft else []))
    assert done.exit_code == 0, done.stderr
    ours, theirs = refine(image, planes, soft=soft, device="cpu"), np.load(tmp_path / "out.npy")
    assert ours.shape == planes.shape
    assert ours.dtype == (np.float32 if soft else planes.dtype)
    if theirs.dtype == np.uint8:  # as the command writes probabilities of masks that were hard
        theirs = theirs / 255
    np.testing.assert_allclose(ours, theirs, atol=0.5 / 255 + 1e-6)


def test_classes_exclude_each_other(scene):
    image, planes = scene
    np.testing.assert_array_equal(refine(image, planes, device="cpu").sum(axis=0), 1)
    eight = np.round(255 * planes).astype(np.uint8)
    assert set(np.unique(refine(image, eight, device="cpu"))) == {0, 255}


@pytest.mark.parametrize("shape", [(0, 60, 80), (2, 60, 79), (60, 80, 2)])
def test_other_shapes_are_named(scene, shape):
    with pytest.raises(ShapeError, match=r"expected \(H, W\), or planes \(K, H, W\)"):
        refine(scene[0], np.zeros(shape, bool), device="cpu")
