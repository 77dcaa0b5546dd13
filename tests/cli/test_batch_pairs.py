"""Which photographs a batch takes, from lists and patterns, and what it says of the rest."""

import codecs
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spnrefine.cli import streams


@pytest.fixture
def folder(pair, tmp_path, monkeypatch):
    """photos/a.jpg and photos/s/b.jpg, and their masks in labels/."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "s/b"):
        for source, target in ((pair[0], f"photos/{name}.jpg"), (pair[1], f"labels/{name}_final.png")):
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / target)
    return tmp_path


MASKS = ("--mask-dir", "labels", "--mask-pattern", "{stem}_final.png")
NOTHING_DONE = ("-o", "out", "--dry-run")


def outputs(folder):
    return sorted(str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.*") if path.is_file())


def test_masks_by_a_pattern_come_back_under_their_own_names(run, folder):
    result = run("batch", "photos", *MASKS, "-o", "out", "--name", "{mask}")
    assert result.exit_code == 0, result.stderr
    assert outputs(folder) == ["a_final.png", "s/b_final.png"]
    again = run("batch", "photos", *MASKS, "-o", "out", "--name", "{mask}", "--resume")
    assert "2 skipped of 2" in again.stderr


def test_what_another_run_wrote_among_the_photographs_is_none(run, folder):
    wrote = "-o", "photos/s/fine", "--overlay", "photos/look", "--cutout", "photos/cut"
    assert run("batch", "photos", *MASKS, *wrote).exit_code == 0
    (folder / "photos/s/fine/mine.jpg").write_bytes((folder / "photos/a.jpg").read_bytes())
    for masks in (MASKS, ("--backbone", "object")):
        listed = run("batch", "photos", *masks, *NOTHING_DONE).stdout.splitlines()
        assert [line.split("\t")[0] for line in listed] == ["photos/a.jpg", "photos/s/b.jpg", "photos/s/fine/mine.jpg"]
    itself = run("batch", "photos/s/fine", "--backbone", "object", *NOTHING_DONE).stdout
    assert "photos/s/fine/s/b.png" in itself


def test_where_nothing_pairs_the_pattern_is_named_that_works(run, folder):
    result = run("batch", "photos", "-o", "out")
    assert result.exit_code == 1
    assert "--mask-dir labels --mask-pattern '{stem}_final.png' would find 2" in result.stderr
    assert not (folder / "out").exists()


def test_photographs_named_one_by_one_and_one_without_a_mask(run, folder):
    shutil.copy("photos/a.jpg", "photos/c.jpg")
    result = run("batch", "photos/a.jpg", "photos/c.jpg", *MASKS, "-o", "out", "--json")
    assert (result.exit_code, "1 no mask, 1 refined of 2" in result.stderr) == (0, True)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["refined", "no mask"]
    assert "labels/c_final.png" in records[1]["notes"][0]
    strict = run("batch", "photos/a.jpg", "photos/c.jpg", *MASKS, "-o", "strict", "--strict")
    assert (strict.exit_code, "Failed: photos/c.jpg: no mask" in strict.stderr) == (1, True)


def test_one_photograph_alone_is_no_annotation_file(run, folder):
    result = run("batch", "photos/a.jpg", *MASKS, *NOTHING_DONE)
    assert (result.exit_code, result.stdout) == (0, "photos/a.jpg\tlabels/a_final.png\tout/a.*\n")


@pytest.mark.parametrize("more", [["photos"], ["labels.json"]])
def test_folders_among_photographs_are_wrong_usage(run, folder, more):
    result = run("batch", "photos/a.jpg", *more, "-o", "out")
    assert (result.exit_code, "among several files: give one folder" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.replace("/", "\\").encode(),
    ],
    ids=["UTF-8 with a mark", "PowerShell 5", "UTF-16 BE", "backslashes"],
)
def test_lists_as_windows_writes_them(run, folder, encode):
    listed = encode("photos/a.jpg\r\nphotos/s/b.jpg\r\n")
    result = run("batch", "photos", "--files-from", "-", *MASKS, *NOTHING_DONE, stdin=listed)
    assert result.exit_code == 0, result.stderr
    masks = [line.split("\t")[1] for line in result.stdout.splitlines()]
    assert masks == ["labels/a_final.png", "labels/s/b_final.png"]


def test_a_list_of_pairs_and_what_dry_run_prints(run, folder):
    shown = run("batch", "photos", *MASKS, *NOTHING_DONE).stdout
    for listed in (shown, "photos/a.jpg\tlabels/a_final.png\nphotos/s/b.jpg\tlabels/s/b_final.png\n"):
        assert run("batch", "--files-from", "-", *NOTHING_DONE, stdin=listed).stdout == shown


def test_several_photographs_of_the_default_command_name_batch(run, folder):
    result = run("photos/a.jpg", "photos/s/b.jpg")
    assert result.exit_code == 2
    assert "2 photographs were given" in result.stderr
    assert "spnrefine batch --files-from LIST" in result.stderr


def test_off_a_terminal_a_line_at_times_says_how_far_it_is(run, folder, monkeypatch):
    (folder / "photos/notes.txt").write_text("x")
    monkeypatch.setattr(streams, "SECONDS_A_LINE", 0)
    loud = run("batch", "photos", *MASKS, "-o", "out")
    assert "1 of 2 after 0." in loud.stderr
    assert "1 files in photos that are no photographs (1 .txt)" in loud.stderr
    quiet = run("batch", "photos", *MASKS, "-o", "out", "--overwrite", "--quiet")
    assert quiet.stderr == "2 refined of 2.\n"


def test_a_mask_of_another_size_after_the_option_and_before_the_photograph(run, folder, pair):
    Image.fromarray(np.zeros((40, 50), np.uint8)).save("half.png")
    assert run("--resize-mask", "photos/a.jpg", "--mask", "half.png", "-o", "x.png").exit_code == 0
    assert run("--resize-mask", "letterbox", "photos/a.jpg", "--mask", "half.png", "-o", "y.png").exit_code == 0
    assert run("photos/a.jpg", "--mask", "half.png", "-o", "z.png").exit_code == 1
    wrong = run("photos/a.jpg", "--mask", "half.png", "-o", "z.png", "--resize-mask=stretch")
    assert (wrong.exit_code, "neither plain nor letterbox" in wrong.stderr) == (2, True)


def test_none_is_void_and_words_are_not(run, folder):
    assert run("photos/a.jpg", "--mask", "labels/a_final.png", "-o", "x.png", "--void", "none").exit_code == 0
    wrong = run("photos/a.jpg", "--mask", "labels/a_final.png", "-o", "y.png", "--void", "nothing")
    assert (wrong.exit_code, "give a whole number, or none" in wrong.stderr) == (2, True)


def test_what_an_empty_mask_holds_is_said(run, folder):
    for value, words in ((0, "all its values are 0"), (9, "its values are 9, none above a tenth of 255: --labels")):
        Image.fromarray(np.full((80, 100), value, np.uint8)).save("m.png")
        result = run("photos/a.jpg", "--mask", "m.png", "-o", f"{value}.png", "--json")
        assert result.exit_code == 0
        assert words in result.stderr
        assert json.loads(result.stdout)["notes"][0] in result.stderr


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (("--overlay", "look", "--compare", "look/"), "--overlay look is --compare too"),
        (("--cutout", "out"), "--cutout out is -o too"),
        (("--doubt", "d", "--cutout", "d"), "--cutout d is --doubt too"),
        (("--overlay", "photos"), "--overlay photos is the folder of the photographs too"),
        (("--doubt", "labels"), "--doubt labels is the folder of the masks too"),
    ],
)
def test_pictures_go_to_folders_of_their_own(run, folder, places, said):
    result = run("batch", "photos", *MASKS, "-o", "out", *places)
    assert result.exit_code == 2
    assert f"Error: {said}: give it a folder of its own." in result.stderr
    assert not (folder / "out").exists()


def test_pictures_of_another_format_may_lie_beside_the_masks(run, folder):
    assert run("batch", "photos", *MASKS, "-o", "out", "--overlay", "out").exit_code == 0
    assert outputs(folder) == ["a.jpg", "a.png", "s/b.jpg", "s/b.png"]
