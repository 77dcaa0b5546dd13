"""What file names and annotation files say never reaches the terminal raw; JSON and results in pipes stay exact."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from spnrefine.cli import streams
from spnrefine.errors import printable
from tests.annotations.making import save_photograph

pytestmark = pytest.mark.faults

EVIL = "\x1b]0;owned\x07\x1b[2J\r\n\t\x9b31m\u202egnp.\u2066x\u2028\x7f"
"""A title, a cleared screen, new lines, the eight-bit form of an escape, and names written backwards."""
RAW = [character for character in EVIL if not character.isprintable()]


def is_plain(text):
    return all(character == "\n" or character.isprintable() for character in text)


def test_escapes_tell_what_was_there():
    assert printable("a\x1b[31m\n\u202e\x9b\udcff.jpg") == r"a\x1b[31m\n\u202e\x9b\xff.jpg"
    for name in ("фото é 1.jpg", "100 %.png", "c:\\new", "\N{FAMILY}"):
        assert printable(name) == name
    assert is_plain(printable("".join(map(chr, range(0xA0)))))


@pytest.fixture
def evil(pair, monkeypatch):
    """A folder with a photograph whose name is hostile, and annotations that say hostile things."""
    folder = pair[0].parent
    monkeypatch.chdir(folder)
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    shutil.copy(pair[1], "masks/a.png")
    try:
        shutil.copy(pair[0], f"photos/{EVIL}.jpg")
    except OSError:
        pytest.skip("this file system takes no such name")
    save_photograph(folder / "photos" / "a.png")
    shape = {"shape_type": "polygon", "points": [[1, 1], [50, 1], [50, 50]]}
    shapes = [shape, shape | {"points": [[EVIL]]}, shape | {"shape_type": "mask", "mask": EVIL}]
    (folder / "labels").mkdir()
    (folder / "labels" / f"{EVIL}.json").write_text(json.dumps({"imagePath": EVIL, "shapes": shapes}))
    return folder


COMMANDS = {
    "refine": ["photo.jpg", "--mask", f"photos/{EVIL}.jpg"],
    "refine a stranger": [f"{EVIL}.jpg", "--mask", "coarse.png"],
    "usage": [f"--{EVIL}"],
    "a value": ["photo.jpg", "--threshold", EVIL],
    "a command": ["photo.jpg", EVIL],
    "a model": ["photo.jpg", "--mask", "coarse.png", "--model", EVIL],
    "batch": ["batch", "photos", "--mask-dir", "masks", "-o", "out", "--strict"],
    "dry run": ["batch", "photos", "--mask-dir", "masks", "-o", "out", "--strict", "--dry-run"],
    "dry run of annotations": ["batch", "labels", "--images", "photos", "-o", "out", "--dry-run"],
    "annotations": ["batch", "labels", "--images", "photos", "-o", "out"],
    "debug": ["--debug", f"{EVIL}.jpg", "--mask", "coarse.png"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_hostile_names_are_written_out(run, evil, arguments):
    result = run(*arguments)
    assert r"\x1b]0;owned\x07" in result.output
    assert is_plain(result.stderr)
    assert is_plain(result.stdout.replace("\t", ""))


def test_json_stays_exact(run, evil):
    result = run("batch", "photos", "--mask-dir", "masks", "-o", "out", "--json", "--strict")
    assert f"photos/{EVIL}.jpg" in [json.loads(line)["image"] for line in result.stdout.splitlines()]


def test_a_result_is_exact_in_a_pipe_and_plain_on_a_terminal(run, evil, monkeypatch):
    line = [f"photos/{EVIL}.jpg", "--mask", "coarse.png", "--overwrite"]
    assert run(*line).stdout_bytes == os.fsencode(f"photos/{EVIL}_refined.png\n")
    monkeypatch.setattr(streams, "is_terminal", lambda stream: stream is sys.stdout)
    assert run(*line).stdout == printable(f"photos/{EVIL}_refined.png") + "\n"


def test_tables_take_no_markup(run, evil):
    folders = ("images", "coarse", "truth")
    for folder, file in zip(folders, ("photo.jpg", "coarse.png", "coarse.png"), strict=True):
        (evil / folder).mkdir()
        shutil.copy(evil / file, evil / folder / f"[red]\x1b[2J[b]{Path(file).suffix}")
    result = run("eval", "--images", "images", "--coarse", "coarse", "--truth", "truth", "--details")
    assert result.exit_code == 0, result.stderr
    assert r"[red]\x1b[2J[b]" in result.stdout
