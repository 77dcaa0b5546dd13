"""Where ledgers lie: beside the output, or in it where beside it is no place to stay."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from spnrefine.batch import place
from spnrefine.batch.digests import digest
from spnrefine.batch.ledger import Ledger, made_before
from spnrefine.batch.place import beside, inside
from tests.files.making import as_nobody

HAS_TMPFS = Path("/dev/shm").is_dir() and os.stat("/dev/shm").st_dev != os.stat("/dev").st_dev  # noqa: PTH116


def write(folder, name="a.png", **how):
    ledger = Ledger(folder, "run", **how)
    ledger.begin(folder / name, "key", digest(b"a"))
    ledger.close()
    return ledger.path


@pytest.fixture
def out(tmp_path):
    (tmp_path / "volume" / "out").mkdir(parents=True)
    for name in "abc":
        (tmp_path / "volume" / "out" / f"{name}.png").write_bytes(b"a")
    return tmp_path / "volume" / "out"


def knows(folder, *names):
    ledger = Ledger(folder, "run")
    found = [ledger.may_replace(folder / name) for name in names]
    ledger.close()
    return all(found)


def test_a_ledger_lies_beside_its_folder(out):
    assert write(out) == beside(out) == out.parent / ".out.spnrefine.jsonl"
    assert not inside(out).exists()


def test_in_the_folder_where_beside_it_nothing_can_be_written():
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders can be entered by nobody else
        out = Path(name) / "out"
        out.mkdir()
        (out / "a.png").write_bytes(b"a")
        for folder, mode in ((out.parent, 0o555), (out, 0o777)):
            folder.chmod(mode)
        with as_nobody():
            assert write(out, required=True) == inside(out) == out / ".spnrefine.jsonl"
            assert knows(out, "a.png")


@pytest.mark.skipif(not HAS_TMPFS, reason="needs a file system mounted on a folder")
def test_in_the_folder_where_it_is_a_volume_of_its_own():
    shm = Path("/dev/shm").resolve()
    assert place.preferred(shm, is_folder=True) == [inside(shm)]
    assert place.preferred(shm / "out", is_folder=True)[0] == shm / ".out.spnrefine.jsonl"


def test_ledgers_of_all_places_count(out):
    write(out, "a.png")
    shutil.move(beside(out), inside(out))
    write(out, "b.png")
    link = out.parent.parent / "link"
    link.symlink_to(out)
    assert write(link, "c.png") == beside(out)
    for folder in (out, link):
        assert knows(folder, "a.png", "b.png", "c.png")
        assert set(made_before(folder)) == {folder / f"{name}.png" for name in "abc"}


def test_the_ledger_of_a_link_as_version_0_1_0_laid_it(out):
    link = out.parent.parent / "link"
    link.symlink_to(out)
    write(out)
    shutil.move(beside(out), beside(link))
    assert knows(link, "a.png")


def test_a_ledger_of_a_file_lies_beside_it_also_where_that_is_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "new.json").symlink_to(tmp_path / "elsewhere" / "old.json")
    assert place.preferred(tmp_path / "new.json", is_folder=False) == [tmp_path / ".new.json.spnrefine.jsonl"]


def test_a_pipe_in_the_place_of_the_ledger_is_passed_by(out):
    os.mkfifo(beside(out))
    assert write(out, required=True) == inside(out)
    assert knows(out, "a.png")


def test_names_too_long_for_one_more_extension(tmp_path):
    folder = tmp_path / ("n" * 250)
    folder.mkdir()
    (folder / "a.png").write_bytes(b"a")
    assert write(folder, required=True).parent == tmp_path
    assert knows(folder, "a.png")
    assert len(place.lock_path(tmp_path / f"{'n' * 250}.json", is_folder=False).name) < 100


def test_a_root_has_a_place_too():
    assert place.preferred(Path("/"), is_folder=True)[-1] == Path("/.spnrefine.jsonl")
