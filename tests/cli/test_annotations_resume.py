"""Annotation files that are refined in several goes, and pictures of them."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch.place import beside
from tests.model.make_check import draw
from tests.pictures import open_picture

COUNT = 12


@pytest.fixture
def labelme(tmp_path):
    """A folder of LabelMe files: six photographs in two folders with two polygons each."""
    for number in range(COUNT // 2):
        image, _ = draw(60 + number, 70, seed=number)
        stem = tmp_path / "labels" / ("sub" if number % 2 else ".") / f"{number}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(stem.with_suffix(".jpg"))
        rings = [[[x, 14], [x + 25, 14], [x + 25, 48], [x, 48]] for x in (8, 30 + number)]
        shapes = [{"label": "a", "points": ring, "shape_type": "polygon", "flags": {}} for ring in rings]
        content = {"version": "5", "shapes": shapes, "imagePath": stem.name + ".jpg", "imageData": None}
        stem.with_suffix(".json").write_text(json.dumps(content, indent=1))
    return tmp_path


def arguments(folder, *more, out="out"):
    given = ("batch", folder / "labels", "--images", folder / "labels", "-o", folder / out, "--json", *more)
    return [str(argument) for argument in given]


def statuses(result):
    return [json.loads(line)["status"] for line in result.stdout.splitlines()]


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_resume_puts_back_what_was_refined_and_tells_its_numbers(run, labelme):
    first = run(*arguments(labelme))
    assert first.exit_code == 0, first.stderr
    whole = contents(labelme / "out")
    again = run(*arguments(labelme, "--resume"))
    assert again.exit_code == 0, again.stderr
    assert statuses(again) == ["skipped"] * COUNT
    assert contents(labelme / "out") == whole
    for one, other in zip(first.stdout.splitlines(), again.stdout.splitlines(), strict=True):
        own = {"status": None, "time": None, "run": None}
        assert json.loads(one) | own == json.loads(other) | own
    assert statuses(run(*arguments(labelme, "--resume", "--threshold", 0.6))).count("skipped") == 0


def test_what_was_annotated_since_is_all_that_is_refined(run, labelme):
    run(*arguments(labelme))
    path = labelme / "labels/2.json"
    content = json.loads(path.read_text())
    content["shapes"].insert(0, content["shapes"][0] | {"points": [[5, 5], [40, 5], [40, 40], [5, 40]]})
    path.write_text(json.dumps(content))
    result = run(*arguments(labelme, "--resume"))
    assert Counter(statuses(result)) == {"skipped": COUNT, "refined": 1}
    fresh = run(*arguments(labelme, out="fresh"))
    assert fresh.exit_code == 0
    assert contents(labelme / "out") == contents(labelme / "fresh")


def test_resume_never_replaces_what_somebody_changed(run, labelme):
    run(*arguments(labelme))
    (labelme / "out/sub/1.json").write_text("{}")
    before = contents(labelme / "out")
    result = run(*arguments(labelme, "--resume"))
    assert result.exit_code == 1
    assert f"{labelme / 'out/sub/1.json'} exists" in result.stderr
    assert contents(labelme / "out") == before
    assert "exists" in run(*arguments(labelme)).stderr


@pytest.mark.parametrize("jobs", [1, 3])
def test_some_at_a_time_come_to_the_same_file(run, labelme, jobs):
    assert run(*arguments(labelme, out="whole")).exit_code == 0
    counts = []
    for _ in range(4):
        result = run(*arguments(labelme, "--resume", "--max-items", 5, "--jobs", jobs))
        assert result.exit_code == 0, result.stderr
        counts.append(statuses(result).count("refined"))
        after = [json.loads(data)["shapes"] for data in contents(labelme / "out").values()]
        assert len(after) == COUNT // 2
    assert counts == [5, 5, 2, 0]
    assert contents(labelme / "out") == contents(labelme / "whole")


def test_the_first_few_leave_the_rest_as_it_came(run, labelme):
    result = run(*arguments(labelme, "--max-items", 3, "--jobs", 2))
    assert statuses(result) == ["refined"] * 3
    assert f"3 refined of {COUNT}" in result.stderr
    before, after = contents(labelme / "labels"), contents(labelme / "out")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"0.json", "2.json"}
    shapes = [json.loads(data["2.json"])["shapes"] for data in (before, after)]
    assert shapes[0][0] != shapes[1][0]
    assert shapes[0][1] == shapes[1][1]


ALONE = pytest.mark.slow(reason="starts two processes more, in which less can go wrong than with three jobs")


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=ALONE), 3])
def test_killed_and_resumed_equals_uninterrupted(run, labelme, jobs):
    assert run(*arguments(labelme, "--overlay", labelme / "look", out="whole")).exit_code == 0
    more = ("--jobs", jobs, "--overlay", labelme / "look2")
    command = [sys.executable, "-m", "spnrefine", *arguments(labelme, *more)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept, wanted, deadline = beside(labelme / "out"), random.randint(1, COUNT - 1), time.monotonic() + 60
    while not (kept.is_file() and kept.read_bytes().count(b"\n") >= wanted) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = sum(line.endswith(b"\n") and b'"mask": {' in line for line in kept.read_bytes().splitlines(True))
    result = run(*arguments(labelme, *more, "--resume"))
    assert result.exit_code == 0, result.stderr
    assert Counter(statuses(result)) == Counter({"skipped": done, "refined": COUNT - done})
    assert contents(labelme / "out") == contents(labelme / "whole")
    assert contents(labelme / "look2") == contents(labelme / "look")


def test_a_failed_item_is_tried_again(run, labelme):
    hidden = labelme / "hidden.jpg"
    (labelme / "labels/0.jpg").rename(hidden)
    assert Counter(statuses(run(*arguments(labelme)))) == {"failed": 2, "refined": COUNT - 2}
    hidden.rename(labelme / "labels/0.jpg")
    result = run(*arguments(labelme, "--resume"))
    assert result.exit_code == 0, result.stderr
    assert statuses(result)[:2] == ["refined", "refined"]


def test_fail_fast_keeps_what_was_done_for_resume(run, labelme):
    (labelme / "labels/4.jpg").write_bytes(b"x")
    result = run(*arguments(labelme, "--fail-fast", "--jobs", 1))
    assert result.exit_code == 1
    assert not (labelme / "out").exists()
    again = Counter(statuses(run(*arguments(labelme, "--resume"))))
    assert again["skipped"] >= 4
    assert again["failed"] == 2


def test_dry_run_lists_the_items_and_writes_nothing(run, labelme):
    (labelme / "labels/sub/3.jpg").unlink()
    result = run(*arguments(labelme, "--dry-run"))
    assert result.exit_code == 1
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(lines) == COUNT
    assert lines[0] == [str(labelme / "labels/0.jpg"), "0.json#0", str(labelme / "out")]
    assert result.stderr.count("sub/3.jpg, which does not exist") == 2
    assert not (labelme / "out").exists()
    assert not beside(labelme / "out").exists()


def test_overlays_show_all_masks_of_a_photograph(run, labelme):
    look = labelme / "look"
    assert run(*arguments(labelme, "--overlay", look)).exit_code == 0
    assert set(contents(look)) == {f"{'sub/' if number % 2 else ''}{number}.jpg" for number in range(COUNT // 2)}
    picture, photograph = (np.asarray(open_picture(path), float) for path in (look / "0.jpg", labelme / "labels/0.jpg"))
    moved = np.abs(picture - photograph).mean(axis=2)
    assert moved[25:35, 15:20].mean() > 15
    assert moved[25:35, 45:50].mean() > 15
    assert moved[:5].mean() < 5
    assert "exists" in run(*arguments(labelme, "--overlay", look, out="other")).stderr
    assert not (labelme / "other").exists()
    assert run(*arguments(labelme, "--overlay", look, "--resume")).exit_code == 0


def test_overlays_of_photographs_that_share_a_stem_keep_both_names(run, labelme):
    labels = labelme / "labels"
    open_picture(labels / "0.jpg").save(labels / "0.png")
    content = json.loads((labels / "0.json").read_text())
    (labels / "0png.json").write_text(json.dumps(content | {"imagePath": "0.png"}))
    assert run(*arguments(labelme, "--overlay", labelme / "look")).exit_code == 0
    assert {"0.jpg.jpg", "0.png.jpg", "2.jpg"} <= set(contents(labelme / "look"))


def test_overlays_never_overwrite_any_photograph(run, labelme):
    labels = labelme / "labels"
    for number in range(COUNT // 2):  # all photographs become PNG but one, which has the name of another's overlay
        folder = labels / ("sub" if number % 2 else ".")
        open_picture(folder / f"{number}.jpg").save(folder / f"{number}.png")
        (folder / f"{number}.jpg").unlink()
        path = folder / f"{number}.json"
        path.write_text(path.read_text().replace(".jpg", ".png"))
    (labels / "look").mkdir()
    open_picture(labels / "0.png").save(labels / "look/2.jpg")
    (labels / "0.json").write_text((labels / "0.json").read_text().replace("0.png", "look/2.jpg"))
    before = contents(labels)
    result = run(*arguments(labelme, "--overlay", labels / "look", "--overwrite"))
    assert result.exit_code == 1
    assert f"{labels / 'look/2.jpg'} is the input" in result.stderr
    assert contents(labels) == before


def test_photographs_outside_the_folder_are_drawn_inside_the_overlays(run, labelme):
    """Of the photographs, which --images names; one lies in a folder beside, where they are looked for as well."""
    (labelme / "img").mkdir()
    shutil.move(labelme / "labels/0.jpg", labelme / "img/0.jpg")
    assert run(*arguments(labelme, "--overlay", labelme / "look/deep")).exit_code == 0
    assert {"img/0.jpg", "labels/2.jpg", "labels/sub/1.jpg"} <= set(contents(labelme / "look/deep"))
    assert [p.name for p in Path(labelme / "look").iterdir()] == ["deep"]


def test_skipped_items_have_their_picture_in_the_report(run, labelme):
    run(*arguments(labelme))
    assert run(*arguments(labelme, "--resume", "--report", labelme / "review.html")).exit_code == 0
    page = (labelme / "review.html").read_text()
    assert page.count('type="application/json" id="picture-') == COUNT
