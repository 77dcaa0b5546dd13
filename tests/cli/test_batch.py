import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spnrefine.refiner import refiner
from tests.pictures import open_picture


@pytest.fixture
def folder(pair, tmp_path):
    """photos/{a.jpg,sub/a.jpg,sub/b.jpg} and masks/ alike; sub/b has a mask of palette ids."""
    photo, coarse = pair
    for name in ("a", "sub/a", "sub/b"):
        for source, target in ((photo, f"photos/{name}.jpg"), (coarse, f"masks/{name}.png")):
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / target)
    ids = Image.fromarray(np.asarray(open_picture(coarse)) // 255 * 3)
    ids.putpalette([0, 0, 0] * 3 + [9, 99, 9])
    ids.save(tmp_path / "masks/sub/b.png")
    return tmp_path


def batch(run, folder, *arguments):
    return run("batch", folder / "photos", "--mask-dir", folder / "masks", "-o", folder / "out", *arguments)


def outputs(folder):
    return sorted(str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*") if p.is_file())


def test_the_tree_and_the_stems_are_kept(run, folder, pair):
    result = batch(run, folder)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 refined of 3" in result.stderr
    assert outputs(folder) == ["a.png", "sub/a.png", "sub/b.png"]
    run(pair[0], "--mask", pair[1], "-o", folder / "alone.png")
    assert (folder / "out/a.png").read_bytes() == (folder / "alone.png").read_bytes()
    assert open_picture(folder / "out/sub/b.png").getpalette()[9:12] == [9, 99, 9]


@pytest.mark.parametrize("jobs", [1, 3])
def test_bad_files_are_named_and_the_rest_goes_on(run, folder, jobs):
    (folder / "photos/bad.jpg").write_bytes(b"")
    shutil.copy(folder / "masks/a.png", folder / "masks/bad.png")
    shutil.copy(folder / "photos/a.jpg", folder / "photos/lonely.jpg")
    Image.new("L", (3, 4)).save(folder / "masks/sub/a.png")
    result = batch(run, folder, "--jobs", jobs, "--strict")
    assert result.exit_code == 1
    named = [line for line in result.stderr.splitlines() if line.startswith("Failed")]
    assert len(named) == 3
    for line, words in zip(
        named, (("bad.jpg", "empty"), ("lonely.jpg", "no mask"), ("sub/a.jpg", "3 x 4")), strict=True
    ):
        assert all(word in line for word in words)
    assert outputs(folder) == ["a.png", "sub/b.png"]


def test_masks_are_looked_for_inside_the_folder(run, folder):
    (folder / "masks").rename(folder / "photos/masks")
    assert run("batch", folder / "photos", "-o", folder / "out").exit_code == 0
    assert outputs(folder) == ["a.png", "sub/a.png", "sub/b.png"]


def test_names_that_would_collide_fail_before_anything_is_written_for_them(run, folder):
    open_picture(folder / "photos/a.jpg").save(folder / "photos/a.png")
    result = batch(run, folder)
    assert result.exit_code == 1
    assert result.stderr.count("share the name a") == 2
    assert outputs(folder) == ["sub/a.png", "sub/b.png"]


def test_several_masks_for_one_photograph_are_named(run, folder):
    open_picture(folder / "masks/a.png").save(folder / "masks/a.tif")
    result = batch(run, folder)
    assert "several masks fit" in result.stderr
    assert outputs(folder) == ["sub/a.png", "sub/b.png"]


def test_existing_outputs_fail_unless_overwrite(run, folder):
    batch(run, folder)
    kept = (folder / "out/a.png").stat().st_mtime_ns
    result = batch(run, folder)
    assert result.exit_code == 1
    assert result.stderr.count("exists") == 3
    assert (folder / "out/a.png").stat().st_mtime_ns == kept
    assert batch(run, folder, "--overwrite").exit_code == 0
    assert (folder / "out/a.png").stat().st_mtime_ns != kept


def test_the_masks_folder_is_never_written_into(run, folder):
    before = (folder / "masks/a.png").read_bytes()
    result = run("batch", folder / "photos", "--mask-dir", folder / "masks", "-o", folder / "masks", "--overwrite")
    assert result.exit_code == 1
    assert "is the folder of the coarse masks: give another" in result.stderr
    assert (folder / "masks/a.png").read_bytes() == before


def test_refined_files_are_not_taken_for_photographs(run, folder):
    shutil.copy(folder / "photos/a.jpg", folder / "photos/a_refined.jpg")
    assert "3 refined of 3" in batch(run, folder).stderr


def test_json_prints_a_record_a_line(run, folder):
    (folder / "photos/bad.jpg").write_bytes(b"x")
    records = [json.loads(line) for line in batch(run, folder, "--json").stdout.splitlines()]
    assert [r["status"] for r in records] == ["refined", "no mask", "refined", "refined"]
    assert records[0]["output"] == str(folder / "out/a.png")
    both = batch(run, folder, "--json", "--records", folder / "records.jsonl")
    assert (both.exit_code, (folder / "records.jsonl").exists()) == (2, False)
    assert "--json, which is --records -, and a file of records were both given: give one." in both.stderr


@pytest.mark.parametrize(("told", "judged"), [((), 0), (("--json",), 3), (("--report", "page.html"), 3)])
def test_masks_are_judged_where_somebody_is_told(run, folder, monkeypatch, told, judged):
    asked = []
    monkeypatch.setattr(refiner, "judge", lambda *masks: asked.append(masks))
    monkeypatch.chdir(folder)
    assert batch(run, folder, "--strength", "1", *told).exit_code == 0  # auto has to ask itself
    assert len(asked) == judged


def test_overlays_are_drawn(run, folder):
    assert batch(run, folder, "--overlay", folder / "look").exit_code == 0
    assert open_picture(folder / "look/sub/b.jpg").size == (100, 80)


@pytest.mark.parametrize("missing", ["photos", "masks"])
def test_missing_folders_are_one_sentence(run, folder, missing):
    shutil.rmtree(folder / missing)
    result = batch(run, folder)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert str(folder / missing) in result.stderr


def test_a_folder_without_photographs(run, folder):
    shutil.rmtree(folder / "photos")
    (folder / "photos").mkdir()
    result = batch(run, folder)
    assert result.exit_code == 4
    assert "holds no photographs" in result.stderr


def test_overlays_never_overwrite_masks(run, folder):
    open_picture(folder / "masks/a.png").save(folder / "masks/a.jpg")
    (folder / "masks/a.png").unlink()
    before = (folder / "masks/a.jpg").read_bytes()
    assert batch(run, folder, "--overlay", folder / "masks", "--overwrite").exit_code == 2
    (folder / "pairs.tsv").write_text(f"{folder}/photos/a.jpg\t{folder}/masks/a.jpg\n")
    listed = "--files-from", folder / "pairs.tsv", "-o", folder / "refined"
    result = run("batch", *listed, "--overlay", folder / "masks", "--overwrite")
    assert result.exit_code == 1
    assert "never overwritten" in result.stderr
    assert (folder / "masks/a.jpg").read_bytes() == before


@pytest.mark.parametrize("places", [("photos/out", "photos/look"), ("photos", "look")])
def test_what_an_earlier_run_made_is_not_taken_for_photographs(run, folder, places):
    out, look = (folder / place for place in places)
    command = ("batch", folder / "photos", "--mask-dir", folder / "masks", "-o", out, "--overlay", look)
    assert run(*command).exit_code == 0
    again = run(*command, "--resume")
    assert again.exit_code == 0, again.stderr
    assert "3 skipped of 3" in again.stderr


def test_an_output_that_is_a_file_is_told_before_any_work(run, folder):
    (folder / "out").write_text("precious")
    result = batch(run, folder)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "give -o a folder" in result.stderr


def test_polygons_of_mask_files_are_wrong_usage(run, folder):
    result = run("batch", folder, "-o", folder / "out", "--polygons")
    assert result.exit_code == 2
    assert "--polygons goes with annotations" in result.stderr


def test_records_and_report_in_one_file_are_wrong_usage(run, folder):
    result = batch(run, folder, "--records", folder / "x", "--report", folder / "x")
    assert result.exit_code == 2
    assert "same file twice" in result.stderr
    assert not (folder / "out").exists()


def test_masks_that_come_back_in_another_format_are_counted_and_noted(run, folder):
    open_picture(folder / "masks/a.png").save(folder / "masks/a.jpg")
    (folder / "masks/a.png").unlink()
    result = batch(run, folder, "--json")
    assert result.exit_code == 0
    assert "came as .jpg and are written as .png: 1." in result.stderr
    notes = [json.loads(line)["notes"] for line in result.stdout.splitlines()]
    assert [len(said) for said in notes] == [2, 0, 0]
    assert "such as JPEG leaves" in notes[0][0]
    assert "lossy JPEG" in notes[0][1]
