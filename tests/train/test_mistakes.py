"""Each kind of mistake and of scene, by its values; and what the network is told of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from spnrefine.model.off import coded
from spnrefine.train.data.store import Store
from spnrefine.train.data.views import draw_views
from spnrefine.train.lessons.batches import Batches
from spnrefine.train.lessons.losses import edge_loss
from spnrefine.train.measure.kinds import CLEAN, KINDS, MAKERS
from spnrefine.train.mistakes.cutouts import cut_out
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.edges import edge_mistakes, iou_of, share_towards
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.photometric import coloured, smoothed
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.mistakes.resolution import lowered
from spnrefine.train.mistakes.scene import Scene, make_scene
from spnrefine.train.mistakes.shapes import chord, grown_from_seeds
from spnrefine.train.mistakes.strokes import strokes
from spnrefine.train.mistakes.told import distance_off, told
from spnrefine.train.recipe import Recipe


def draws(count: int, side: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), count, side)


def disc(side: int = 64, radius: float = 20.0, count: int = 1) -> Tensor:
    """Return the distance map (count, 1, side, side) of a disc in the middle."""
    axis = torch.arange(side) + 0.5 - side / 2
    return (radius - (axis[:, None] ** 2 + axis**2).sqrt()).expand(count, 1, -1, -1)


def column(*values: float) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


def scene_of(store: Store, recipe: Recipe, count: int = 16, side: int = 96) -> Scene:
    views = draw_views(store, count, side, recipe, np.random.default_rng(0), plain=True)
    return make_scene(store, views, draws(count, side), recipe, cells=3)


def test_masks_are_as_wrong_as_asked_for():
    truth = disc(count=3)
    share = share_towards(truth, truth - 4, column(0.9, 0.7, 0.5), torch.ones_like(truth), 8.0)
    reached = iou_of(torch.lerp(truth, truth - 4, share), truth, torch.ones_like(truth)).flatten()
    assert torch.allclose(reached, torch.tensor([0.9, 0.7, 0.5]), atol=0.04)
    little = share_towards(truth, truth - 0.1, column(0.2, 0.2, 0.2), torch.ones_like(truth), 8.0)
    assert (little > 7.7).all()


def test_errors_spread_evenly(store: Store, recipe: Recipe):
    asked = replace(CLEAN, warp_chance=1, offset_chance=1, target_chance=1, target_span=(0.6, 0.98))
    scene = scene_of(store, replace(recipe, cut_chance=0, stroke_chance=0), 120)
    every = Kinds(np.full(120, -1), torch.device("cpu"))
    coarse = edge_mistakes(scene, draws(120, 96), every, asked, np.random.default_rng(0))
    found = iou(coarse, scene.truth, scene.valid).flatten()
    share = [((found >= low) & (found < low + 0.1)).float().mean() for low in (0.6, 0.7, 0.8, 0.9)]
    assert all(0.1 < each < 0.45 for each in share), share


def test_a_straight_line_takes_the_place_of_a_stretch_of_contour(store: Store, recipe: Recipe):
    scene = scene_of(store, replace(recipe, cut_chance=0, stroke_chance=0))
    cut = chord(scene.distance, scene, draws(16, 96), replace(recipe, chord_span=(0.2, 0.2)))
    truth, left = scene.truth, (cut > 0).float()
    assert (left <= truth).all()
    assert 0.02 < (truth - left).sum() / truth.sum() < 0.3
    assert ((truth - left).sum((1, 2, 3)) > 0).all()


def test_regions_grow_from_seeds_to_about_the_size_of_the_object(store: Store, recipe: Recipe):
    scene = scene_of(store, replace(recipe, cut_chance=0, stroke_chance=0))
    grown = grown_from_seeds(scene, draws(16, 96), replace(recipe, seeds_area=(1.0, 1.0)))
    area, truth = (grown > 0).float().mean((1, 2, 3)), scene.truth.mean((1, 2, 3))
    assert torch.allclose(area, truth, rtol=0.25, atol=0.02)
    assert (iou((grown > 0).float(), scene.truth) > 0.2).float().mean() > 0.8


def test_lowered_masks_are_means_of_cells():
    mask = (torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    no, yes = torch.zeros(2, 2, 1, 1), torch.ones(2, 1, 1, 1)
    squares = lowered(mask, column(4.0, 12.0), no, yes)
    expected = torch.nn.functional.avg_pool2d(mask, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert torch.allclose(squares[0], expected[0], atol=1e-4)
    assert torch.allclose(squares[1, 0, :12, :12], mask[1, 0, :12, :12].mean(), atol=1e-4)
    smooth = lowered(mask, column(4.0, 4.0), no, 0 * yes)
    small = torch.nn.functional.avg_pool2d(mask, 4)
    back = torch.nn.functional.interpolate(small, (48, 48), mode="bilinear", align_corners=False)
    assert torch.allclose(smooth, back, atol=1e-4)


@pytest.mark.parametrize("cell", [2.0, 5.3, 31.0])
def test_lowered_masks_of_one_value_keep_it_wherever_the_cells_begin(cell: float):
    phase = torch.rand(20, 2, 1, 1, generator=torch.Generator().manual_seed(0))
    back = lowered(torch.ones(20, 1, 40, 40), torch.full((20, 1, 1, 1), cell), phase, torch.zeros(20, 1, 1, 1))
    assert torch.allclose(back, torch.ones_like(back), atol=2e-3)


def test_a_cut_out_has_the_object_in_front_of_another_photograph(recipe: Recipe):
    image, others = torch.full((4, 3, 64, 64), 0.8), torch.full((4, 3, 64, 64), 0.2)
    made = cut_out(image, disc(count=4), others, draws(4, 64), replace(recipe, cut_mirrored=0.0, cut_harmony=0.0))
    assert torch.allclose(made[:, :, disc()[0, 0] > 2], torch.tensor(0.8))
    assert torch.allclose(made[:, :, disc()[0, 0] < -2], torch.tensor(0.2))


def test_both_sides_of_a_cut_out_are_as_sharp(recipe: Recipe):
    generator = torch.Generator().manual_seed(0)
    sharp = torch.rand(4, 3, 64, 64, generator=generator)
    dull = smoothed(smoothed(torch.rand(4, 3, 64, 64, generator=generator)))
    alike = replace(recipe, cut_mirrored=0.0, cut_harmony=0.0, cut_slack=1.0)
    for front, behind in ((sharp, dull), (dull, sharp)):
        made = cut_out(front, disc(count=4), behind, draws(4, 64), alike)
        fine = (made - smoothed(made)).abs().mean(1)
        within, without = fine[:, disc()[0, 0] > 3].mean(), fine[:, disc()[0, 0] < -3].mean()
        assert 1 / 3 < within / without < 3  # they were 1 to 15


def test_strokes_are_as_wide_as_said_and_to_be_seen(recipe: Recipe):
    image = torch.full((12, 3, 128, 128), 0.5)
    made, depth, width = strokes(image, draws(12, 128), replace(recipe, stroke_span=(2.0, 6.0)), 3)
    assert ((made - image).abs().amax(1, keepdim=True)[depth > 0.5] > 0.02).float().mean() > 0.95
    assert torch.allclose(made.where(depth < -0.6, image), image)
    across = depth.amax((2, 3), keepdim=True) * 2  # half the width, in the middle
    assert (across <= width + 1e-4).all()
    assert (across > 0.5 * width).float().mean() > 0.7


def test_scenes_hold_fixed_numbers_of_strokes_and_cut_outs(store: Store, recipe: Recipe):
    scene = scene_of(store, replace(recipe, stroke_chance=0.25, cut_chance=0.5))
    assert scene.drawn == 4
    assert scene.sure.tolist() == [1.0] * 12 + [0.0] * 4
    assert (scene.cut.flatten()[4:12] > 0).all()
    assert not scene.cut.flatten()[[0, 1, 2, 3, 12, 13, 14, 15]].any()
    plain = torch.zeros(16, dtype=torch.long)
    same = scene.looked_up(torch.zeros(16, 2, 1, 1), plain)
    assert torch.allclose(same, scene.distance, atol=0.01)


def test_images_become_gray_or_inverted_or_of_other_colours():
    image = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    gray = coloured(image, draws(8, 16), replace(CLEAN, gray_chance=1))
    assert torch.allclose(gray[:, 0], gray[:, 2])
    assert torch.allclose(gray[:, 0], (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1), atol=1e-5)
    assert torch.allclose(coloured(image, draws(8, 16), replace(CLEAN, inverted_chance=1)), 1 - image, atol=1e-5)
    false = coloured(image, draws(8, 16), replace(CLEAN, false_colour_chance=1))
    assert 0 <= false.min() <= false.max() <= 1 + 1e-5
    assert (false - image).abs().mean() > 0.1
    assert torch.allclose(coloured(image, draws(8, 16), CLEAN), image)


def test_how_far_off_a_mask_is():
    truth = (disc(64, 20) > 0).float()
    for pixels in (1.0, 3.0, 6.0):
        off = distance_off((disc(64, 20 + pixels) > 0).float(), truth, torch.ones_like(truth)).item()
        assert off == pytest.approx(pixels, rel=0.25)
    assert distance_off(truth, truth, torch.ones_like(truth)).item() == 0
    assert distance_off(1 - truth, truth, torch.zeros_like(truth)).item() == 0


def test_the_network_is_told_half_of_the_time_and_never_that_a_wrong_mask_is_exact(recipe: Recipe):
    truth = (disc(64, 20, 400) > 0).float()
    valid = torch.ones_like(truth)
    exact = told(truth, truth, valid, draws(400, 64), recipe)
    assert torch.allclose(exact[exact != 0], torch.tensor(coded(0.0)))
    assert 0.4 < (exact == 0).float().mean() < 0.6
    wrong = told((disc(64, 22, 400) > 0).float(), truth, valid, draws(400, 64), recipe)
    assert wrong.min() > coded(0.0) + 0.1
    said = wrong[wrong != 0]
    assert said.mean().item() == pytest.approx(coded(2.0), abs=0.15)
    assert 2 <= len(said.unique()) <= 4


def test_codes_grow_with_the_distance():
    codes = [coded(pixels) for pixels in (0.0, 0.3, 1.0, 2.0, 8.0, 30.0, 900.0)]
    assert codes == sorted(codes)
    assert codes[0] == pytest.approx(-2.5 / 3)
    assert codes[-1] == pytest.approx(1.5)
    assert coded(None) == 0.0
    assert coded(0.05) == codes[0]


def test_the_loss_along_the_edge_counts_each_patch_by_its_contour():
    truth = torch.tensor([[[[0.0, 1.0]]], [[[0.0, 1.0]]]])
    logits = torch.zeros_like(truth)
    near = torch.tensor([[[[1.0, 0.0]]], [[[0.5, 0.5]]]])
    ones = torch.ones_like(truth)
    assert edge_loss(logits, truth, ones, near, torch.ones(2)).item() == pytest.approx(np.log(2))
    assert edge_loss(logits, truth, ones, near, torch.tensor([2.0, 0.0])).item() == pytest.approx(np.log(2))
    assert edge_loss(logits, truth, 0 * ones, near, torch.ones(2)).item() == 0


def test_exact_masks_are_told_exact(store: Store, recipe: Recipe):
    exact = replace(recipe, exact_chance=1.0, exact_soft_chance=0.5, told_chance=1.0)
    batch = Batches(store, exact, seed=0).draw(16, 64)
    assert (iou(batch.coarse, batch.truth, batch.valid) == 1).all()
    assert torch.allclose(batch.off, torch.tensor(coded(0.0)))
    assert ((batch.coarse > 0) & (batch.coarse < 1)).any()


@pytest.mark.parametrize("kind", list(KINDS))
def test_kinds_that_are_measured_are_wrong_but_the_exact_one(store: Store, recipe: Recipe, kind: str):
    scene = scene_of(store, replace(recipe, cut_chance=0, stroke_chance=0))
    coarse = MAKERS[kind](scene, draws(16, 96), np.random.default_rng(0))
    mean = iou(coarse, scene.truth, scene.valid).mean()
    assert mean == 1 if kind == "exact" else 0.5 < mean < 0.99
