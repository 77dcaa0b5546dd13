"""What a batch may never do to files that are not its own, and what no file may do to a batch."""

import json
import os
import shutil
import tracemalloc
from collections import Counter

import pytest
from PIL import Image

from spnrefine.batch.lines import encode
from spnrefine.batch.outputs import open_outputs
from spnrefine.batch.place import beside
from spnrefine.files.inputs import Inputs
from tests.model.make_check import draw
from tests.pictures import open_picture

NAMES = ["a", "b", "c"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Photographs with masks, and a COCO file of the same."""
    for kind in ("photos", "masks"):
        (tmp_path / kind).mkdir()
    segmentation = [[8, 8, 30, 8, 30, 30, 8, 30]]
    for number, name in enumerate(NAMES):
        image, coarse = draw(40, 48, seed=number)
        Image.fromarray(image).save(tmp_path / f"photos/{name}.jpg")
        Image.fromarray((coarse > 127).astype("uint8") * 255).save(tmp_path / f"masks/{name}.png")
    pictures = [{"id": n, "file_name": f"{name}.jpg", "height": 40, "width": 48} for n, name in enumerate(NAMES)]
    annotations = [{"id": n, "image_id": n, "category_id": 1, "segmentation": segmentation} for n in range(len(NAMES))]
    content = {"images": pictures, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (tmp_path / "list.txt").write_text("photos/a.jpg\nphotos/b.jpg\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


FILES = ("batch", "photos", "--mask-dir", "masks", "-o", "out", "--jobs", 1)
LISTED = ("batch", "--files-from", "list.txt", "--mask-dir", "masks", "-o", "out", "--jobs", 1)
COCO = ("batch", "coco.json", "--images", "photos", "--jobs", 1)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def statuses(folder):
    return [json.loads(line)["status"] for line in (folder / "records.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        (*FILES, "--records", "photos/b.jpg"),
        (*FILES, "--report", "masks/c.png"),
        (*FILES, "--report", "masks/labelmap.txt"),
        (*LISTED, "--records", "list.txt"),
        (*LISTED, "--report", "./photos/../list.txt"),
        (*LISTED, "--report", "weights.safetensors", "--model", "weights.safetensors"),
        (*COCO, "-o", "photos/a.jpg"),
        (*COCO, "-o", "new.json", "--records", "coco.json"),
        (*COCO, "-o", "new.json", "--report", "photos/c.jpg"),
        (*COCO, "-o", "new.json", "--report", "hard"),
        (*COCO, "-o", "soft"),
    ],
    ids=range(11),
)
def test_no_output_is_any_input_of_the_run(run, folder, line):
    (folder / "masks/labelmap.txt").write_text("background:0,0,0::\ncat:255,255,255::\n")
    shutil.copy(weights(), folder / "weights.safetensors")
    (folder / "hard").hardlink_to(folder / "photos/b.jpg")
    (folder / "soft").symlink_to("photos/b.jpg")
    before = contents(folder)
    result = run(*line, "--overwrite")
    assert result.exit_code == 1
    assert "never overwritten" in result.stderr
    assert contents(folder) == before


def weights():
    from spnrefine.model.weights import find

    return find("general")


def test_another_pair_s_photograph_is_not_replaced_by_a_mask_or_an_overlay(run, folder):
    image = open_picture(folder / "photos/a.jpg")
    image.save(folder / "photos/z.png")  # where the mask of z.jpg would go
    (folder / "masks/z.png").hardlink_to(folder / "masks/a.png")
    (folder / "list.txt").write_text("photos/z.jpg\nphotos/sub/z.png\n")
    image.save(folder / "photos/z.jpg")
    (folder / "photos/sub").mkdir()
    shutil.move(folder / "photos/z.png", folder / "photos/sub/z.png")
    (folder / "masks/sub").mkdir()
    shutil.copy(folder / "masks/a.png", folder / "masks/sub/z.png")
    (folder / "out").mkdir()
    (folder / "out/z.png").symlink_to("../photos/sub/z.png")
    (folder / "look").mkdir()
    (folder / "look/sub").mkdir()
    (folder / "look/sub/z.jpg").hardlink_to(folder / "photos/z.jpg")
    before = {name: data for name, data in contents(folder).items() if name.startswith(("photos", "masks"))}
    result = run(*LISTED, "--overwrite", "--overlay", "look")
    assert result.exit_code == 1
    assert result.stderr.count("never overwritten") == 2
    assert contents(folder).items() >= before.items()


@pytest.mark.parametrize("killed", [False, True])
def test_resume_leaves_masks_that_somebody_edited(run, folder, monkeypatch, killed):
    """Whether the run before ended, or was killed between the mask and its overlay."""
    if killed:
        monkeypatch.setattr("spnrefine.batch.ledger.Ledger.finish", lambda *_, **__: None)
    assert run(*FILES).exit_code == 0
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    Image.new("L", (48, 40)).save(folder / "out/b.png")
    edited = (folder / "out/b.png").read_bytes()
    result = run(*FILES, "--resume", "--records", "records.jsonl")
    assert result.exit_code == 0
    assert statuses(folder) == (["refined", "by hand", "refined"] if killed else ["skipped", "by hand", "skipped"])
    assert "by hand: out/b.png." in result.stderr
    assert (folder / "out/b.png").read_bytes() == edited


def test_a_second_run_in_a_folder_is_refused(run, folder):
    first = open_outputs(folder / "out", "run", Inputs(), is_folder=True)
    for more in ((), ("--resume",), ("--overwrite",)):
        result = run(*FILES, *more)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "out is being written by another run (process " in result.stderr
    first.close()
    assert run(*FILES).exit_code == 0
    assert [path.name for path in sorted((folder / "out").iterdir())] == ["a.png", "b.png", "c.png"]


def damaged(data):
    """Spoil a ledger in ways that discs, editors and strangers have."""
    lines = data.splitlines(True)
    mask = next((line for line in lines if b'"mask": {' in line), lines[0])
    yield "cut short", data[: len(data) // 2]
    yield "zeros", data[: len(data) // 2] + bytes(len(data) - len(data) // 2)
    yield "foreign", json.dumps({"version": 1, "cells": [1, 2]}, indent=1).encode()
    yield "binary", bytes(range(256)) * 20
    yield "deep", b"[" * 100_000 + b"\n" + data
    yield "other size", data.replace(b'"size": [40, 48]', b'"size": [48, 40]')
    yield "a huge size", data.replace(b'"size": [40, 48]', b'"size": [99999, 99999]')
    yield "another box", data.replace(b'"box": [', b'"box": [1')
    yield "another mask", data.replace(b'"bits": "eJ', b'"bits": "fJ')
    yield "records of text", data.replace(b'"changed": ', b'"changed": "a", "was": ')
    yield "records of nothing", data.replace(b'"image"', b'"picture"')
    yield "keys of numbers", data.replace(b'"key": "', b'"key": 5, "was": "')
    yield "twice", data + data
    yield "without its sums", b"".join(line[: line.rindex(b', "sum"')] + b"}\n" for line in lines)
    forged = json.loads(mask)
    del forged["sum"]
    if "mask" in forged:
        forged["mask"] |= {"size": [99_999, 99_999], "box": [0, 99_999, 0, 99_999]}
    yield "forged", encode(forged) + data


@pytest.mark.slow  # fifteen batches, each of both kinds; tests/batch/test_lines.py is quick
@pytest.mark.parametrize("line", [FILES, (*COCO, "-o", "out")], ids=["files", "annotations"])
def test_a_damaged_ledger_costs_time_and_nothing_else(run, folder, line):
    assert run(*line).exit_code == 0
    out, ledger = folder / "out", beside(folder / "out")
    files = {path: path.read_bytes() for path in ([out] if out.is_file() else out.iterdir())}
    for what, data in damaged(ledger.read_bytes()):
        ledger.write_bytes(data)
        tracemalloc.start()
        result = run(*line, "--resume", "--report", f"{what}.html")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result.exit_code in (0, 1), (what, result.stderr)
        assert "bug" not in result.stderr, what
        assert {path: path.read_bytes() for path in files} == files, what
        assert most < 100e6, what


def test_one_bad_name_or_file_is_one_failure(run, folder):
    bad = {
        "loop": lambda path: path.symlink_to(path.name),
        "pipe": os.mkfifo,
        "zero": lambda path: path.symlink_to("/dev/zero"),
        "gone": lambda path: path.symlink_to("nowhere"),
    }
    good = (folder / "photos/a.jpg"), (folder / "masks/a.png")
    for name, make in bad.items():
        make(folder / f"masks/m{name}.png")
        shutil.copy(good[0], folder / f"photos/m{name}.jpg")
        make(folder / f"photos/p{name}.jpg")
        shutil.copy(good[1], folder / f"masks/p{name}.png")
    long = "n" * 251  # as long as a name may be; it has no mask, which is no failure
    shutil.copy(good[0], folder / f"photos/{long}.jpg")
    result = run(*FILES, "--records", "records.jsonl", "--report", "r.html", "--overlay", "look")
    assert result.exit_code == 1
    assert "bug" not in result.stderr
    failed = {
        json.loads(line)["image"] for line in (folder / "records.jsonl").read_text().splitlines() if '"failed"' in line
    }
    assert failed == {f"photos/{kind}{name}.jpg" for kind in "mp" for name in bad}
    assert Counter(statuses(folder))["refined"] == 3


BAD_NAMES = ["n" * 5000 + ".jpg", "nul\0l.jpg", "loop.jpg", "pipe.jpg", "half\ud800.jpg"]


@pytest.fixture
def bad_files(folder):
    (folder / "photos/loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(folder / "photos/pipe.jpg")


@pytest.mark.usefixtures("bad_files")
def test_each_bad_name_of_a_list_is_one_failure(run, folder):
    bad = BAD_NAMES[:4]
    (folder / "list.txt").write_text("".join(f"photos/{name}\n" for name in ("a.jpg", *bad, "b.jpg")))
    result = run(*LISTED, "--records", "records.jsonl", "--report", "r.html")
    assert result.exit_code == 1
    assert "bug" not in result.stderr
    assert statuses(folder) == ["refined", *["failed"] * len(bad), "refined"]


@pytest.mark.usefixtures("bad_files")
def test_each_bad_name_in_annotations_is_one_failure(run, folder):
    content = json.loads((folder / "coco.json").read_text())
    for number, name in enumerate(BAD_NAMES, 10):
        content["images"].append(content["images"][0] | {"id": number, "file_name": name})
        content["annotations"].append(content["annotations"][0] | {"id": number, "image_id": number})
    (folder / "coco.json").write_text(json.dumps(content))
    shown = run(*COCO, "-o", "new.json", "--dry-run")
    assert (shown.exit_code, shown.stdout.count("\n")) == (1, 3 + len(BAD_NAMES))
    more = ("-o", "new.json", "--records", "records.jsonl", "--report", "r.html", "--overlay", "look")
    for again, done in (((), "refined"), (("--resume",), "skipped")):
        result = run(*COCO, *more, *again)
        assert result.exit_code == 1
        assert "bug" not in result.stderr
        assert statuses(folder) == [done] * 3 + ["failed"] * len(BAD_NAMES)


def test_a_pipe_as_ledger_holds_nothing_up(run, folder):
    os.mkfifo(beside(folder / "out"))
    assert run(*FILES).exit_code == 0
    assert run(*FILES, "--resume", "--records", "records.jsonl").exit_code == 0
    assert statuses(folder) == ["skipped"] * 3
