"""What was asked for by name in annotation files, and what else a week asks of a batch: as with folders of masks."""

import json
import re
from collections import Counter

import pytest
from PIL import Image

from tests.model.make_check import draw
from tests.pictures import open_picture

NAMES = "a", "b", "sub/a"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three photographs, the first with two polygons, in a COCO file and in LabelMe files; the run stands there."""
    annotations, images = [], []
    rings = [[8, 8, 30, 8, 30, 30, 8, 30]], [[33, 5, 44, 5, 44, 30, 33, 30]]
    for number, name in enumerate(NAMES):
        path = tmp_path / f"photos/{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(40, 48, seed=number)[0]).save(path)
        images.append({"id": number, "file_name": f"{name}.jpg", "height": 40, "width": 48})
        own = rings if number == 0 else rings[:1]
        annotations += [
            {"id": 10 * number + at, "image_id": number, "category_id": 1, "segmentation": ring}
            for at, ring in enumerate(own)
        ]
        shapes = [
            {"label": "a", "shape_type": "polygon", "points": [ring[0][at : at + 2] for at in range(0, 8, 2)]}
            for ring in own
        ]
        label = tmp_path / f"labels/{name}.json"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(json.dumps({"version": "5", "shapes": shapes, "imagePath": f"{name}.jpg", "imageData": None}))
    coco = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    monkeypatch.chdir(tmp_path)
    return tmp_path


COCO = "batch", "coco.json", "--images", "photos", "-o", "new.json", "--json"
LABELME = "batch", "labels", "--images", "photos", "-o", "new", "--json"


def found(result):
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return {record["mask"]: record["status"] for record in records}


def masks(folder, name="new.json"):
    content = json.loads((folder / name).read_text())
    return {annotation["id"]: annotation["segmentation"] for annotation in content["annotations"]}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_a_redo_touches_what_is_named_alone_and_is_kept(run, folder):
    pytest.importorskip("pycocotools")
    assert run(*COCO).exit_code == 0
    usual, coarse = masks(folder), masks(folder, "coco.json")
    result = run(*COCO, "--only", "b,coco.json#1", "--band", 0)
    assert result.exit_code == 0, result.stderr
    assert set(found(result)) == {"coco.json#10", "coco.json#1"}
    redone = masks(folder)
    assert changed(usual, redone) == {1, 10}
    assert (redone[1], redone[10]) == (coarse[1], coarse[10])
    for more in ((), ("--threshold", 0.6, "--max-items", 1)):  # other options leave it alone, too
        later = run(*COCO, "--resume", *more)
        assert found(later)["coco.json#10"] == "skipped"
        assert later.stdout.count("asked for by name") == 2
        assert (masks(folder)[1], masks(folder)[10]) == (coarse[1], coarse[10])
    assert run(*COCO, "--only", "photos/b.jpg").exit_code == 0  # the usual options again
    assert masks(folder)[10] == usual[10]


def test_what_was_never_refined_stays_as_it_came_beside_what_is_named(run, folder):
    pytest.importorskip("pycocotools")
    assert run(*COCO, "--only", "b").exit_code == 0
    assert changed(masks(folder, "coco.json"), masks(folder)) == {10}


def test_coarse_masks_that_are_kept_stay_until_they_change(run, folder):
    assert run(*LABELME).exit_code == 0
    result = run(*LABELME, "--keep-coarse", "sub/a")
    assert found(result) == {"sub/a.json#0": "kept"}, result.stderr
    own = (folder / "labels/sub/a.json").read_bytes()
    assert (folder / "new/sub/a.json").read_bytes() == own
    assert Counter(found(run(*LABELME, "--resume")).values()) == {"skipped": 4}
    assert (folder / "new/sub/a.json").read_bytes() == own
    (folder / "labels/sub/a.json").write_bytes(own.replace(b"30", b"29"))
    assert found(run(*LABELME, "--resume"))["sub/a.json#0"] == "refined"


def test_a_file_that_somebody_edited_loses_nothing_to_a_redo(run, folder):
    run(*LABELME)
    hers = folder / "new/a.json"
    hers.write_bytes(hers.read_bytes() + b"\n")
    before = hers.read_bytes()
    for more in (("--only", "b"), ("--only", "b", "--overwrite"), ("--resume",)):
        result = run(*LABELME, *more)
        assert result.exit_code == 1
        assert "new/a.json exists, and not as an earlier run wrote it" in result.stderr
        assert hers.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "c"), "--only c is none of the photographs: "),
        (("--only", "b", "--keep-coarse", "b.json#0"), "b.json#0 was given to --only and --keep-coarse: "),
        (("--keep-coarse", "b.jgp"), "--keep-coarse b.jgp is none of the photographs: perhaps b.jpg is meant."),
    ],
)
def test_a_name_that_fits_nothing_is_said(run, folder, options, said):
    result = run(*LABELME, *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (folder / "new").exists()


def test_pages_and_pictures_of_what_is_named(run, folder):
    page = "--report", "page.html"
    run(*LABELME, *page)
    assert run(*LABELME, "--only", "a.json#1", *page, "--overlay", "look").exit_code == 0
    data = json.loads(re.search(r'id="report">(.*?)</script>', (folder / "page.html").read_text())[1])
    assert {item["item"]: item["new"] for item in data["items"]} == {
        "a.json#0": False,
        "a.json#1": True,
        "b.json#0": False,
        "sub/a.json#0": False,
    }
    assert [path.name for path in (folder / "look").iterdir()] == ["a.jpg"]
    look, photograph = (open_picture(folder / path).getpixel((20, 20)) for path in ("look/a.jpg", "photos/a.jpg"))
    assert max(abs(one - other) for one, other in zip(look, photograph, strict=True)) > 15  # its neighbour is drawn


def test_done_is_done_whatever_with_but_not_whatever_from(run, folder):
    run(*LABELME)
    label = folder / "labels/b.json"
    label.write_bytes(label.read_bytes().replace(b"30", b"29"))
    assert Counter(found(run(*LABELME, "--resume", "--done-is-done", "--band", 1)).values()) == {
        "skipped": 3,
        "refined": 1,
    }


def test_an_empty_night_has_a_code_of_its_own(run, folder):
    (folder / "inbox").mkdir()
    for more, code in (((), 4), (("--allow-empty",), 0)):
        result = run("batch", "inbox", "--images", "photos", "-o", "new", *more)
        assert result.exit_code == code
        assert "inbox holds no annotations: " in result.stderr
    assert run(*LABELME, "--allow-empty").exit_code == 0


def test_too_many_failures_end_it_and_what_was_done_waits(run, folder):
    for name in NAMES[:2]:
        (folder / f"photos/{name}.jpg").rename(folder / f"photos/{name}.gone")
    records = "--records", "log.jsonl"
    line = LABELME[:-1]
    assert run(*line, *records, "--max-failures", "75%").exit_code == 3
    before = (folder / "new/sub/a.json").read_bytes()
    result = run(*line, *records, "--append", "--max-failures", 1, "--resume")
    assert result.exit_code == 1
    assert "more than --max-failures allows" in result.stderr
    assert (folder / "new/sub/a.json").read_bytes() == before
    assert len((folder / "log.jsonl").read_text().splitlines()) > 4
