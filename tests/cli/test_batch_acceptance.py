"""Hundreds of good and bad files in one nested folder: all that is good comes out, all that is bad is named."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw

SOME, MANY = 40, 300
FOLDERS = (".", "a", "a/b", "ünï côde", "a/b/c")
BAD = 9  # photographs that cannot be refined: three corrupt files, the pair that collides, and four more


class Made(NamedTuple):
    """A folder of photographs and masks: the names of the good ones, and by name what is wrong with the others."""

    folder: Path
    good: list[str]
    bad: dict[str, str]


@pytest.fixture(params=[SOME, pytest.param(MANY, marks=pytest.mark.slow(reason="refines 300 three times"))])
def made(request, tmp_path):
    return make(tmp_path, request.param)


def make(folder: Path, count: int) -> Made:
    """Write ``count`` photographs, `BAD` of them bad, and their masks of every common kind."""
    good, bad = [], {}
    for number in range(count - BAD):
        name = f"{FOLDERS[number % len(FOLDERS)]}/{number:03}".removeprefix("./")
        _write(folder, name, number, kind=number // len(FOLDERS))
        good.append(name)
    for name in ("cut", "a/empty", "a/b/garbage", "a/b/lonely", "small", "two masks", "ünï côde/no picture"):
        _write(folder, name, 0)
    photos, masks = folder / "photos", folder / "masks"
    for path, data, said in (
        (photos / "cut.jpg", (photos / "cut.jpg").read_bytes()[:-200], "cut short"),
        (photos / "a/empty.jpg", b"", "is empty (0 bytes)"),
        (masks / "a/b/garbage.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "is not a whole picture"),
        (photos / "ünï côde/no picture.jpg", b"<html>not found</html>", "is not a whole picture"),
    ):
        path.write_bytes(data)
        bad[path.relative_to(photos if path.suffix == ".jpg" else masks).with_suffix(".jpg").as_posix()] = said
    (masks / "a/b/lonely.png").unlink()
    Image.new("L", (5, 5)).save(masks / "small.png")
    Image.open(masks / "two masks.png").save(masks / "two masks.tif")
    _write(folder, "a/twin", 1)
    Image.open(photos / "a/twin.jpg").save(photos / "a/twin.png")
    bad |= {"a/b/lonely.jpg": "no mask ", "small.jpg": "5 x 5", "two masks.jpg": "several masks fit"}
    bad |= {f"a/twin{suffix}": "2 photographs share the name a/twin" for suffix in (".jpg", ".png")}
    assert len(good) + len(bad) == count
    return Made(folder, good, bad)


def _write(folder: Path, name: str, seed: int, kind: int = 0) -> None:
    """Write a photograph of a few pixels, and its mask as gray, palette, 16-bit, alpha, TIFF, NPY or nothing at all."""
    image, coarse = draw(32 + seed % 7, 40, seed=seed % 20)
    inside = coarse > 127
    photo, mask = folder / "photos" / f"{name}.jpg", folder / "masks" / name
    for path in (photo, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(photo)
    gray = Image.fromarray(inside * np.uint8(255))
    if kind % 7 == 1:
        gray = Image.fromarray(inside * np.uint8(7))
        gray.putpalette(bytes(range(24)))
    elif kind % 7 == 2:
        gray = Image.fromarray(inside * np.uint16(1000) + (inside & (np.arange(40) > 20)))  # two ids side by side
    elif kind % 7 == 3:
        gray = Image.fromarray(np.dstack([image, inside * np.uint8(255)]))
    elif kind % 7 == 6:
        gray = Image.fromarray(np.zeros_like(inside))
    if kind % 7 == 5:
        np.save(mask.with_name(mask.name + ".npy"), coarse.astype(np.float32) / 255)
    else:
        gray.save(mask.with_name(mask.name + (".tif" if kind % 7 == 4 else ".png")))


def arguments(made: Made, out: str, *more: object) -> list[str]:
    folder = made.folder
    given = (
        "batch",
        folder / "photos",
        "--mask-dir",
        folder / "masks",
        "-o",
        folder / out,
        "--json",
        "--strict",
        *more,
    )
    return [str(argument) for argument in (*given, *more)]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def records(result) -> dict[str, dict]:
    """The records of a run, by the photograph's path in photos/."""
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {record["image"].partition("/photos/")[2]: record for record in found}


def check_bad_are_named(result, made: Made) -> None:
    assert result.exit_code == 1
    failed = {name: record["error"] for name, record in records(result).items() if record["status"] == "failed"}
    assert failed.keys() == made.bad.keys()
    named = [line for line in result.stderr.splitlines() if line.startswith("Failed: ")]
    assert len(named) == len(made.bad)
    for name, said in made.bad.items():
        assert said in failed[name]
        assert f"Failed: {made.folder}/photos/{name}: {failed[name]}" in named


def check_killed_and_resumed(run, made: Made, out: str, jobs: int, whole: dict[str, bytes]) -> None:
    """Kill a run after a random number of files, and a moment later; resume it, and find the same bytes."""
    output = made.folder / out
    process = subprocess.Popen(
        [sys.executable, "-m", "spnrefine", *arguments(made, out, "--jobs", jobs)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wanted, deadline = random.randint(1, len(made.good) * 3 // 4), time.monotonic() + 100
    while len(list(output.rglob("[!.]*.*"))) < wanted and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(random.random() * 0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    for leftover in output.rglob(".spnrefine-*.tmp"):
        leftover.unlink()
    before = contents(output)
    assert before.items() <= whole.items()  # what a killed run leaves is whole
    result = run(*arguments(made, out, "--jobs", jobs, "--resume"))
    check_bad_are_named(result, made)
    statuses = Counter(record["status"] for record in records(result).values())
    assert len(before) - jobs <= statuses["skipped"] <= len(before)
    assert contents(output) == whole


def test_good_files_come_out_and_bad_ones_are_named_whatever_happens(run, made):
    result = run(*arguments(made, "out"))
    check_bad_are_named(result, made)
    whole = contents(made.folder / "out")
    assert {name.rpartition(".")[0] for name in whole} == set(made.good)
    statuses = Counter(record["status"] for record in records(result).values())
    assert {"refined", "empty", "failed"} <= statuses.keys()
    for jobs in (1, 4):
        check_killed_and_resumed(run, made, f"out {jobs}", jobs, whole)


def test_what_was_bad_and_is_mended_is_all_that_is_done_again(run, tmp_path):
    made = make(tmp_path, SOME)
    run(*arguments(made, "out"))
    whole = contents(tmp_path / "out")
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    for name in ("cut", "a/empty", "a/b/garbage", "a/b/lonely", "small", "two masks", "ünï côde/no picture"):
        _write(tmp_path, name, 0)
    (masks / "two masks.tif").unlink()
    (photos / "a/twin.png").rename(photos / "a/twin 2.png")
    (masks / "a/twin 2.png").write_bytes((masks / "a/twin.png").read_bytes())
    result = run(*arguments(made, "out", "--resume"))
    assert result.exit_code == 0, result.stderr
    statuses = Counter(record["status"] for record in records(result).values())
    assert statuses == {"skipped": len(made.good), "refined": BAD}
    after = contents(tmp_path / "out")
    assert whole.items() <= after.items()
    assert len(after) == SOME


def test_a_dry_run_names_what_can_be_known_before_work_starts(run, tmp_path):
    made = make(tmp_path, SOME)
    result = run(*[argument for argument in arguments(made, "out", "--dry-run") if argument != "--json"])
    assert result.exit_code == 1
    assert result.stdout.count("\n") == SOME
    for name in ("a/b/lonely.jpg", "two masks.jpg", "a/twin.jpg", "a/twin.png"):
        assert f"photos/{name}: " in result.stderr
        assert made.bad[name] in result.stderr
    assert not (tmp_path / "out").exists()
