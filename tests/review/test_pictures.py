"""Overlays and comparisons: what they colour, and what they leave as it was."""

import numpy as np
import pytest

from spnrefine.review import pictures


@pytest.fixture
def scene():
    image = np.full((120, 160, 3), 90, np.uint8)
    coarse = np.zeros((120, 160), bool)
    coarse[30:90, 40:120] = True
    return image, coarse, np.roll(coarse, 6, axis=1)


def test_an_outline_leaves_the_inside_as_it_was(scene):
    image, coarse, _ = scene
    drawn = pictures.overlay(image, coarse, style=pictures.OUTLINE)
    assert (drawn[40:80, 50:110] == image[40:80, 50:110]).all()
    red, green, blue = drawn[30, 60:100].T.astype(int)
    assert (green > 150).all()  # smoothed
    assert (green > blue + 30).all()
    assert (blue > red).all()
    assert (drawn[28, 60:100] < 90).all()  # the dark line beside it
    assert (drawn[:20] == image[:20]).all()


def test_a_tint_changes_the_inside(scene):
    image, coarse, _ = scene
    assert (pictures.overlay(image, coarse)[60, 60] != image[60, 60]).any()


def test_a_comparison_says_what_its_colours_mean(scene):
    drawn = pictures.compare(*scene)
    height = drawn.shape[0] - 120
    caption = drawn[:height].reshape(height, 4, 160, 3)
    for panel, colours in enumerate(((), (pictures.COARSE,), (pictures.REFINED,), (pictures.ADDED, pictures.REMOVED))):
        for colour in {pictures.COARSE, pictures.REFINED, pictures.ADDED, pictures.REMOVED}:
            assert (caption[:, panel] == colour).all(axis=-1).any() == (colour in colours)
