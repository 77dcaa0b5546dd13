"""Paths as users and other programs write them: roundabout, with other line ends, missing, or no text at all."""

import os
import shutil

import pytest

pytestmark = pytest.mark.faults

LISTS = ("--mask-dir", "masks", "-o", "out")


@pytest.fixture
def folder(pair, tmp_path, monkeypatch):
    """photos/{a,sub/b}.jpg and masks/ alike, in the working directory."""
    for name in ("a", "sub/b"):
        for source, target in zip(pair, (f"photos/{name}.jpg", f"masks/{name}.png"), strict=True):
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / target)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outputs(folder):
    return sorted(p.relative_to(folder / "out").as_posix() for p in (folder / "out").rglob("*.png"))


def test_a_list_with_the_line_ends_of_windows(run, folder):
    result = run("batch", "--files-from", "-", *LISTS, stdin=b"photos/a.jpg\r\nphotos/sub/b.jpg\r\n")
    assert result.exit_code == 0, result.stderr
    assert outputs(folder) == ["a.png", "sub/b.png"]


def test_a_photograph_of_a_list_that_is_missing_while_its_mask_is_there(run, folder):
    (folder / "photos/a.jpg").unlink()
    result = run("batch", "--files-from", "-", *LISTS, stdin="photos/a.jpg\nphotos/sub/b.jpg\n")
    assert result.exit_code == 1
    assert "Failed: photos/a.jpg: there is no such file" in result.stderr
    assert outputs(folder) == ["sub/b.png"]


def test_results_of_roundabout_paths_stay_in_the_folder(run, folder):
    names = "photos/sub/../a.jpg\nphotos/./sub/b.jpg\n"
    result = run("batch", "--files-from", "-", *LISTS, stdin=names)
    assert result.exit_code == 0, result.stderr
    assert outputs(folder) == ["a.png", "sub/b.png"]
    twice = run("batch", "--files-from", "-", *LISTS, stdin=f"{names}photos/a.jpg\n")
    assert "2 times" in twice.stderr


@pytest.mark.parametrize("name", ["фото é 1.jpg", os.fsdecode(b"bad\xff.jpg")], ids=["unicode", "bytes"])
def test_the_path_printed_is_the_path_written(run, folder, name):
    try:
        shutil.copy("photos/a.jpg", name)
    except OSError:
        pytest.skip("this file system takes no such name")
    result = run(name, "--mask", "masks/a.png")
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes == os.fsencode(name.replace(".jpg", "_refined.png\n"))
    assert os.path.exists(result.stdout_bytes.rstrip(b"\n"))  # noqa: PTH110  # Path takes no bytes
    shutil.move(name, f"photos/{name}")
    shutil.copy("masks/a.png", f"masks/{name}".replace(".jpg", ".png"))
    shown = run("batch", "photos", *LISTS, "--dry-run")
    assert (shown.exit_code, shown.stdout_bytes.count(b"\n")) == (0, 3)
    given = run("batch", "--files-from", "-", "-o", "listed", stdin=shown.stdout_bytes)
    assert given.exit_code == 0, given.stderr
    done = run("batch", "photos", *LISTS, "--report", "review.html", "--records", "records.jsonl")
    assert done.exit_code == 0, done.stderr
    assert (folder / "review.html").exists()
