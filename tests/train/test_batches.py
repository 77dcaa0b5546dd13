"""Batches: shapes and ranges, the mistakes asked for, and the same again for the same seed."""

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.train.data.pairs import SMALL_SHARE, find_tree, is_held_aside, with_coarse
from spnrefine.train.data.store import Store, build_store
from spnrefine.train.lessons.batches import Batches
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.mix import KINDS, Kinds
from spnrefine.train.mistakes.photometric import photometric
from spnrefine.train.mistakes.regions import blob, iou
from spnrefine.train.mistakes.resolution import round_trip
from spnrefine.train.recipe import Recipe
from tests.train.sets import draw_pair, write_pair

NO_MISTAKES = dict.fromkeys(
    (
        "polygon_chance", "warp_chance", "offset_chance", "grow_chance", "soft_chance", "lowres_chance", "blob_chance",
        "similar_chance", "donor_chance", "saliency_chance", "weak_chance", "again_chance", "guess_chance",
        "single_chance", "brush_chance", "shift_chance", "chord_chance", "seeds_chance",
    ),
    0.0,
)  # fmt: skip

CERTAIN = {"exact_chance": 0.0, "exact_soft_chance": 0.0, "stroke_chance": 0.0, "target_chance": 0.0}
NOT_ALONE = {"again_chance", "guess_chance", "weak_chance", "single_chance"}


def half(image: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    return torch.full_like(coarse, 0.25)


def test_shapes_and_ranges(store: Store, recipe: Recipe):
    batch = Batches(store, recipe, seed=3).draw(24, 64, half)
    assert batch.image.shape == (24, 3, 64, 64)
    for each in (batch.coarse, batch.truth, batch.valid):
        assert each.shape == (24, 1, 64, 64)
    assert batch.off.shape == (24, 1, 1, 1)
    assert batch.sure.shape == (24,)
    assert -1 < batch.off.min() < 0 < batch.off.max() <= 1.5
    for each in astuple(replace(batch, off=batch.sure)):
        assert each.dtype == torch.float32
        assert 0 <= each.min() <= each.max() <= 1
    assert set(batch.truth.unique().tolist()) <= {0.0, 1.0}
    assert 0.4 < iou(batch.coarse, batch.truth).mean() < 0.98


def test_the_seed_decides_everything(store: Store, recipe: Recipe):
    first, same, other = (Batches(store, recipe, seed).draw(8, 64, half) for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(astuple(first), astuple(same), strict=True))
    assert not torch.equal(first.coarse, other.coarse)


def test_without_mistakes_the_coarse_mask_is_the_truth(store: Store, recipe: Recipe):
    batch = Batches(store, replace(recipe, exact_soft_chance=0.0, **NO_MISTAKES), seed=0).draw(12, 64)
    assert (iou(batch.coarse, batch.truth) == 1).all()


@pytest.mark.parametrize("mistake", sorted(set(NO_MISTAKES) - NOT_ALONE))
def test_each_mistake_alone_changes_the_mask(store: Store, recipe: Recipe, mistake: str):
    alone = replace(recipe, least_iou=0.0, **CERTAIN, **NO_MISTAKES | {mistake: 1.0})
    clean = replace(recipe, least_iou=0.0, **CERTAIN, **NO_MISTAKES)
    got, plain = (Batches(store, each, seed=1).draw(24, 64) for each in (alone, clean))
    assert torch.equal(got.truth, plain.truth)
    assert ((got.coarse - plain.coarse).abs().mean((1, 2, 3)) > 1e-4).float().mean() > 0.5


def test_own_output_becomes_the_input(store: Store, recipe: Recipe):
    fed = replace(recipe, exact_chance=0.0, **NO_MISTAKES | {"again_chance": 0.5, "guess_chance": 0.5})
    seen: list[torch.Tensor] = []

    def refine(image: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        seen.append(coarse)
        return torch.full_like(coarse, 0.25)

    batch = Batches(store, fed, seed=0).draw(16, 64, refine)
    assert set(batch.coarse.unique().tolist()) <= {0.0, 0.25}
    assert len(seen[0]) == 16
    soft = ((seen[0] > 0.05) & (seen[0] < 0.95)).float().mean((1, 2, 3)) > 0.05
    assert 2 <= int(soft.sum()) <= 14  # the hardly legible ones


def test_a_blob_takes_away_inside_and_adds_outside():
    draws = Draws(torch.Generator().manual_seed(0), 40, 64)
    truth = torch.zeros(40, 1, 64, 64)
    truth[20:] = 1
    made = blob(truth, truth, None, torch.ones(40, 1, 1, 1), draws, Recipe())
    assert (made[:20] >= truth[:20]).all()
    assert (made[20:] <= truth[20:]).all()
    assert ((made - truth).abs().sum((1, 2, 3)) > 10).float().mean() > 0.9


def test_round_trips_keep_the_mean():
    mask = (torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert torch.allclose(round_trip(mask, 12).mean((2, 3)), mask.mean((2, 3)), atol=0.02)


def test_light_stays_in_range_and_can_be_off():
    image = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(1e-3, 1)
    draws = Draws(torch.Generator().manual_seed(0), 6, 32)
    off = replace(
        Recipe(), photometric_chance=0.0, noise_chance=0.0, blur_chance=0.0, gray_chance=0.0, false_colour_chance=0.0,
        inverted_chance=0.0, flat_chance=0.0, sharp_chance=0.0,
    )  # fmt: skip
    assert torch.allclose(photometric(image, draws, off), image, atol=1e-5)
    changed = photometric(image, draws, replace(Recipe(), photometric_chance=1.0))
    assert 0 <= changed.min() <= changed.max() <= 1
    assert ((changed - image).abs().mean((1, 2, 3)) > 0.01).all()


def test_sets_are_balanced(store: Store):
    aside = [index for index in range(12) if is_held_aside(f"disc{index}", SMALL_SHARE)]
    by_set = np.bincount(store.sets, store.weights(0.0))
    assert np.allclose(by_set, 0.5)
    assert store.photographs.tolist() == [12 - len(aside), 3]
    assert np.allclose(np.bincount(store.sets, store.weights(1.0)), store.photographs / store.photographs.sum())
    drawn = store.drawn(4000, 0.5, np.random.default_rng(0))
    expected = store.photographs**0.5 / (store.photographs**0.5).sum()
    assert np.allclose(np.bincount(store.sets[drawn]) / 4000, expected, atol=0.03)


def test_one_kind_of_mistake_alone(store: Store, recipe: Recipe):
    """What is chosen for a patch happens whatever its chance beside others, and nothing else does."""
    draws = Draws(torch.Generator().manual_seed(0), 300, 8)
    kinds = Kinds.draw(300, 1.0, np.random.default_rng(0), torch.device("cpu"))
    each = {kind: kinds.chance(kind, 0.01, draws).flatten() for kind in KINDS}
    assert (sum(each.values()) == 1).all()
    assert all(happens.sum() > 20 for happens in each.values())
    for kind in KINDS:
        assert torch.equal(kinds.allows(kind).flatten(), each[kind])
        assert not kinds.chance(kind, 0.0, draws).any()


def test_masks_of_networks_take_the_place_of_made_ones(tmp_path: Path, recipe: Recipe):
    """One that covers all but a stripe of the object is seen as such; one elsewhere is too bad to be taken."""
    rng = np.random.default_rng(1)
    for stem in ("good", "bad"):
        image, mask = draw_pair(rng)
        write_pair(tmp_path / "set", stem, image, mask)
        coarse = np.zeros(mask.shape, np.uint8)
        if stem == "good":
            coarse[mask] = 204
            coarse[: np.nonzero(mask.any(1))[0][0] + 12] = 0
        else:
            coarse[:6, :6] = 255
        (tmp_path / "net" / "set").mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).save(tmp_path / "net" / "set" / f"{stem}.png")
    split = with_coarse(find_tree(tmp_path, held_aside=0.0), [tmp_path / "net"], tree=True)
    given = build_store(
        split.train, recipe, device=torch.device("cpu"), seed=0, threads=1, skipped=lambda pair, why: pytest.fail(why)
    )
    assert given.any_given
    assert given.given.tolist() == [1, 1]
    alone = replace(recipe, exact_chance=0.0, frame_chance=1.0, given_hard_chance=0.0, given_chance=1.0, **NO_MISTAKES)
    batches = Batches(given, alone, seed=0)
    batch = batches.draw(40, 64)
    taken = iou(batch.coarse, batch.truth).flatten() < 0.99
    assert 10 <= int(taken.sum()) <= 30
    seen = batch.coarse[taken]
    assert (seen[seen > 0.1].median() - 0.8).abs() < 0.01
    assert not ((seen > 0.1) & (batch.truth[taken] == 0)).float().mean() > 0.02


def test_masks_of_networks_that_fit_nothing_are_refused(tree: Path, tmp_path: Path):
    split = find_tree(tree, held_aside=0.0)
    with pytest.raises(FileError, match="no folder"):
        with_coarse(split, [tmp_path / "nowhere"], tree=True)
    with pytest.raises(FileError, match="no mask of any photograph"):
        with_coarse(split, [tmp_path], tree=True)
