"""Label maps, and the options that limit what refinement may change."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.pictures import open_picture


def pixels(path):
    return np.asarray(open_picture(path))


@pytest.fixture
def label_map(pair):
    """The coarse mask cut into two ids of a palette, with a void rim."""
    photo, coarse = pair
    ids = np.where(pixels(coarse) > 0, 3, 0).astype(np.uint8)
    ids[:, 50:][ids[:, 50:] == 3] = 200
    ids[:3] = 255
    mask = Image.fromarray(ids)
    mask.putpalette([i * 7 % 256 for i in range(768)])
    mask.save(photo.with_name("ids.png"))
    return photo, photo.with_name("ids.png")


def test_a_label_map_is_refined_jointly(run, label_map):
    photo, ids = label_map
    result = run(
        photo, "--mask", ids, "-o", photo.with_name("out.png"), "--json", "--compare", photo.with_name("c.png")
    )
    assert result.exit_code == 0, result.stderr
    before, after = pixels(ids), pixels(photo.with_name("out.png"))
    assert open_picture(photo.with_name("out.png")).getpalette() == open_picture(ids).getpalette()
    assert set(np.unique(after)) == {0, 3, 200, 255}
    assert ((before == 255) == (after == 255)).all()
    changed = json.loads(result.stdout)["changed"]
    assert changed == pytest.approx((before != after).sum() / np.isin(before, (3, 200)).sum(), abs=1e-6)
    assert 0.01 < changed < 0.5


def test_several_ids_have_no_soft_mask(run, label_map):
    result = run(label_map[0], "--mask", label_map[1], "--soft")
    assert result.exit_code == 1
    assert "leave out --soft" in result.stderr


@pytest.mark.parametrize("kind", ["hard", "gray", "ids"])
def test_band_0_gives_back_the_file(run, pair, label_map, kind):
    photo, mask = pair if kind != "ids" else label_map
    if kind == "gray":
        Image.fromarray(np.clip(pixels(mask), 20, 230)).save(mask)
    result = run(photo, "--mask", mask, "-o", photo.with_name("out.png"), "--band", 0, "--json")
    assert photo.with_name("out.png").read_bytes() == mask.read_bytes()
    record = json.loads(result.stdout)
    assert (record["status"], record["changed"]) == ("unchanged", 0)
    assert "coarse contour" in record["notes"][0]


def test_too_much_change_keeps_the_mask_and_says_so(run, pair):
    photo, coarse = pair
    result = run(photo, "--mask", coarse, "-o", photo.with_name("out.png"), "--max-change", 0.0001)
    assert result.exit_code == 0
    assert "returned as it came" in result.stderr
    assert photo.with_name("out.png").read_bytes() == coarse.read_bytes()


def test_topology_is_kept_in_numbers(run, pair):
    photo, coarse = pair
    pierced = pixels(coarse).copy()
    pierced[38:40, 48:50] = 0
    Image.fromarray(pierced).save(coarse)
    settings = ("--keep-topology", "--json", "-o", photo.with_name("out.png"))
    record = json.loads(run(photo, "--mask", coarse, *settings).stdout)
    assert record["components_before"] == record["components_after"]
    assert record["holes_before"] == record["holes_after"] >= 1
