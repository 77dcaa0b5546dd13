"""Annotation files through the command line."""

import json

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.files.orientation import turn, turn_back
from tests.annotations.make_brush_golden import read_golden
from tests.model.make_check import draw
from tests.pictures import open_picture

pytest.importorskip("pycocotools", reason="COCO needs the extra 'coco', a part of the extra 'test'")


def contour(mask):
    import cv2

    (ring, *_), _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    return ring[:, 0].astype(float)


@pytest.fixture
def coco(tmp_path):
    """Two photographs, three annotations, one of an image that is not there; indented as a person might."""
    from pycocotools import mask as rle

    (tmp_path / "photos").mkdir()
    annotations, images = [], []
    for number in (1, 2):
        image, coarse = draw(80, 100, seed=number + 7)
        Image.fromarray(image).save(tmp_path / f"photos/{number}.jpg", quality=95)
        images.append({"id": number, "file_name": f"{number}.jpg", "height": 80, "width": 100, "license": 7})
        mask = coarse > 127
        polygon = {"id": number, "image_id": number, "category_id": 3, "iscrowd": 0, "score": 0.5}
        annotations.append(polygon | {"segmentation": [contour(mask).ravel().tolist()]})
        annotations[-1] |= {"area": float(mask.sum()), "bbox": [1.0, 2.0, 3.0, 4.0]}
        if number == 2:
            encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
            annotations.append({"iscrowd": 1, "segmentation": encoded | {"counts": encoded["counts"].decode()}})
            annotations[-1] |= {"id": 9, "image_id": 2, "category_id": 4}
    document = {"info": {"year": 2020}, "images": images, "annotations": annotations, "categories": []}
    (tmp_path / "annotations.json").write_text(json.dumps(document, indent=3))
    return tmp_path


def batch(run, folder, *more):
    outputs = ("-o", folder / "refined.json", "--json")
    return run("batch", folder / "annotations.json", "--images", folder / "photos", *outputs, *more)


def test_masks_are_refined_and_all_else_stays(run, coco):
    result = batch(run, coco)
    assert result.exit_code == 0, result.stderr
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["refined"] * 3
    assert records[0]["mask"].startswith("annotations.json#")
    assert {record["output"] for record in records} == {str(coco / "refined.json")}
    before, after = (json.loads((coco / name).read_text()) for name in ("annotations.json", "refined.json"))
    for old, new in zip(before["annotations"], after["annotations"], strict=True):
        assert old["segmentation"] != new["segmentation"]
        assert list(old) == list(new)
        changing = {"segmentation", "area", "bbox"}
        assert {k: v for k, v in old.items() if k not in changing} == {
            k: v for k, v in new.items() if k not in changing
        }
    assert before | {"annotations": 0} == after | {"annotations": 0}


def test_band_0_gives_back_the_bytes(run, coco):
    assert batch(run, coco, "--band", 0).exit_code == 0
    assert (coco / "refined.json").read_bytes() == (coco / "annotations.json").read_bytes()


def test_a_missing_photograph_fails_alone(run, coco):
    (coco / "photos/1.jpg").unlink()
    result = batch(run, coco, "--jobs", 2)
    assert result.exit_code == 1
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["failed", "refined", "refined"]
    before, after = (json.loads((coco / name).read_text()) for name in ("annotations.json", "refined.json"))
    assert before["annotations"][0] == after["annotations"][0]


def test_inputs_and_existing_outputs_are_kept(run, coco):
    before = (coco / "annotations.json").read_bytes()
    result = run("batch", coco / "annotations.json", "--images", coco / "photos", "-o", coco / "annotations.json")
    assert result.exit_code == 1
    assert "never overwritten" in result.stderr
    (coco / "refined.json").write_text("{}")
    assert "exists" in batch(run, coco).stderr
    assert (coco / "refined.json").read_text() == "{}"
    assert (coco / "annotations.json").read_bytes() == before


def test_a_folder_of_yolo_files(run, coco, tmp_path):
    _, coarse = draw(80, 100, seed=8)
    points = contour(coarse > 127) / (100, 80)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/1.txt").write_text("3 " + " ".join(f"{value:.6f}" for value in points.ravel()) + "\n")
    (tmp_path / "labels/2.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    result = run("batch", tmp_path / "labels", "--images", coco / "photos", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out/2.txt").read_bytes() == (tmp_path / "labels/2.txt").read_bytes()
    refined = (tmp_path / "out/1.txt").read_text()
    assert refined.startswith("3 ")
    assert refined != (tmp_path / "labels/1.txt").read_text()


@pytest.mark.parametrize(
    "option",
    [["--soft"], ["--labels"], ["--void", 0], ["--resize-mask"], ["--mask-dir", "x"], ["--files-from", "x"]],
    ids=lambda option: option[0],
)
def test_options_that_do_not_go_with_annotations(run, coco, option):
    result = batch(run, coco, *option)
    assert result.exit_code == 2
    assert f"{option[0]} was given with annotations" in result.stderr


def test_a_file_that_is_no_annotation(run, coco):
    (coco / "annotations.json").write_text("[1, 2")
    result = batch(run, coco)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert not (coco / "refined.json").exists()
    assert open_picture(coco / "photos/1.jpg").size == (100, 80)


def test_brushes_of_label_studios_own_encoder_come_back_byte_for_byte(run, tmp_path):
    brushes = [golden["rle"] for golden in read_golden().values() if golden["mask"].shape == (80, 100)]
    sized = {"original_width": 100, "original_height": 80, "image_rotation": 0, "type": "brushlabels"}
    results = [
        sized | {"id": f"r{number}", "value": {"format": "rle", "rle": rle, "brushlabels": ["a"]}}
        for number, rle in enumerate(brushes)
    ]
    image, _ = draw(80, 100, seed=8)
    Image.fromarray(image).save(tmp_path / "photo.png")
    task = {
        "id": 1,
        "annotations": [{"id": 2, "result": results}],
        "data": {"image": "/data/upload/1/1a2b3c4d-photo.png"},
    }
    (tmp_path / "export.json").write_text(json.dumps([task], indent=1))
    command = ("batch", tmp_path / "export.json", "--images", tmp_path, "-o", tmp_path / "refined.json")
    result = run(*command, "--band", 0)
    assert result.exit_code == 0, result.stderr
    assert f"{len(brushes)} unchanged of {len(brushes)}" in result.stderr
    assert (tmp_path / "refined.json").read_bytes() == (tmp_path / "export.json").read_bytes()
    result = run(*command, "--overwrite")
    assert f"{len(brushes)} refined of {len(brushes)}" in result.stderr


@pytest.mark.parametrize("there", [True, False], ids=["a folder that exists", "one that ends in a slash"])
def test_a_folder_takes_a_file_of_the_same_name(run, coco, there):
    if there:
        (coco / "new").mkdir()
    output = f"{coco}/new" if there else f"{coco}/new/"
    result = run("batch", coco / "annotations.json", "--images", coco / "photos", "-o", output)
    assert result.exit_code == 0, result.stderr
    assert json.loads((coco / "new/annotations.json").read_text())["categories"] == []


def test_resume_takes_up_yolo_files_that_say_that_there_is_nothing(run, pair):
    photo, _ = pair
    labels = photo.parent / "labels"
    labels.mkdir()
    (labels / "photo.txt").write_text("0 0.2 0.25 0.7 0.25 0.7 0.75 0.2 0.75\n")
    (labels / "nothing.txt").write_text("")
    command = ("batch", labels, "--images", photo.parent, "-o", photo.parent / "out")
    assert run(*command).exit_code == 0
    again = run(*command, "--resume")
    assert again.exit_code == 0, again.stderr
    assert (photo.parent / "out/nothing.txt").read_bytes() == b""


@pytest.mark.parametrize("orientation", [5, 6, 8])
def test_masks_of_stored_pixels_are_turned_along_with_their_photograph(run, tmp_path, orientation):
    from pycocotools import mask as rle

    image, coarse = draw(80, 100, seed=8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(turn_back(image, orientation))).save(tmp_path / "1.png", exif=exif)
    stored = turn_back(coarse > 127, orientation)
    encoded = rle.encode(np.asfortranarray(stored.astype(np.uint8)))
    annotation = {"id": 1, "image_id": 1, "segmentation": encoded | {"counts": encoded["counts"].decode()}}
    images = [{"id": 1, "file_name": "1.png", "height": 100, "width": 80}]
    (tmp_path / "all.json").write_text(json.dumps({"images": images, "annotations": [annotation]}))
    kept = run("batch", tmp_path / "all.json", "-o", tmp_path / "kept.json", "--band", 0)
    assert kept.exit_code == 0, kept.stderr
    assert (tmp_path / "kept.json").read_bytes() == (tmp_path / "all.json").read_bytes()
    assert run("batch", tmp_path / "all.json", "-o", tmp_path / "new.json", "--resume").exit_code == 0
    written = np.asarray(open_document(tmp_path / "new.json").items[0].read((100, 80)))
    Image.fromarray(coarse > 127).save(tmp_path / "upright.bmp")
    assert run(tmp_path / "1.png", "--mask", tmp_path / "upright.bmp", "-o", tmp_path / "upright.png").exit_code == 0
    np.testing.assert_array_equal(turn(written, orientation), np.asarray(open_picture(tmp_path / "upright.png")))


def test_an_object_that_came_in_goes_out(run, coco):
    document = json.loads((coco / "annotations.json").read_text())
    pixel = {"id": 1, "image_id": 1, "category_id": 3, "segmentation": [[15, 15, 16, 15, 16, 16, 15, 16]], "area": 1}
    (coco / "annotations.json").write_text(json.dumps(document | {"annotations": [pixel]}))
    result = batch(run, coco, "--threshold", "0.95")
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert (record["status"], record["changed"]) == ("kept", 0)
    assert record["notes"] == ["nothing of it would have been left: returned as it came"]
    assert (coco / "refined.json").read_bytes() == (coco / "annotations.json").read_bytes()


def test_objects_without_masks_are_an_error_and_none_at_all_is_not(run, coco):
    document = json.loads((coco / "annotations.json").read_text())
    box = {"id": 1, "image_id": 1, "bbox": [1, 2, 3, 4]}
    (coco / "annotations.json").write_text(json.dumps(document | {"annotations": [box]}))
    result = batch(run, coco)
    assert result.exit_code == 1
    assert "(COCO) holds 1 objects, but no mask and no polygon to refine" in result.stderr
    assert not (coco / "refined.json").exists()
    (coco / "annotations.json").write_text(json.dumps(document | {"annotations": []}))
    assert batch(run, coco).exit_code == 0


def test_neighbours_come_out_without_overlap(run, coco):
    from pycocotools import mask as rle

    _, coarse = draw(80, 100, seed=8)
    halves = [(coarse > 127) & ((np.arange(100) < 50) == left) for left in (True, False)]
    segmentations = [rle.encode(np.asfortranarray(half.astype(np.uint8))) for half in halves]
    annotations = [
        {"id": number, "image_id": 1, "segmentation": one | {"counts": one["counts"].decode()}}
        for number, one in enumerate(segmentations)
    ]
    document = json.loads((coco / "annotations.json").read_text())
    (coco / "annotations.json").write_text(json.dumps(document | {"annotations": annotations}))
    assert batch(run, coco).exit_code == 0
    items = open_document(coco / "refined.json", coco / "photos").items
    one, other = (np.asarray(item.read((80, 100))) for item in items)
    assert not (one & other).any()
    assert (one | other).sum() > 0.8 * sum(half.sum() for half in halves)
    assert (one | other)[28:52, 40:61].all()  # and no gap where they meet


def test_results_with_the_file_of_their_images(run, coco):
    document = json.loads((coco / "annotations.json").read_text())
    results = [{"image_id": 2, "segmentation": document["annotations"][2]["segmentation"], "score": 0.5}]
    (coco / "results.json").write_text(json.dumps(results))
    given = ("batch", coco / "results.json", "--images", coco / "photos", "-o", coco / "refined.json", "--json")
    result = run(*given, "--images-file", coco / "annotations.json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["image"].endswith("2.jpg")
    result = run("batch", coco / "photos", "-o", coco / "out", "--images-file", coco / "annotations.json")
    assert result.exit_code == 2
    assert "--images-file goes with annotations" in result.stderr
