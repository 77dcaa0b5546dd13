"""Many small masks of one photograph share passes of the network, whatever file they come from."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.items import Item
from spnrefine.batch.items_task import open_items, record_of
from spnrefine.batch.task import Tools
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.job.types import Settings
from spnrefine.refiner.shared import Pass, Shared
from spnrefine.refiner.sheets import small_ones, tiles
from tests.batch.refiners import Shifting

SIZE = 600, 900


class Sharing(Shifting):
    """A refiner that moves masks, alone or many at once, and counts how often it looks."""

    def share(self, image, objects):
        passes = [Pass(tile, self) for scale, some in small_ones(objects) for tile in tiles(objects, some, scale)]
        return Shared(image, objects, passes, lambda at, crop, coarse, seen: seen)


class Square(Item):
    """An item of some 20 pixels."""

    def __init__(self, name, photograph, top, left, side=20):
        super().__init__(name, photograph)
        self.box = Box(top, top + side, left, left + side)

    def _decode(self, size):
        return Boxed(size, self.box, np.ones((self.box.height, self.box.width), bool))

    def _encode(self, mask):
        return iter(())


@pytest.fixture
def photograph(tmp_path):
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def squares(photograph, apart=15):
    """Return eighteen that lie together, the last two touching, one far from them, and a large one."""
    places = [(20 + (20 + apart) * (n // 6), 20 + (20 + apart) * (n % 6)) for n in range(17)]
    places += [(places[-1][0], places[-1][1] + 20), (20, 800)]
    return [
        *(Square(f"{n}", photograph, *place) for n, place in enumerate(places)),
        Square("large", photograph, 300, 300, 150),
    ]


def test_they_come_out_as_alone_in_fewer_calls(photograph):
    refiner, alone = Sharing(), Shifting()
    opened, expected = (open_items(squares(photograph), Tools(one, Settings())) for one in (refiner, alone))
    for one, other in zip(opened, expected, strict=True):
        record, usual = record_of(one.item), record_of(one.item)
        mask, refined = one.refine(Tools(refiner, Settings()), record)
        other_mask, other_refined = other.refine(Tools(alone, Settings()), usual)
        assert mask.equals(other_mask)
        assert refined.view == other_refined.view
        assert (record.status, record.changed) == (usual.status, usual.changed) != ("unchanged", 0)
    assert alone.calls == 20
    assert refiner.calls == 4  # two sheets; and the large one and the one far away


def test_nothing_is_seen_of_what_is_not_asked_for(photograph):
    refiner = Sharing()
    tools = Tools(refiner, Settings())
    opened = open_items(squares(photograph), tools)
    assert refiner.calls == 0
    for at in (3, 4, 5):
        opened[at].refine(tools, record_of(opened[at].item))
    assert refiner.calls == 1


def test_a_key_depends_on_what_is_seen_along_with_a_mask(photograph):
    def keys(items):
        return [one.origin.key for one in open_items(items, Tools(Sharing(), Settings()))]

    items = squares(photograph)
    before = keys(items)
    assert keys(squares(photograph)) == before
    items[2].box = items[2].box.grown(1, *SIZE)
    after = keys(items)
    changed = [at for at in range(20) if before[at] != after[at]]
    assert set(range(16)) <= set(changed)
    assert not {18, 19} & set(changed)
    items[19].box = items[19].box.moved(3, 0)
    assert [at for at, (one, other) in enumerate(zip(after, keys(items), strict=True)) if one != other] == [19]


def test_a_panorama_is_turned_for_each_alone(photograph):
    refiner = Sharing()
    tools = Tools(refiner, Settings(wrap=True))
    opened = open_items(squares(photograph)[:17], tools)
    assert all(one.refiner is refiner for one in opened)
