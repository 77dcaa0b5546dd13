"""Which mask goes with which photograph, and where the refined one goes."""

from pathlib import Path

import pytest

from spnrefine.batch.lists import pairs_of
from spnrefine.batch.pairing import find_pairs, find_photographs, pair_files, without_masks
from spnrefine.batch.pairs import Rules
from spnrefine.batch.patterns import Pattern
from spnrefine.errors import FileError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def rules(
    pattern: str | None = None, masks: str | None = None, name: str | None = None, *, strict: bool = False
) -> Rules:
    return Rules(
        None if masks is None else Path(masks),
        Pattern(pattern, "--mask-pattern") if pattern else None,
        Pattern(name, "--name", ("stem", "name", "mask")) if name else None,
        strict,
    )


def paired(*given, **how) -> dict[str, str]:
    found = find_pairs(Path("photos"), rules(*given, **how), Path("out"))
    return {str(pair.photograph): str(pair.mask) for pair in found.pairs}


@pytest.mark.parametrize(
    ("mask", "pattern", "masks"),
    [
        ("masks/s/a_mask_final.png", "{stem}_mask_final.png", "masks"),
        ("masks/s/a.jpg.png", "{name}.png", "masks"),
        ("masks/s/a_cp_masks.tif", "{stem}_cp_masks.*", "masks"),
        ("photos/s/a_label.png", "{stem}_label.png", None),
        ("photos/labels/a.png", "../labels/{stem}.png", None),
        ("masks/s/mask_a_17.png", "mask_{stem}_??.png", "masks"),
    ],
)
def test_names_of_masks_by_a_pattern(here, mask, pattern, masks):
    make("photos/s/a.jpg", mask, "photos/s/b.jpg")
    found = find_pairs(Path("photos"), rules(pattern, masks), Path("out"))
    assert [(str(pair.photograph), pair.mask and str(pair.mask)) for pair in found.pairs] == [
        ("photos/s/a.jpg", mask),
        ("photos/s/b.jpg", None),
    ]
    assert found.pairs[1].without
    assert not found.pairs[1].problem


def test_an_ending_of_the_photographs_is_taken_off(here):
    make("left/aachen/a_1_left8.png", "left/aachen/other.png", "gt/aachen/a_1_gtFine.png")
    found = find_pairs(Path("left"), rules("{stem-_left8}_gtFine.png", "gt"), Path("out"))
    assert [pair.mask for pair in found.pairs] == [Path("gt/aachen/a_1_gtFine.png"), None]


def test_brackets_and_stars_in_a_name_are_no_wildcards(here):
    make("photos/a[1].jpg", "photos/a*.jpg", "masks/a[1]_x.png", "masks/a1_x.png", "masks/a*_x.png", "masks/ab_x.png")
    assert paired("{stem}_?.png", "masks") == {
        "photos/a*.jpg": "masks/a*_x.png",
        "photos/a[1].jpg": "masks/a[1]_x.png",
    }


@pytest.mark.parametrize("text", ["masks.png", "{foo}.png", "{mask}.png", "{name-x}.png"])
def test_patterns_that_mean_nothing(text):
    with pytest.raises(FileError, match=r"--mask-pattern .* expected {stem}, {name} or {stem-ENDING}"):
        Pattern(text, "--mask-pattern")


@pytest.mark.parametrize(
    ("masks", "named", "proposed"),
    [
        (["masks/IMG_1_mask_final.png", "masks/IMG_2_mask_final.png", "masks/x.png"], "masks", "{stem}_mask_final.png"),
        (["masks/IMG_1.jpg.png"], "masks", "{name}.png"),
        (["photos/IMG_1_seg.png", "photos/IMG_2_seg.png"], None, "{stem}_seg.png"),
        (["labels/IMG_1_x.png"], None, "--mask-dir labels --mask-pattern '{stem}_x.png'"),
        (["labels/IMG_1.png"], None, "--mask-dir labels would"),
        (["masks/sub/mIMG_2.png"], "masks", "sub/m{stem}.png"),
    ],
)
def test_where_nothing_pairs_what_lies_there_and_what_would_fit_are_named(here, masks, named, proposed):
    make("photos/IMG_1.jpg", "photos/IMG_2.jpg", *masks)
    with pytest.raises(FileError) as error:
        find_pairs(Path("photos"), rules(masks=named), Path("out"))
    text = str(error.value)
    assert proposed in text
    assert f"holds {len(masks)} such as" in text
    assert f"would find {sum('IMG' in mask for mask in masks)}" in text


def test_where_there_are_no_masks_none_are_made_up(here):
    make("photos/a.jpg")
    for find in (
        lambda: find_pairs(Path("photos"), Rules(), Path("out")),
        lambda: pair_files([(Path("photos/a.jpg"), None)], None, Rules(), Path("out")),
    ):
        with pytest.raises(FileError, match=r"photos has no masks, .* and --backbone object makes masks\.$"):
            find()


def test_a_photograph_without_a_mask_is_no_failure_unless_strict(here):
    make("photos/a.jpg", "photos/b.jpg", "photos/a_mask.png")
    lax, strict = (find_pairs(Path("photos"), rules(strict=s), Path("out")).pairs for s in (False, True))
    assert [(pair.problem, bool(pair.without)) for pair in lax] == [(None, False), (None, True)]
    assert [bool(pair.problem) for pair in strict] == [False, True]


def test_refined_masks_may_have_their_masks_names_and_folders(here):
    make("photos/a.jpg", "photos/s/a.jpg", "masks/x/a_final.png", "masks/x/s/a_final.png")
    found = find_pairs(Path("photos"), rules("../masks/x/{stem}_final.png", name="{mask}"), Path("out"))
    assert (found.pairs[0].folder, found.pairs[0].stem) == (Path("out"), "a_final")  # it lies outside photos/
    make("masks/s/a_final.png", "masks/a_final.png")
    found = find_pairs(Path("photos"), rules("{stem}_final.png", "masks", "{mask}"), Path("out"))
    assert [pair.folder / pair.stem for pair in found.pairs] == [Path("out/a_final"), Path("out/s/a_final")]
    found = find_pairs(Path("photos"), rules("{stem}_final.png", "masks", "{stem}_fine"), Path("out"))
    assert [pair.folder / pair.stem for pair in found.pairs] == [Path("out/a_fine"), Path("out/s/a_fine")]
    found = find_pairs(Path("photos"), rules("{stem}_final.png", "masks", "../{stem}"), Path("out"))
    assert all("expected a name in the folder" in pair.problem for pair in found.pairs)


def test_results_that_would_share_a_name_are_told(here):
    make("photos/a.jpg", "photos/a.png", "masks/a.png", "masks/b.png")
    pairs = find_pairs(Path("photos"), rules(masks="masks"), Path("out")).pairs
    assert ["share the name a" in pair.problem for pair in pairs] == [True, True]
    listed = [(Path("photos/a.jpg"), Path("masks/a.png")), (Path("photos/a.jpg"), Path("masks/b.png"))]
    assert all(pair.problem for pair in pair_files(listed, None, Rules(), Path("out")).pairs)
    named = pair_files(listed, None, rules(name="{mask}"), Path("out")).pairs
    assert [(pair.stem, pair.problem) for pair in named] == [("a", None), ("b", None)]


@pytest.mark.parametrize("out", ["masks", "masks/../masks"])
def test_the_folder_of_the_masks_is_refused(here, out):
    make("photos/a.jpg", "masks/a.jpg")
    with pytest.raises(FileError, match="is the folder of the coarse masks: give another folder"):
        find_pairs(Path("photos"), rules(masks="masks"), Path(out))
    listed = [(Path("photos/a.jpg"), Path("masks/a.jpg"))]
    with pytest.raises(FileError, match=r"coarse masks: give another folder\.$"):
        pair_files(listed, None, Rules(), Path(out))


def test_linked_folders_are_followed_and_loops_are_not(here):
    make("real/b.jpg", "photos/day1/a.jpg", "masks/day1/a.png", "realm/b.png")
    Path("photos/day2").symlink_to("../real")
    Path("masks/day2").symlink_to("../realm")
    Path("photos/day1/again").symlink_to("..")
    Path("real/round").symlink_to("../photos")
    assert paired(masks="masks") == {
        "photos/day1/a.jpg": "masks/day1/a.png",
        "photos/day2/b.jpg": "masks/day2/b.png",
    }


def test_what_is_left_out_is_said(here):
    make("photos/a.JFIF", "photos/b.avif", "photos/notes.txt", "photos/a_refined.png", "photos/.hidden.jpg")
    make("masks/a.png", "masks/b.gif", "masks/c.png")
    found = find_pairs(Path("photos"), rules(masks="masks"), Path("out"))
    assert [pair.mask for pair in found.pairs] == [Path("masks/a.png"), Path("masks/b.gif")]
    assert found.left_out == [
        "Left out: 1 files in photos that are no photographs (1 .txt).",
        "Left out: 1 refined masks (photos/a_refined.png).",
        "Left out: 1 masks of no photograph (masks/c.png).",
    ]
    assert find_photographs(Path("photos"), Path("out")).left_out == found.left_out[:2]


def test_a_photograph_that_a_list_names_twice_is_one(here):
    make("photos/a.jpg", "photos/b.jpg", "masks/a.png", "masks/b.png")
    listed = [(Path(name), None) for name in ("photos/a.jpg", "photos/b.jpg", "./photos/a.jpg")]
    for found in (
        pair_files(listed, None, rules(masks="masks"), Path("out")),
        without_masks(listed, None, Path("out")),
    ):
        assert [pair.photograph.name for pair in found.pairs] == ["a.jpg", "b.jpg"]
        assert found.left_out == ["photos/a.jpg is named 2 times: it is refined once."]


def test_lines_of_a_list(here):
    make("p/a.jpg", "p/tab\tin.jpg", "m/a.png", "p/back\\slash.jpg")
    lines = ["p/a.jpg", "p/a.jpg\tm/a.png", "p/a.jpg\tm/a.png\tout/a.*", "p/tab\tin.jpg", "p\\a.jpg\tm\\a.png"]
    a, m = Path("p/a.jpg"), Path("m/a.png")
    assert pairs_of(lines) == [(a, None), (a, m), (a, m), (Path("p/tab\tin.jpg"), None), (a, m)]
    assert pairs_of(["p/back\\slash.jpg", "p\\none.jpg", "p/a.jpg\t\t"]) == [
        (Path("p/back\\slash.jpg"), None),
        (Path("p\\none.jpg"), None),
        (a, None),
    ]
