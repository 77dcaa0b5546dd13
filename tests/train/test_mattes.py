"""The lesson of mattes: composites with an exact alpha, their coarse masks, and a run that writes weights."""

import numpy as np
import pytest
import torch

from spnrefine.model import weights
from spnrefine.model.matte_inputs import CHANNELS
from spnrefine.model.matte_on_cpu import MattingOnCPU
from spnrefine.train.data.composites import compose
from spnrefine.train.lessons.matting import Matting
from spnrefine.train.mistakes.mattes import HARD, SOFT, coarse_of
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings
from tests.train.sets import draw_pair

PLAIN = (
    "matte_zoom_chance=0", "matte_noise_chance=0", "matte_jpeg_chance=0", "matte_harmony_chance=0",
    "matte_shadow_chance=0", "matte_front_blur_chance=0", "matte_edges=(1.0,0.0,0.0,0.0)",
)  # fmt: skip


@pytest.fixture(scope="module")
def plain():
    return with_settings(Recipe(), PLAIN)


def composite(recipe, seed=0):
    rng = np.random.default_rng(seed)
    image, inside = draw_pair(rng)
    made = compose(rng, image, inside, np.full((50, 60, 3), 255, np.uint8), recipe)
    assert made is not None
    return made


def test_the_photograph_is_what_alpha_says(plain):
    made = composite(plain)
    assert made.image.shape == (72, 96, 3)
    assert 0 <= made.alpha.min() <= 0.001
    assert made.alpha.max() == pytest.approx(1, abs=0.01)
    assert (made.image[made.alpha == 0] == 255).all()
    bright = made.image.min(2) >= np.floor(255 * (1 - made.alpha))  # no less than what shows of the white behind
    assert bright.all()


def test_a_shadow_darkens_what_lies_behind(plain):
    recipe = with_settings(plain, ("matte_shadow_chance=1", "matte_shadow=(0.5,0.5)"))
    made = composite(recipe)
    assert made.shadow is not None
    assert 0 < made.shadow.max() <= 0.5
    alone = made.alpha < 0.001
    np.testing.assert_allclose(made.image[alone, 0], 255 * (1 - made.shadow[alone]), atol=1.5)
    np.testing.assert_allclose(made.whole, 1 - (1 - made.alpha) * (1 - made.shadow), atol=1e-6)


@pytest.mark.parametrize("kind", [*(f"hard {kind}" for kind in HARD), *(f"soft {kind}" for kind in SOFT)])
def test_coarse_masks_are_of_their_kind(plain, kind):
    made = composite(plain)
    coarse, truth, said = coarse_of(np.random.default_rng(1), made, plain, kind)
    assert said == kind
    np.testing.assert_array_equal(truth, made.alpha)
    assert coarse.dtype == np.float32
    off = float(np.abs(coarse - truth).sum())
    if kind.startswith("hard"):
        assert set(np.unique(coarse)) <= {0, 1}
    elif kind == "soft exact":
        assert off <= 0.5 / 255 * coarse.size
    assert off < 0.6 * truth.sum()


def test_what_is_drawn_follows_from_the_step(plain):
    class Cases:
        seed = 3

        def case(self, number):
            rng = np.random.default_rng(number)
            inputs = rng.random((CHANNELS, 40, 50), np.float32)
            return type("Case", (), {"inputs": inputs, "truth": rng.random((40, 50), np.float32)})

    recipe = with_settings(plain, ("matte_patch=32", "matte_batch=3", "matte_first=2", "matte_every=1", "matte_pool=4"))
    whole = Matting(Cases(), recipe, torch.device("cpu"))
    drawn = [whole.draw(step, torch.zeros) for step in range(8)]
    assert drawn[0].shape == (3, CHANNELS + 1, 32, 32)
    later = Matting(Cases(), recipe, torch.device("cpu"))
    torch.testing.assert_close(later.draw(7, torch.zeros), drawn[7])


def test_a_run_writes_weights_that_work(run, tree, tmp_path):
    out = tmp_path / "matte.safetensors"
    small = ("matte_patch=32", "matte_batch=2", "matte_first=2", "matte_validation=2", "matte_zoom_chance=0")
    settings = [word for setting in small for word in ("--set", setting)]
    result = run("train", "--task", "matte", "--data", tree, "--out", out, "--steps", 2, "--device", "cpu", *settings)
    assert result.exit_code == 0, result.stderr
    assert "matte" in result.stderr
    info = weights.describe(out)
    assert (info.architecture, info.task) == (weights.MATTE, "matte")
    alpha = MattingOnCPU(str(out))(np.full((CHANNELS, 32, 48), 0.5, np.float32))
    assert alpha.shape == (32, 48)
