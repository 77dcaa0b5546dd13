"""What may be written: the one table of all that a file can be, and of both options."""

import os
from pathlib import Path

import numpy as np
import pytest

from spnrefine.batch.digests import Origin
from spnrefine.batch.ledger import Ledger, made_before
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.place import beside, inside
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files.inputs import Inputs
from spnrefine.job.record import Record

OLD, NEW = b"old", b"new"


def absent(folder):
    return folder / "absent.png"


def foreign(folder):
    (folder / "foreign.png").write_bytes(OLD)
    return folder / "foreign.png"


def written(folder):
    with_outputs(folder, lambda outputs: outputs.write(folder / "written.png", OLD))
    return folder / "written.png"


def changed(folder):
    path = written(folder)
    path.write_bytes(b"somebody's")
    return path


def begun(folder):
    with_outputs(folder, lambda outputs: outputs.begin_mask(folder / "begun.png", "key", OLD))
    return folder / "begun.png"


def finished(folder):
    def write(outputs):
        outputs.begin_mask(folder / "finished.png", "key", OLD)
        outputs.finish_mask(folder / "finished.png", "key", OLD, Record("photo.jpg", "mask.png", changed=0.25))

    with_outputs(folder, write)
    return folder / "finished.png"


def deleted(folder):
    path = finished(folder)
    path.unlink()
    return path


def with_outputs(folder, use, *inputs, **how):
    """Use the outputs of one run, which has its own ledger of the same folder."""
    outputs = Outputs(Ledger(folder, "run"), Inputs(inputs), **how)
    try:
        return use(outputs)
    finally:
        outputs.close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


FREE, OURS = [absent, deleted], [written, begun, finished]
MAY_REPLACE = {"": FREE, "resume": FREE + OURS, "overwrite": [*FREE, *OURS, foreign, changed]}
MAY_REPLACE["overwrite resume"] = MAY_REPLACE["overwrite"]


@pytest.mark.parametrize("made", MAY_REPLACE["overwrite"])
@pytest.mark.parametrize("options", MAY_REPLACE)
def test_what_may_be_replaced(folder, options, made):
    path, how = made(folder), dict.fromkeys(options.split(), True)
    before = path.read_bytes() if path.exists() else None
    uses = (lambda outputs: outputs.check(path)), (lambda outputs: outputs.write(path, NEW))
    if made in MAY_REPLACE[options]:
        for use in uses:
            with_outputs(folder, use, **how)
        assert path.read_bytes() == NEW
    else:
        for use in uses:
            with pytest.raises(FileError, match="exists"):
                with_outputs(folder, use, **how)
        assert path.read_bytes() == before


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_an_input_is_never_replaced(folder, link):
    source = foreign(folder)
    path = source
    if link:
        path = folder / "link.png"
        link(source, path)
    for use in (
        lambda outputs: outputs.check(path),
        lambda outputs: outputs.write(path, NEW),
        lambda outputs: outputs.begin_mask(path, "key", NEW),
    ):
        with pytest.raises(FileError, match="never overwritten"):
            with_outputs(folder, use, source, overwrite=True, resume=True)
    assert source.read_bytes() == OLD


def test_a_folder_is_never_replaced(folder):
    (folder / "a.png").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        with_outputs(folder, lambda outputs: outputs.write(folder / "a.png", NEW), overwrite=True)


def test_a_file_that_was_refused_is_not_ours_afterwards(folder):
    path = foreign(folder)
    for how in ({}, {"resume": True}):
        with pytest.raises(FileError):
            with_outputs(folder, lambda outputs: outputs.begin_mask(path, "key", NEW), **how)
    assert path.read_bytes() == OLD
    assert made_before(folder) == []


def test_a_file_is_named_in_the_ledger_before_it_is_written(folder, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(KeyboardInterrupt):
        with_outputs(folder, lambda outputs: outputs.write(folder / "a.png", NEW))
    assert made_before(folder) == [folder / "a.png"]


def test_a_file_that_came_under_the_name_of_one_that_was_begun_is_somebody_s(folder, monkeypatch):
    test_a_file_is_named_in_the_ledger_before_it_is_written(folder, monkeypatch)
    monkeypatch.undo()
    (folder / "a.png").write_bytes(b"somebody's")
    with pytest.raises(FileError, match="exists"):
        with_outputs(folder, lambda outputs: outputs.write(folder / "a.png", NEW), resume=True)
    assert (folder / "a.png").read_bytes() == b"somebody's"


def test_what_is_edited_while_it_is_made_again_stays(folder, monkeypatch):
    path, begin = written(folder), Ledger.begin

    def meanwhile(*given):
        path.write_bytes(b"somebody's")
        begin(*given)

    monkeypatch.setattr(Ledger, "begin", meanwhile)
    with pytest.raises(FileError, match="exists"):
        with_outputs(folder, lambda outputs: outputs.write(path, NEW), resume=True)
    assert path.read_bytes() == b"somebody's"


@pytest.mark.parametrize("resume", [False, True])
def test_what_is_finished_is_taken_up_by_resume_alone(folder, resume):
    path = finished(folder)
    found = with_outputs(folder, lambda outputs: outputs.finished(path, "key"), resume=resume)
    if resume:
        assert (found.status, found.changed) == ("skipped", 0.25)
    else:
        assert found is None


@pytest.mark.parametrize("made", [absent, begun, changed, deleted])
def test_what_is_not_finished_is_not_taken_up(folder, made):
    path = made(folder)
    assert with_outputs(folder, lambda outputs: outputs.finished(path, "key"), resume=True) is None


def test_what_was_made_from_something_else_is_not_taken_up(folder):
    path = finished(folder)
    assert with_outputs(folder, lambda outputs: outputs.finished(path, "another"), resume=True) is None


@pytest.mark.parametrize("resume", [False, True])
def test_masks_in_the_ledger_are_taken_up_by_resume_alone(folder, resume):
    mask = np.eye(5, dtype=bool)
    record, origin = Record("photo.jpg", "a#1", seconds=2.0), Origin("key", "inputs", "joint")
    with_outputs(folder, lambda outputs: outputs.ledger.keep(origin, Boxed.of(mask), record))
    found = with_outputs(folder, lambda outputs: outputs.kept(origin, (5, 5)), resume=resume)
    if resume:
        np.testing.assert_array_equal(found[0], mask)
        assert (found[1].status, found[1].seconds) == ("skipped", 2.0)
    else:
        assert found is None


def test_a_run_that_must_resume_insists_on_its_ledger(folder):
    beside(folder).mkdir()
    inside(folder).mkdir()
    Ledger(folder, "run").close()
    with pytest.raises(FileError, match="cannot be written"):
        Ledger(folder, "run", required=True)


def test_a_power_cut_finds_bytes_then_their_digest_and_then_the_name(folder, monkeypatch):
    path, done = folder / "sub" / "a.png", []
    sync, link = os.fsync, os.link

    def synced(file):
        sync(file)
        name = Path(f"/proc/self/fd/{file}").readlink()
        done.append("name" if name == path.parent else "digest" if name == beside(folder) else name.suffix)

    (folder / "sub").mkdir()
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", lambda *names: (link(*names), done.append("named")))
    with_outputs(folder, lambda outputs: (outputs.write(path, NEW), done.append("written")))
    assert done == [".tmp", "digest", "named", "written", "name", "digest"]


def test_what_a_dead_run_left_is_swept_wherever_this_one_looks(folder, monkeypatch):
    swept = []
    monkeypatch.setattr("spnrefine.files.temporary.sweep", swept.append)
    with_outputs(folder, lambda outputs: (outputs.write(folder / "a.png", NEW), outputs.write(folder / "b.png", NEW)))
    assert swept == [folder]
    with_outputs(folder, lambda outputs: outputs.finished(folder / "sub" / "c.png", "key"))
    assert swept == [folder, folder / "sub"]
