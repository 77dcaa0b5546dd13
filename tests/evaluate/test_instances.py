"""Average precision beside COCO's own code on files, and panoptic quality pixel by pixel from its definition."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools import mask as coco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spnrefine.boxes.boxed import Boxed
from spnrefine.evaluate import instance_chance, instance_facts, instance_rows
from spnrefine.evaluate.average_precision import average_precision
from spnrefine.evaluate.instance_quality import measure
from spnrefine.evaluate.instances import ANY, Instance, Picture
from spnrefine.evaluate.panoptic_quality import count, drawn_pq
from spnrefine.evaluate.ranked import drawn_precision

SHAPE = 120, 160
CATEGORIES = ["cat", "dog"]


def drawn(seed, *, apart=False, crowds=True):
    """True discs, and what a network that is often wrong makes of them, of two categories."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]

    def disc(y, x, radius):
        return (ys - y) ** 2 + (xs - x) ** 2 < radius**2

    true, found = [], []
    taken = [np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)]
    for _ in range(8):
        y, x, radius = rng.integers(15, 105), rng.integers(15, 145), rng.choice([6, 12, 25, 55])
        near = np.array([y, x, radius]) + rng.normal(size=3) * (1.5, 1.5, 1.5)
        for where, (side, mask) in enumerate(zip((true, found), (disc(y, x, radius), disc(*near)), strict=True)):
            mask = mask & ~taken[where] if apart else mask
            if mask.any() and rng.random() < 0.9:
                taken[where] |= mask
                crowd = crowds and side is true and rng.random() < 0.15
                score = None if side is true else round(float(rng.random()), 3)
                side.append(Instance(Boxed.of(mask), str(rng.choice(CATEGORIES, p=[0.8, 0.2])), score, crowd))
    return Picture(str(seed), true, np.zeros(SHAPE, bool), {"coarse": found, "refined": found})


def by_files(pictures):
    """COCO's own evaluation, as everybody calls it."""
    images = [{"id": at, "height": SHAPE[0], "width": SHAPE[1]} for at in range(len(pictures))]
    kinds = [{"id": at, "name": name} for at, name in enumerate(CATEGORIES)]

    def entry(at, one, number):
        code = coco.encode(np.asfortranarray(np.asarray(one.mask).astype(np.uint8)))
        area = int(one.mask.area)
        kind = CATEGORIES.index(one.category)
        return {"id": number, "image_id": at, "category_id": kind, "segmentation": code, "area": area}

    true = [(at, one) for at, picture in enumerate(pictures) for one in picture.true]
    found = [(at, one) for at, picture in enumerate(pictures) for one in picture.found["coarse"]]
    truth = COCO()
    with contextlib.redirect_stdout(io.StringIO()):
        truth.dataset = {
            "images": images,
            "categories": kinds,
            "annotations": [entry(*each, n) | {"iscrowd": int(each[1].crowd)} for n, each in enumerate(true, 1)],
        }
        truth.createIndex()
        results = truth.loadRes([entry(*each, n) | {"score": each[1].score} for n, each in enumerate(found, 1)])
        evaluation = COCOeval(truth, results, "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6]


def test_average_precision_is_that_of_cocos_code():
    pictures = [drawn(seed) for seed in range(6)]
    ours = average_precision(pictures, "coarse", CATEGORIES)
    expected = [None if value == -1 else pytest.approx(value, abs=1e-12) for value in by_files(pictures)]
    assert [ours.ap, ours.ap50, ours.ap75, *ours.by_size.values()] == expected
    assert 0.1 < ours.ap < 0.9
    assert ours.ap == pytest.approx(np.mean(list(ours.by_category.values())))
    one = average_precision(pictures, "coarse", [ANY])
    assert one.ap != ours.ap


def test_boundaries_count_where_they_are_asked_for():
    pictures = [drawn(seed, crowds=False) for seed in range(3)]
    whole = average_precision(pictures, "coarse", CATEGORIES)
    wide = average_precision(pictures, "coarse", CATEGORIES, boundary_share=0.5)
    narrow = average_precision(pictures, "coarse", CATEGORIES, boundary_share=0.005)
    assert wide[:-1] == whole[:-1], "bands that fill the objects are these"
    assert narrow.ap < whole.ap
    exact = [picture._replace(found={"coarse": picture.true}) for picture in pictures]
    assert average_precision(exact, "coarse", CATEGORIES, boundary_share=0.02).ap == 1


def quality_by_pixels(pictures):
    """Kirillov's definition, on maps of ids."""
    sums = np.zeros((2, 4))
    for picture in pictures:
        maps = []
        for side in (picture.true, picture.found["coarse"]):
            ids = np.zeros(SHAPE, int)
            for number, one in enumerate(side, 1):
                ids[np.asarray(one.mask)] = number
            maps.append(ids)
        pairs, counts = np.unique(np.stack(maps).reshape(2, -1), axis=1, return_counts=True)
        shared = {tuple(pair): count for pair, count in zip(pairs.T.tolist(), counts.tolist(), strict=True)}
        hit_true, hit_found = set(), set()
        for (t, f), both in shared.items():
            if t and f and not picture.true[t - 1].crowd:
                one, other = picture.true[t - 1], picture.found["coarse"][f - 1]
                iou = both / (one.mask.area + other.mask.area - both)
                if one.category == other.category and iou > 0.5:
                    sums[CATEGORIES.index(one.category)] += iou, 1, 0, 0
                    hit_true.add(t)
                    hit_found.add(f)
        for t, one in enumerate(picture.true, 1):
            if t not in hit_true and not one.crowd:
                sums[CATEGORIES.index(one.category), 3] += 1
        for f, one in enumerate(picture.found["coarse"], 1):
            crowd = sum(
                n
                for (t, g), n in shared.items()
                if g == f and t and picture.true[t - 1].crowd and picture.true[t - 1].category == one.category
            )
            if f not in hit_found and crowd / one.mask.area <= 0.5:
                sums[CATEGORIES.index(one.category), 2] += 1
    iou, hits, false, missed = sums.T
    every = hits + false / 2 + missed / 2
    return np.mean(iou / every), np.mean(iou / hits), np.mean(hits / every)


def test_panoptic_quality_is_that_of_its_definition():
    pictures = [drawn(seed, apart=True) for seed in range(6)]
    counted = count(pictures, "coarse", CATEGORIES)
    assert counted.mean() == pytest.approx(quality_by_pixels(pictures), abs=1e-12)
    assert 0.1 < counted.mean().pq < 0.9
    times = np.array([[1] * 6, [2, 0, 0, 1, 0, 3]], float)
    twice = [pictures[at] for at in (0, 0, 3, 5, 5, 5)]
    expected = [counted.mean().pq, count(twice, "coarse", CATEGORIES).mean().pq]
    assert drawn_pq(times, counted) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("share", [None, 0.02])
def test_precision_of_drawn_pictures_is_that_of_a_set_that_holds_them_so_often(share):
    pictures = [drawn(seed) for seed in range(5)] + [drawn(7)._replace(true=[])]
    ranked = average_precision(pictures, "coarse", CATEGORIES, boundary_share=share).ranked
    draws = [(0, 1, 2, 3, 4, 5), (0, 0, 3, 4, 4, 4), (5, 5, 1, 1, 1, 1), (2, 2, 2, 2, 2, 2)]
    times = np.array([np.bincount(draw, minlength=6) for draw in draws], float)
    found = drawn_precision(times, ranked)
    for at, draw in enumerate(draws):
        ours = average_precision([pictures[each] for each in draw], "coarse", CATEGORIES, boundary_share=share)
        assert [found[name][at] for name in ("ap", "ap50", "ap75")] == pytest.approx(ours[:3], abs=1e-12)
    nothing = drawn_precision(np.array([[0, 0, 0, 0, 0, 6.0]]), ranked)
    assert np.isnan(nothing["ap"]).all()


def test_intervals_hold_the_figures_and_differences_are_of_the_same_draws():
    pictures = [drawn(seed, apart=True) for seed in range(5)]
    exact = [
        picture._replace(found=picture.found | {"refined": picture.true, "same": picture.true}) for picture in pictures
    ]
    qualities = measure(exact, 0.02)
    facts = instance_facts.of(exact, qualities, 0.02)
    assert facts["draws"] == 2000
    for name, (low, high) in facts["intervals"]["coarse"].items():
        assert low < facts["results"]["coarse"][name] < high
    above = facts["above"]["refined"]
    for name, row in above["coarse"].items():
        assert row["difference"] == pytest.approx(1 - facts["results"]["coarse"][name], abs=2e-6)
        assert 0 < row["interval"][0] < row["difference"] < row["interval"][1]
    assert {tuple(row["interval"]) for row in above["same"].values()} == {(0, 0)}


def test_there_are_fewer_draws_where_they_would_take_long():
    draws = [instance_chance.draws_within(instances) for instances in (0, 50_000, 100_000, 10_000_000)]
    assert draws == [2000, 2000, 1000, 200]


def test_each_picture_has_a_row():
    pictures = [drawn(seed, apart=True) for seed in range(3)]
    pictures[1] = pictures[1]._replace(true=[], found={"coarse": [], "refined": []})
    rows = instance_rows.rows(pictures, measure(pictures, 0.02))
    alone = average_precision(pictures[2:], "coarse", CATEGORIES).ap
    assert rows[2]["coarse"].ap == pytest.approx(alone, abs=1e-12)
    counted = count(pictures[2:], "coarse", CATEGORIES)
    assert rows[2]["refined"].pq == pytest.approx(counted.mean().pq)
    iou, *parts = counted.sums[0].sum(0)
    assert rows[2]["coarse"][4:] == (*parts, pytest.approx(iou))
    assert rows[1]["coarse"] == (0, None, None, None, 0, 0, 0, 0)
    lines = instance_rows.as_csv(pictures, rows).decode().splitlines()
    assert lines[0].startswith("photograph,true_instances,void_pixels,coarse instances,coarse ap")
    assert lines[2] == "1,0,0,0,,,,0,0,0,0.0,0,,,,0,0,0,0.0"


def test_void_is_left_out_of_panoptic_quality():
    true, found, void = (np.zeros(SHAPE, bool) for _ in range(3))
    true[10:20, 10:20], found[10:20, 10:30], void[:, 20:] = True, True, True
    picture = Picture("p", [Instance(Boxed.of(true))], void, {"coarse": [Instance(Boxed.of(found))]})
    assert count([picture], "coarse", [ANY]).mean() == (1, 1, 1)
    nothing = picture._replace(found={"coarse": [Instance(Boxed.of(void))]})
    assert count([nothing], "coarse", [ANY]).sums[0, 0].tolist() == [0, 0, 0, 1], "in void alone it is not false"


def facts_of(pictures):
    return instance_facts.of(pictures, measure(pictures, 0.02), 0.02)


def test_overlapping_instances_have_no_panoptic_quality():
    printed = facts_of([drawn(1)])
    assert printed["results"]["coarse"]["pq"] is None
    assert any("overlap: panoptic quality is not defined" in note for note in printed["notes"])


def test_nothing_is_defined_without_a_true_instance():
    picture = drawn(1, apart=True)._replace(true=[])
    facts = facts_of([picture])
    row = facts["results"]["refined"]
    assert (row["ap"], row["boundary_ap"]) == (None, None)
    assert facts["intervals"]["refined"]["ap"] is None
