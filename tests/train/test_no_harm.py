"""A training does no harm to time, memory or the outputs of another."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spnrefine.errors import SpnRefineError
from spnrefine.files.reserved import locked
from spnrefine.train.command import _validation_seconds
from spnrefine.train.data.decode import decode
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.store import Store
from spnrefine.train.measure import validation
from spnrefine.train.measure.validation import OfRefiner, Score, Validation
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings
from tests.train.sets import draw_pair


def test_a_second_run_into_one_output_is_refused(tmp_path: Path):
    out = tmp_path / "o.safetensors"
    with locked(out):
        with pytest.raises(SpnRefineError, match=r"o.safetensors is being written by another run"), locked(out):
            pytest.fail("two runs")
        with locked(tmp_path / "other.safetensors"):
            pass
    with locked(out):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_command_holds_the_lock(run, tree: Path, tmp_path: Path):
    out = tmp_path / "o.safetensors"
    with locked(out):
        second = run("train", "--data", tree, "--out", out, "--steps", 1, "--device", "cpu")
    assert second.exit_code == 1
    assert f"{out} is being written by another run (process {os.getpid()} on" in second.stderr
    assert not out.exists()


def test_validation_takes_the_time_it_is_given(store: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    measure = OfRefiner(Validation(store, with_settings(recipe, ["validation_patches=16"])), knows_off=False)
    patches, kinds = len(measure.validation.sets), len(measure.validation.coarse)
    now = [0.0]
    monkeypatch.setattr(validation.time, "perf_counter", lambda: now[0])

    def infer(image: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        now[0] += 0.5 * len(image)
        return coarse

    assert measure.fit(60 * patches, infer) is None
    assert len(measure.validation.sets) == patches
    assert measure.fit(0.5 * kinds * patches / 4, infer) == f"{patches // 4} of {patches} patches"
    began = now[0]
    assert set(measure(infer).by_set) == {"discs", "ids"}
    assert now[0] - began == 0.5 * kinds * patches / 4
    measure.fit(0, infer)
    assert len(measure.validation.sets) == 2, "one of each set stays"


def test_so_does_drawing_what_it_is_on(store: Store, recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    recipe = with_settings(recipe, ["validation_patches=16"])
    full = Validation(store, recipe)
    now, drawn = [0.0], validation._drawn

    def slow(store: Store, recipe: Recipe, records: np.ndarray, *random: Any) -> Any:
        now[0] += 0.5 * len(records)
        return drawn(store, recipe, records, *random)

    monkeypatch.setattr(validation.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(validation, "_drawn", slow)
    some = Validation(store, recipe, 4.0)
    assert len(some.sets) == full.full / 2
    assert now[0] == 1 + 4
    same = Validation(store, recipe, 60.0)
    assert torch.equal(same.image, full.image)
    assert all(torch.equal(same.coarse[name], full.coarse[name]) for name in full.coarse)


def test_all_validations_together_take_a_tenth_of_the_minutes():
    recipe = Recipe()
    assert _validation_seconds(1, recipe) == pytest.approx(3)  # before the first step and after the last
    assert _validation_seconds(60, recipe) * (2 + 4) == pytest.approx(360)


def test_exact_coarse_masks_have_no_share_of_error_removed():
    assert str(Score(0.0, 0.25, 1.0)) == "- (exact, lose 0.2500)"
    assert Score(0.0, 0.25, 1.0).removed is None
    assert Score(0.2, 0.1, 0.0).removed == pytest.approx(0.5)


def test_large_photographs_are_kept_at_a_bounded_size(tmp_path: Path):
    image, mask = draw_pair(np.random.default_rng(0), 120, 160)
    truth = np.where(mask, 255, 0).astype(np.uint8)
    truth[:10] = 128
    for name, pixels in (("image", image), ("mask", truth)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    pair = Pair(tmp_path / "image.png", tmp_path / "mask.png", "set", labels=False)
    whole = decode(pair, Recipe(parts_chance=0), (0, 0))
    small = decode(pair, Recipe(parts_chance=0, longest_side=80), (0, 0))
    assert whole.texels.shape == (120, 160, 4)
    assert small.texels.shape == (60, 80, 4)
    assert small.maps[0].shape == (60, 80)
    assert np.array_equal(small.masks[0], whole.masks[0][::2, ::2])
    assert small.texels[:5, :, 3].all()
    assert not small.texels[5:, :, 3].any()


GROWTH = """
import sys
from pathlib import Path
from spnrefine.cli import main
from spnrefine.train.steps.trainer import Trainer

advance, seen = Trainer.advance, []

def watched(self, budget):
    advance(self, budget)
    seen.append(int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]))

Trainer.advance = watched
try:
    main(sys.argv[1:])
finally:
    print(len(seen), seen[len(seen) // 3], seen[-1])
"""


@pytest.mark.slow  # takes sixty steps
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads how much memory a process takes from Linux")
def test_memory_does_not_grow_from_step_to_step(tree, tmp_path):
    settings = ("cpu_scale=64", "validation_patches=4", "validation_side=64")
    options = [part for setting in settings for part in ("--set", setting)]
    command = ["train", "--data", tree, "--steps", "60", "--out", tmp_path / "w.safetensors", *options]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, *map(str, command)], capture_output=True, text=True, check=False
    )
    steps, sooner, later = map(int, done.stdout.splitlines()[-1].split())
    assert steps == 60, done.stderr
    assert later - sooner < 30_000, f"{sooner} kB became {later} kB"
