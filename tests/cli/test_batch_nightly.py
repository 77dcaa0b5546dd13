"""What a nightly run tells the machine that runs it: exit codes, and records that grow."""

import json
import re
from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from spnrefine.model import weights
from spnrefine.version import ALGORITHM, __version__
from tests.model.make_check import draw

BATCH = "batch", "photos", "--mask-dir", "masks", "-o", "out"
COUNT = 4


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four small photographs and their masks, of which the last is damaged; the run stands among them."""
    image, coarse = draw(40, 48, seed=1)
    for kind in ("photos", "masks"):
        (tmp_path / kind).mkdir()
    for number in range(COUNT):
        Image.fromarray(image).save(tmp_path / f"photos/{number}.jpg")
        Image.fromarray((coarse > 127) * np.uint8(255)).save(tmp_path / f"masks/{number}.png")
    (tmp_path / f"masks/{COUNT - 1}.png").write_bytes(b"no mask")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("most", "code"), [(0, 1), (1, 3), ("24%", 1), ("25%", 3), (0.25, 3)])
def test_some_may_fail(run, folder, most, code):
    result = run(*BATCH, "--max-failures", most)
    assert result.exit_code == code
    assert "Failed: photos/3.jpg" in result.stderr
    assert ("more than --max-failures allows" in result.stderr) == (code == 1)


@pytest.mark.parametrize(("most", "fewest"), [(2, 3), ("10%", 4)])
def test_a_batch_ends_once_more_have_failed_than_may(run, folder, most, fewest):
    """As soon as that is certain, with all written that was done until then; a later run goes on from there."""
    for number in range(COUNT - 1, 30):
        (folder / f"photos/{number}.jpg").write_bytes((folder / "photos/0.jpg").read_bytes())
        (folder / f"masks/{number}.png").write_bytes(b"no mask")
    told = "--records", "records.jsonl", "--report", "page.html"
    result = run(*BATCH, "--max-failures", most, "--jobs", 1, *told)
    assert result.exit_code == 1
    found = [record["status"] for record in lines(folder / "records.jsonl")]
    assert fewest <= found.count("failed") < 20
    failed = found.count("failed")
    assert f"{failed} of 30 failed, which is more than --max-failures allows: nothing more was begun." in result.stderr
    assert (folder / "page.html").is_file()
    for number in range(COUNT - 1, 30):
        (folder / f"masks/{number}.png").write_bytes((folder / "masks/0.png").read_bytes())
    again = run(*BATCH, "--max-failures", most, "--resume", "--max-items", 1, "--json")
    assert again.exit_code == 0
    assert [json.loads(line)["status"] for line in again.stdout.splitlines()][-1] == "refined"


def test_nothing_fails_within_any_limit(run, folder):
    (folder / "photos/3.jpg").unlink()
    assert run(*BATCH, "--max-failures", 0).exit_code == 0


@pytest.mark.parametrize("most", ["-1", "101%", "some", "nan", "1.5", ""])
def test_what_is_no_limit_is_wrong_usage(run, folder, most):
    result = run(*BATCH, "--max-failures", most)
    assert result.exit_code == 2
    assert "is neither a number, as in 5, nor a share, as in 1%." in result.stderr


@pytest.mark.parametrize("how", [("empty",), ("--files-from", "list.txt")])
def test_an_empty_night_has_a_code_of_its_own(run, folder, how):
    (folder / "empty").mkdir()
    (folder / "list.txt").touch()
    for more, code in (((), 4), (("--allow-empty",), 0)):
        result = run("batch", *how, "--mask-dir", "masks", "-o", "out", *more)
        assert result.exit_code == code
        assert re.fullmatch(r"(Error: )?(empty holds no photographs|The list of files is empty): .+\.\n", result.stderr)
        assert result.stderr.startswith("Error") == (code == 4)


def test_masks_that_are_not_there_are_no_empty_night(run, folder):
    for mask in (folder / "masks").iterdir():
        mask.unlink()
    result = run(*BATCH, "--allow-empty", "--max-failures", "100%")
    assert result.exit_code == 1
    assert "None of 4 photographs has a mask" in result.stderr


def test_each_line_says_when_and_how(run, folder):
    run(*BATCH, "--band", 5, "--records", "records.jsonl")
    found = lines(folder / "records.jsonl")
    assert [record["status"] for record in found] == ["refined"] * 3 + ["failed"]
    for record in found:
        assert datetime.fromisoformat(record["time"]) >= datetime.fromisoformat(record["run"].pop("began"))
        assert record["run"].pop("host")
        assert record["run"] == {
            "version": __version__,
            "algorithm": ALGORITHM,
            "model": "general",
            "weights": " ".join(weights.describe(name).sha256 for name in ("general", "broad", "polygon")),
            "options": {"band": 5.0},
        }


def test_records_are_there_while_the_run_goes_on(run, folder, monkeypatch):
    from spnrefine.cli.summary import Tally

    seen = []
    add = Tally.add

    def look(tally, record):
        add(tally, record)
        seen.append(len(lines(folder / "records.jsonl")))

    monkeypatch.setattr(Tally, "add", look)
    run(*BATCH, "--records", "records.jsonl")
    assert seen == [1, 2, 3, 4]


def test_records_are_added_to_those_of_other_nights(run, folder):
    (folder / "records.jsonl").write_text('{"somebody": "else"}')  # with no end of its line
    for night in (1, 2):
        run(*BATCH, "--resume", "--records", "records.jsonl", "--append")
        found = lines(folder / "records.jsonl")
        assert [record.get("somebody") for record in found] == ["else"] + [None] * COUNT * night
    assert [record["status"] for record in found[-COUNT:]] == ["skipped"] * 3 + ["failed"]
    assert "exists" in run(*BATCH, "--resume", "--records", "records.jsonl").stderr
    assert lines(folder / "records.jsonl") == found


def test_a_run_that_resumes_replaces_what_a_killed_one_began(run, folder, monkeypatch):
    monkeypatch.setattr("spnrefine.cli.summary.Tally.close", lambda _: None)
    run(*BATCH, "--records", "records.jsonl")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    first = lines(folder / "records.jsonl")
    assert run(*BATCH, "--resume", "--records", "records.jsonl").exit_code == 1
    assert [record["status"] for record in lines(folder / "records.jsonl")] == ["skipped"] * 3 + ["failed"]
    assert len(first) == COUNT


def test_an_upgrade_of_the_package_alone_does_nothing_again(run, folder, monkeypatch):
    run(*BATCH)
    monkeypatch.setattr("spnrefine.version.__version__", "9.9")
    assert run(*BATCH, "--resume", "--json").stdout.count('"skipped"') == 3
    monkeypatch.setattr("spnrefine.version.ALGORITHM", ALGORITHM + 1)
    assert run(*BATCH, "--resume", "--max-items", 1, "--json").stdout.count('"refined"') == 1
    assert run(*BATCH, "--resume", "--done-is-done", "--json").stdout.count('"skipped"') == 3


def test_done_is_done_whatever_with_but_not_whatever_from(run, folder):
    run(*BATCH)
    (folder / "masks/1.png").write_bytes((folder / "masks/0.png").read_bytes() + b" ")
    result = run(*BATCH, "--resume", "--done-is-done", "--threshold", 0.7, "--json")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()][:3] == ["skipped", "refined", "skipped"]


@pytest.mark.parametrize("options", [("--done-is-done",), ("--append",), ("--append", "--records", "-")])
def test_options_that_go_with_others_are_refused_alone(run, folder, options):
    result = run(*BATCH, *options)
    assert result.exit_code == 2
    assert f"{options[0]} was given without" in result.stderr
    assert not (folder / "out").exists()
