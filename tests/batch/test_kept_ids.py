"""A map of ids that was stopped in its middle goes on with the ids that were left, to the same bytes."""

import json

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch import kept_ids
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair, all_inputs
from spnrefine.batch.portion import Work
from spnrefine.batch.run import run
from spnrefine.batch.stop import Stop
from spnrefine.files.inputs import Inputs
from spnrefine.files.rasters import Raster, write_raster
from spnrefine.job.types import Settings
from spnrefine.refiner.noting import Used, note

IDS = 6


class Refining:
    """Moves masks and softens them, no two alike; asks to stop, or fails, once so many are done."""

    def __init__(self, stop=None, after=None, fails=False):
        self.calls, self._stop, self._after, self._fails = 0, stop, after, fails

    def __call__(self, image, coarse):
        self.calls += 1
        note(Used(strength=0.125 * self.calls, off=None if self.calls % 2 else 3.0))
        if self.calls == self._after:
            if self._fails:
                raise MemoryError
            self._stop.ask()
        seen = np.roll(coarse, 2, axis=1) * np.float32(0.9)
        return seen + np.float32(0.1) * image[..., 0].astype(np.float32) / 255


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_ids, "EVERY", 0.0)  # as of a map that takes long
    ids = np.zeros((60, 90), np.uint16)
    for number in range(IDS):
        ids[5 + 9 * number : 13 + 9 * number, 10 + 5 * number : 50 + 5 * number] = 1000 + number
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "m.png").write_bytes(write_raster(Raster(ids[..., None], "PNG"), "PNG"))
    return Pair(tmp_path / "a.png", tmp_path / "m.png", tmp_path / "out")


def work_through(pair, refiner, stop=None, resume=True, key="run"):
    outputs = Outputs(Ledger(pair.folder, key), Inputs(all_inputs([pair])), resume=resume)
    stop = stop or Stop()
    try:
        work = Work(refiner, Settings(labels=True), outputs, stop=stop)
        return list(run([PairPortion(pair, work)], stop=stop))
    finally:
        outputs.close()


def kept(pair):
    return list(pair.folder.parent.glob(".spnrefine-ids-*"))


def whole(pair):
    """Refine the map without a stop; return its bytes and its record, and begin anew."""
    record = work_through(pair, Refining())[0]
    output = pair.folder / "a.png"
    data = output.read_bytes()
    for path in [output, *pair.folder.parent.glob(".out*")]:
        path.unlink()
    return data, record


def test_a_map_goes_on_where_it_was_stopped(pair):
    expected, record = whole(pair)
    assert not kept(pair)
    stop = Stop()
    assert work_through(pair, Refining(stop, after=2), stop) == []
    assert len(kept(pair)) == 1
    assert not (pair.folder / "a.png").exists()
    rest = Refining()
    rest.calls = 2
    found = work_through(pair, rest)[0]
    assert rest.calls == IDS
    assert (pair.folder / "a.png").read_bytes() == expected
    assert (found.status, found.strength, found.off) == ("refined", record.strength, record.off)
    assert (found.doubt, found.changed) == (record.doubt, record.changed)
    assert not kept(pair)


def test_what_was_kept_before_an_error_counts_too(pair):
    expected, _ = whole(pair)
    assert work_through(pair, Refining(after=4, fails=True))[0].status == "failed"
    rest = Refining()
    assert work_through(pair, rest)[0].status == "refined"
    assert (rest.calls, (pair.folder / "a.png").read_bytes() == expected) == (IDS - 3, True)


@pytest.mark.parametrize(("resume", "key"), [(False, "run"), (True, "another run")])
def test_without_resume_or_with_other_options_all_is_refined_anew(pair, resume, key):
    stop = Stop()
    work_through(pair, Refining(stop, after=2), stop)
    again = Refining()
    assert work_through(pair, again, resume=resume, key=key)[0].status == "refined"
    assert again.calls == IDS
    assert not kept(pair)


def damage(line, what):
    if what == "shape":
        line["ids"][0][1] -= 4
    elif what == "numbers":
        line["pixels"] = line["pixels"].replace("A", "/")
    elif what == "used":
        line["ids"][0][2] = [["much"]]
    elif what == "no ids":
        line["ids"] = 7
    else:
        line["pixels"] = "?"


@pytest.mark.parametrize("what", ["shape", "numbers", "used", "no ids", "no pixels", "cut short"])
def test_nothing_damaged_is_believed(pair, what):
    expected, _ = whole(pair)
    stop = Stop()
    work_through(pair, Refining(stop, after=1), stop)
    (path,) = kept(pair)
    text = path.read_bytes()
    if what == "cut short":
        path.write_bytes(text[:-9])
    else:
        line = json.loads(text)
        del line["sum"]
        damage(line, what)
        path.write_text(json.dumps(line))
    again = Refining()
    assert work_through(pair, again)[0].status == "refined"
    assert again.calls == IDS
    assert (pair.folder / "a.png").read_bytes() == expected


def test_what_is_kept_is_bounded(pair, monkeypatch):
    monkeypatch.setattr(kept_ids, "MOST_BYTES", 1 << 15)
    stop = Stop()
    work_through(pair, Refining(stop, after=4), stop)
    (path,) = kept(pair)
    assert 0 < path.stat().st_size <= 1 << 15


def test_of_a_map_of_seconds_nothing_is_kept_and_it_is_finished(pair, monkeypatch):
    monkeypatch.setattr(kept_ids, "EVERY", 60.0)
    stop = Stop()
    assert work_through(pair, Refining(stop, after=2), stop)[0].status == "refined"
    assert not kept(pair)
