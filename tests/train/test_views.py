"""What views show: the right pixels, the right distances, and where nothing counts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spnrefine.train.data.store import Store
from spnrefine.train.data.views import Views, distances, draw_views, look, positions
from spnrefine.train.recipe import Recipe


def whole(store: Store, record: int, side: int) -> Views:
    """Return a view of the photograph's upper left ``side`` by ``side`` pixels, one to one."""
    half = side / 2
    affine = torch.tensor([[[half, 0.0, half], [0.0, half, half]]])
    one = torch.ones(1, 1, 1, 1)
    return Views(torch.tensor([record]), affine, one, one * 30, np.array([True]), side)


def pixels(store: Store, record: int) -> tuple[np.ndarray, np.ndarray]:
    height, width = store.sizes[record]
    texels = store.texels[store.texel_start[record] :][: height * width]
    maps = store.maps[store.map_start[record] :][: height * width]
    return texels.view(torch.uint8).numpy().reshape(height, width, 4), maps.numpy().reshape(height, width)


def test_a_view_one_to_one_shows_the_pixels_themselves(store: Store):
    image, valid, distance = look(store, whole(store, 2, 64))
    texels, maps = pixels(store, 2)
    # twice the resolution and back is the mean of bilinear samples a quarter pixel off: nearly the pixel itself
    smooth = torch.from_numpy(texels[:64, :64, :3].astype(np.float32)).permute(2, 0, 1) / 255
    assert (image[0] - smooth).abs().mean() < 0.05
    assert torch.allclose(distance[0, 0], torch.from_numpy(maps[:64, :64].astype(np.float32)) / 4, atol=1e-3)
    assert valid.all()


def test_outside_and_void_do_not_count(store: Store):
    record = int(np.flatnonzero(store.sets == store.set_names.index("ids"))[0])
    _, valid, _ = look(store, whole(store, record, 128))
    inside = valid[0, 0].numpy() > 0
    assert not inside[72:].any()
    assert not inside[:, 96:].any()
    assert not inside[:20, :30].any()
    assert inside[21:72, 31:96].all()


def test_a_warped_lookup_is_the_map_moved(store: Store):
    view = whole(store, 0, 48)
    at = positions(view, 48)
    moved = distances(store, view, at + torch.tensor([3.0, 0.0]).view(1, 2, 1, 1))
    assert torch.allclose(moved[..., :-3], distances(store, view, at)[..., 3:], atol=1e-3)


def test_polygon_versions_lie_over_the_truth(store: Store):
    view = whole(store, 1, 64)
    at = positions(view, 64)
    truth = distances(store, view, at)
    for version in (1, 2, 3):
        polygon = distances(store, view, at, torch.tensor([version]))
        assert ((polygon > 0) != (truth > 0)).float().mean() < 0.05
        assert (polygon - truth).abs().max() < 5
        assert not torch.equal(polygon, truth)


def test_plain_views_hold_the_whole_object_as_inference_does(store: Store, recipe: Recipe):
    views = draw_views(store, 30, 64, recipe, np.random.default_rng(0), plain=True)
    boxes = store.boxes[views.records.numpy()]
    longer = (boxes[:, 2:] - boxes[:, :2]).max(1)
    expected = np.minimum(longer + 2 * (np.floor(0.25 * longer) + 8), store.sizes[views.records.numpy()].max(1))
    assert np.allclose(64 / views.scale.flatten().numpy(), expected)
    assert views.frame.all()


def test_frames_enlarge_no_more_than_inference_unless_the_photograph_ends(store: Store, recipe: Recipe):
    recipe = replace(recipe, frame_chance=1, frame_zoom=1.5)
    views = draw_views(store, 60, 96, recipe, np.random.default_rng(0))
    scale, longer = views.scale.flatten().numpy(), store.sizes[views.records.numpy()].max(1)
    assert (scale <= np.maximum(1.5, 96 / longer) + 1e-5).all()
    unlimited = draw_views(store, 60, 96, replace(recipe, frame_zoom=99), np.random.default_rng(0))
    assert (unlimited.scale.flatten().numpy() > scale + 0.1).any()


@pytest.mark.parametrize("side", [32, 96])
def test_views_are_in_range_and_never_all_outside(store: Store, recipe: Recipe, side: int):
    image, valid, distance = look(store, draw_views(store, 40, side, recipe, np.random.default_rng(1)))
    assert image.shape == (40, 3, side, side)
    assert distance.shape == valid.shape == (40, 1, side, side)
    assert 0 <= image.min() <= image.max() <= 1
    assert (valid.mean((1, 2, 3)) > 0.3).all()


def test_zooms_stand_on_the_edge(store: Store, recipe: Recipe):
    zooms = replace(recipe, frame_chance=0.0)
    _, _, distance = look(store, draw_views(store, 40, 48, zooms, np.random.default_rng(2)))
    both = ((distance > 0).any(3).any(2) & (distance < 0).any(3).any(2)).float().mean()
    assert both > 0.9
