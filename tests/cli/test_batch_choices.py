"""What somebody did again with options of its own, took back, or put there herself: no later run undoes it."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw
from tests.pictures import open_picture


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three small photographs, one of them in a folder of its own, and their masks, among which the run stands."""
    for number, name in enumerate(("a", "b", "sub/a")):
        image, coarse = draw(40, 48, seed=number)
        for kind, pixels, suffix in (("photos", image, "jpg"), ("masks", (coarse > 127) * np.uint8(255), "png")):
            path = tmp_path / kind / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


BATCH = "batch", "photos", "--mask-dir", "masks", "-o", "out"


def statuses(result):
    records = [json.loads(line) for line in result.stdout.splitlines()]
    return {record["image"].removeprefix("photos/"): record["status"] for record in records}


def pixels(path):
    return np.asarray(open_picture(path))


def test_a_redo_touches_what_is_named_alone_and_is_kept(run, folder):
    assert run(*BATCH).exit_code == 0
    usual = {path: path.read_bytes() for path in (folder / "out").rglob("*.png")}
    result = run(*BATCH, "--only", "b,sub/a", "--band", 0, "--json")
    assert result.exit_code == 0, result.stderr
    assert list(statuses(result)) == ["b.jpg", "sub/a.jpg"]
    redone = {path: path.read_bytes() for path in usual}
    assert [str(path.relative_to(folder / "out")) for path in usual if usual[path] != redone[path]] == [
        "b.png",
        "sub/a.png",
    ]
    later = run(*BATCH, "--resume", "--json")
    assert set(statuses(later).values()) == {"skipped"}
    assert "asked for by name" in later.stdout
    assert {path: path.read_bytes() for path in usual} == redone
    assert run(*BATCH, "--only", "b").exit_code == 0  # the usual options again
    assert (folder / "out/b.png").read_bytes() == usual[folder / "out/b.png"]


@pytest.mark.parametrize("option", ["ONLY", "KEEP_COARSE"])
def test_names_in_a_variable_may_hold_spaces(run, folder, monkeypatch, option):
    for path in (folder / "photos/b.jpg", folder / "masks/b.png"):
        path.rename(path.with_stem("b c"))
    monkeypatch.setenv(f"SPNREFINE_{option}", "b c,sub/a")
    result = run(*BATCH, "--json")
    assert result.exit_code == 0, result.stderr
    assert list(statuses(result)) == ["b c.jpg", "sub/a.jpg"]


def test_other_options_leave_a_redo_alone_until_its_mask_changes(run, folder):
    run(*BATCH, "--only", "b", "--band", 0)
    later = statuses(run(*BATCH, "--resume", "--threshold", 0.6, "--json"))
    assert later == {"a.jpg": "refined", "b.jpg": "skipped", "sub/a.jpg": "refined"}
    Image.fromarray(255 - pixels(folder / "masks/b.png")).save(folder / "masks/b.png")
    assert statuses(run(*BATCH, "--resume", "--threshold", 0.6, "--json"))["b.jpg"] == "refined"


def test_a_coarse_mask_that_is_kept_stays(run, folder):
    run(*BATCH)
    result = run(*BATCH, "--keep-coarse", "photos/a.jpg", "--json")
    assert statuses(result) == {"a.jpg": "kept"}, result.stderr
    np.testing.assert_array_equal(pixels(folder / "out/a.png"), pixels(folder / "masks/a.png"))
    assert set(statuses(run(*BATCH, "--resume", "--json")).values()) == {"skipped"}
    np.testing.assert_array_equal(pixels(folder / "out/a.png"), pixels(folder / "masks/a.png"))


def test_a_mask_taken_back_by_hand_is_hers_until_she_asks(run, folder):
    run(*BATCH)
    (folder / "out/b.png").write_bytes((folder / "masks/b.png").read_bytes())
    for _ in range(2):
        result = run(*BATCH, "--resume", "--json")
        assert result.exit_code == 0
        assert statuses(result)["b.jpg"] == "by hand"
    assert "put there or edited by hand: out/b.png." in result.stderr
    assert "out/b.png exists, put there or edited by hand: keep it, or" in run(*BATCH, "--only", "b").stderr
    assert statuses(run(*BATCH, "--only", "b", "--overwrite", "--json")) == {"b.jpg": "refined"}
    assert set(statuses(run(*BATCH, "--resume", "--json")).values()) == {"skipped"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "c"), "--only c is none of the photographs: "),
        (("--only", ""), "--only was given '', which names nothing: "),
        (("--keep-coarse", " , "), "--keep-coarse was given ' , ', which names nothing: "),
        (("--only", "sub/b"), "perhaps sub/a is meant."),
        (("--only", "a.jpg", "--keep-coarse", "out/a.png"), "photos/a.jpg was given to --only and --keep-coarse: "),
    ],
)
def test_a_name_that_fits_nothing_is_said(run, folder, options, said):
    result = run(*BATCH, *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (folder / "out").exists()


def test_a_name_of_several_is_refused_where_none_is_named_exactly(run, folder):
    (folder / "photos/a.jpg").unlink()
    (folder / "photos/more").mkdir()
    (folder / "photos/more/a.jpg").write_bytes((folder / "photos/sub/a.jpg").read_bytes())
    result = run(*BATCH, "--only", "a")
    assert "--only a fits 2 photographs, photos/more/a.jpg, photos/sub/a.jpg: give its folder too." in result.stderr


def test_a_mask_may_be_named_as_other_commands_print_it(run, folder):
    for name in ("a", "b", "sub/a"):
        mask = folder / f"masks/{name}.png"
        mask.rename(mask.with_name(f"{mask.stem}_final.png"))
    batch = *BATCH, "--mask-pattern", "{stem}_final.png"
    for name, photograph in (("masks/sub/a_final.png", "sub/a.jpg"), ("b_final", "b.jpg")):
        assert statuses(run(*batch, "--only", name, "--json")) == {photograph: "refined"}
    assert "--only a_final fits 2 photographs" in run(*batch, "--only", "a_final").stderr


def test_a_name_with_a_comma_is_one_name(run, folder):
    for kind, suffix in (("photos", "jpg"), ("masks", "png")):
        (folder / kind / f"a.{suffix}").rename(folder / kind / f"a,b.{suffix}")
    assert statuses(run(*BATCH, "--only", "a,b", "--json")) == {"a,b.jpg": "refined"}


def test_a_page_is_brought_up_to_date_and_rows_are_drawn(run, folder):
    page = "--report", "page.html"
    run(*BATCH, *page)
    result = run(*BATCH, "--only", "b", *page, "--compare", "rows", "--overlay", "look", "--overlay-style", "outline")
    assert result.exit_code == 0, result.stderr
    data = json.loads(re.search(r'id="report">(.*?)</script>', (folder / "page.html").read_text())[1])
    assert {item["image"]: item["new"] for item in data["items"]} == {
        "photos/a.jpg": False,
        "photos/b.jpg": True,
        "photos/sub/a.jpg": False,
    }
    assert open_picture(folder / "rows/b.jpg").size[0] == 4 * 48
    assert [path.name for path in (folder / "look").iterdir()] == ["b.jpg"]
    (folder / "page.html").write_text("hers")
    assert "page.html exists" in run(*BATCH, "--only", "b", *page).stderr
    assert (folder / "page.html").read_text() == "hers"
