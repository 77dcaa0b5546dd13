"""Batches that stop and go on, lists of files, and what is said of it."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch.place import beside
from tests.model.make_check import draw
from tests.pictures import open_picture

COUNT = 12


@pytest.fixture
def folder(tmp_path):
    """Twelve small photographs in two folders, with masks alike."""
    for i in range(COUNT):
        image, coarse = draw(40 + i, 48, seed=i)
        for kind, pixels, suffix in (("photos", image, "jpg"), ("masks", (coarse > 127) * np.uint8(255), "png")):
            path = tmp_path / kind / ("sub" if i % 2 else ".") / f"{i:02}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path


def arguments(folder, *more, out="out"):
    return [
        "batch",
        *map(str, (folder / "photos", "--mask-dir", folder / "masks", "-o", folder / out, *more)),
    ]


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def statuses(result):
    return [json.loads(line)["status"] for line in result.stdout.splitlines()]


def test_resume_skips_what_is_done_and_tells_its_numbers(run, folder):
    first = run(*arguments(folder, "--json"))
    times = {p: p.stat().st_mtime_ns for p in (folder / "out").rglob("*.png")}
    again = run(*arguments(folder, "--json", "--resume"))
    assert again.exit_code == 0
    assert statuses(again) == ["skipped"] * COUNT
    assert {p: p.stat().st_mtime_ns for p in times} == times
    for one, other in zip(first.stdout.splitlines(), again.stdout.splitlines(), strict=True):
        own = {"status": None, "time": None, "run": None}
        assert json.loads(one) | own == json.loads(other) | own


def test_resume_does_again_what_was_made_from_something_else(run, folder):
    run(*arguments(folder))
    shutil.copy(folder / "masks/02.png", folder / "masks/00.png")
    shutil.copy(folder / "photos/02.jpg", folder / "photos/00.jpg")
    result = run(*arguments(folder, "--json", "--resume"))
    assert result.exit_code == 0, result.stderr
    assert statuses(result).count("skipped") == COUNT - 1
    assert statuses(run(*arguments(folder, "--json", "--resume", "--threshold", 0.7))).count("skipped") == 0


def test_resume_never_replaces_what_it_did_not_write_or_somebody_changed(run, folder):
    run(*arguments(folder))
    edited, foreign = folder / "out/00.png", folder / "out/02.png"
    Image.new("L", (3, 3)).save(edited)
    beside(folder / "out").write_text(
        "".join(line for line in beside(folder / "out").read_text().splitlines(True) if '"02.png"' not in line)
    )
    before = contents(folder / "out")
    result = run(*arguments(folder, "--resume"))
    assert result.exit_code == 0
    assert f"Left as they are, put there or edited by hand: {edited}, {foreign}." in result.stderr
    assert contents(folder / "out") == before
    assert statuses(run(*arguments(folder, "--resume", "--json"))).count("by hand") == 2
    assert contents(folder / "out") == before


ALONE = pytest.mark.slow(reason="starts two processes more, in which less can go wrong than with three jobs")


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=ALONE), 3])
def test_killed_and_resumed_equals_uninterrupted(run, folder, jobs):
    assert run(*arguments(folder, "--jobs", 2, out="whole")).exit_code == 0
    command = [sys.executable, "-m", "spnrefine", *arguments(folder, "--jobs", jobs)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wanted = random.randint(1, COUNT - 2)
    deadline = time.monotonic() + 60
    while len(list((folder / "out").rglob("*.png"))) < wanted and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(list((folder / "out").rglob("*.png")))
    result = run(*arguments(folder, "--jobs", jobs, "--resume", "--json"))
    assert result.exit_code == 0, result.stderr
    assert done - jobs <= statuses(result).count("skipped") <= done
    assert contents(folder / "out") == contents(folder / "whole")


def test_a_ledger_cut_short_is_read(run, folder):
    run(*arguments(folder))
    path = beside(folder / "out")
    path.write_bytes(path.read_bytes()[:-20])
    assert statuses(run(*arguments(folder, "--json", "--resume"))).count("skipped") == COUNT - 1
    assert statuses(run(*arguments(folder, "--json", "--resume"))).count("skipped") == COUNT


def test_some_at_a_time(run, folder):
    counts = [
        statuses(run(*arguments(folder, "--json", "--resume", "--max-items", 5))).count("refined") for _ in range(4)
    ]
    assert counts == [5, 5, 2, 0]


def test_dry_run_shows_pairs_and_writes_nothing(run, folder):
    (folder / "masks/sub/01.png").unlink()
    result = run(*arguments(folder, "--dry-run"))
    assert result.exit_code == 0
    assert run(*arguments(folder, "--dry-run", "--strict")).exit_code == 1
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == [str(folder / "photos/00.jpg"), str(folder / "masks/00.png"), f"{folder / 'out/00'}.*"]
    assert len(lines) == COUNT
    assert f"no mask {folder / 'masks/sub/01'}.*" in result.stderr
    assert not (folder / "out").exists()
    assert not beside(folder / "out").exists()


def test_fail_fast_stops_at_the_first(run, folder):
    (folder / "photos/00.jpg").write_bytes(b"")
    result = run(*arguments(folder, "--fail-fast", "--json", "--jobs", 1))
    assert result.exit_code == 1
    assert statuses(result) == ["failed"]
    assert len(contents(folder / "out")) < COUNT - 1


def test_records_go_to_a_file(run, folder):
    (folder / "photos/00.jpg").write_bytes(b"")
    result = run(*arguments(folder, "--records", folder / "records.jsonl"))
    assert (result.exit_code, result.stdout) == (1, "")
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    assert [r["status"] for r in records].count("failed") == 1
    assert all(r["schema"] == 1 for r in records)
    assert "exists" in run(*arguments(folder, "--records", folder / "records.jsonl", out="b")).stderr
    assert not (folder / "b").exists()


def test_a_report_shows_every_mask_once(run, folder):
    (folder / "photos/00.jpg").write_bytes(b"")
    assert run(*arguments(folder, "--report", folder / "review.html")).exit_code == 1
    page = (folder / "review.html").read_text()
    data = json.loads(page.partition('id="report">')[2].partition("</script>")[0])
    assert len(data["items"]) == COUNT
    assert data["items"][0]["status"] == "failed"
    result = run(*arguments(folder, "--report", folder / "review.html", out="b"))
    assert "exists" in result.stderr
    assert not (folder / "b").exists()


def test_a_report_of_a_resumed_run_shows_what_was_skipped(run, folder):
    np.save(folder / "masks/00.npy", np.asarray(open_picture(folder / "masks/00.png")) / np.float32(255))
    (folder / "masks/00.png").unlink()
    pages = []
    for more in ((), ("--resume",), ("--resume", "--jobs", 3)):
        assert run(*arguments(folder, "--report", folder / "review.html", *more)).exit_code == 0
        pages.append((folder / "review.html").read_text())
    pictures = [re.findall(r'<script type="application/json" id="picture-\d+">.*?</script>', page) for page in pages]
    assert len(pictures[0]) == COUNT
    assert pictures[0] == pictures[1] == pictures[2]


def test_a_resumed_run_draws_the_overlays_that_are_missing(run, folder):
    run(*arguments(folder))
    assert run(*arguments(folder, "--resume", "--overlay", folder / "look")).exit_code == 0
    first = contents(folder / "look")
    assert len(first) == COUNT
    (folder / "look/00.jpg").unlink()
    (folder / "look/02.jpg").write_bytes(b"mine")
    (folder / "out/sub/01.png").unlink()
    result = run(*arguments(folder, "--resume", "--overlay", folder / "look", "--json"))
    assert statuses(result).count("skipped") == COUNT - 1
    assert contents(folder / "look") == first | {"02.jpg": b"mine"}


@pytest.mark.parametrize(("option", "separator"), [("--files-from", "\n"), ("--files0-from", "\0")])
def test_lists_of_files_from_standard_input(run, folder, option, separator):
    names = [str(folder / "photos/sub/01.jpg"), str(folder / "photos/00.jpg")]
    settings = ["--mask-dir", folder / "masks", "-o", folder / "out", "--json"]
    result = run("batch", option, "-", *settings, stdin=separator.join(names))
    assert result.exit_code == 0, result.stderr
    assert [json.loads(line)["image"] for line in result.stdout.splitlines()] == names
    assert sorted(contents(folder / "out")) == ["00.png", "sub/01.png"]


@pytest.mark.parametrize(
    ("names", "said"),
    [("", "empty"), ("/etc/passwd", "not in")],
)
def test_bad_lists_are_one_sentence(run, folder, monkeypatch, names, said):
    monkeypatch.chdir(folder)
    result = run("batch", "photos", "--files-from", "-", "--mask-dir", "masks", "-o", "out", stdin=names)
    assert result.exit_code == (1 if names else 4)
    assert said in result.stderr
    assert not (folder / "out").exists()


def test_masks_beside_the_photographs(run, folder):
    for mask in (folder / "masks").rglob("*.png"):
        photo = folder / "photos" / mask.relative_to(folder / "masks")
        shutil.move(mask, photo.with_name(f"{mask.stem}_mask.png"))
    shutil.rmtree(folder / "masks")
    result = run("batch", folder / "photos", "-o", folder / "out")
    assert result.exit_code == 0, result.stderr
    assert f"{COUNT} refined of {COUNT}" in result.stderr
    assert open_picture(folder / "out/00.png").size == (48, 40)


def test_neither_folder_nor_list_is_wrong_usage(run, folder):
    assert run("batch", "-o", folder / "out").exit_code == 2
    assert run("batch", "--files-from", "a", "--files0-from", "b", "-o", folder / "out").exit_code == 2


def test_resume_sees_that_the_colours_of_classes_changed(run, folder):
    for mask in (folder / "masks").rglob("*.png"):
        Image.fromarray(
            np.repeat(np.asarray(open_picture(mask))[..., None], 3, axis=2) // 255 * np.uint8([200, 0, 0])
        ).save(mask)
    (folder / "masks/labelmap.txt").write_text("background:0,0,0::\ncat:200,0,0::\n")
    assert run(*arguments(folder)).exit_code == 0
    assert statuses(run(*arguments(folder, "--json", "--resume"))) == ["skipped"] * COUNT
    (folder / "masks/labelmap.txt").write_text("background:0,0,0::\nvoid:200,0,0::\n")
    assert "skipped" not in statuses(run(*arguments(folder, "--json", "--resume")))


@pytest.mark.parametrize("option", ["--records", "--report"])
def test_resume_replaces_records_and_reports_of_its_own_alone(run, folder, option):
    assert run(*arguments(folder, "--max-items", 1, option, folder / "own")).exit_code == 0
    (folder / "others").write_text("precious")
    refused = run(*arguments(folder, "--resume", option, folder / "others"))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "others exists" in refused.stderr
    assert (folder / "others").read_text() == "precious"
    assert run(*arguments(folder, "--resume", option, folder / "own")).exit_code == 0


@pytest.mark.parametrize("option", ["--records", "--report"])
def test_records_and_reports_never_overwrite_a_photograph(run, folder, option):
    before = (folder / "photos/00.jpg").read_bytes()
    refused = run(*arguments(folder, "--overwrite", option, folder / "photos/00.jpg"))
    assert refused.exit_code == 1
    assert "never overwritten" in refused.stderr
    assert (folder / "photos/00.jpg").read_bytes() == before


def test_a_ledger_with_lines_of_others_is_read_all_the_same(run, folder):
    assert run(*arguments(folder, "--max-items", 2)).exit_code == 0
    with beside(folder / "out").open("a") as file:
        file.write('{"output": 5}\n{"key": "x", "mask": 3}\n[1]\nnull\n\0\n{"output": "a", "record": 3}\n')
    result = run(*arguments(folder, "--json", "--resume"))
    assert result.exit_code == 0, result.stderr
    assert statuses(result).count("skipped") == 2


def test_the_same_command_again_names_resume_once(run, folder):
    """Not once for each of the masks that are there, as long as all is as it was written."""
    run(*arguments(folder))
    again = run(*arguments(folder))
    assert again.exit_code == 1
    assert again.stderr.count("exists as an earlier run wrote it: skip what is done with --resume") == 1
    edited = next((folder / "out").rglob("*.png"))
    edited.write_bytes(edited.read_bytes() + b" ")
    assert f"{edited} exists: choose another output or pass --overwrite." in run(*arguments(folder)).stderr
