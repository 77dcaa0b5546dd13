"""One pair of files: refined, skipped or failed."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair, all_inputs
from spnrefine.batch.portion import Work
from spnrefine.batch.run import run
from spnrefine.errors import SpnRefineError
from spnrefine.files.inputs import Inputs
from spnrefine.job.types import Settings
from tests.batch.refiners import Shifting
from tests.pictures import open_picture


@pytest.fixture
def pairs(tmp_path):
    found = []
    for name in "abc":
        mask = np.zeros((40, 50), np.uint8)
        mask[10:30, 10:30] = 255
        Image.new("RGB", (50, 40)).save(tmp_path / f"{name}.jpg")
        Image.fromarray(mask).save(tmp_path / f"{name}_mask.png")
        found.append(Pair(tmp_path / f"{name}.jpg", tmp_path / f"{name}_mask.png", tmp_path / "out"))
    return found


def records(pairs, refiner=None, show=None, most=None, engine=None, **how):
    """Work through the pairs as one run does."""
    outputs = Outputs(Ledger(pairs[0].folder, "run"), Inputs(all_inputs(pairs)), **how)
    try:
        work = Work(refiner or Shifting(), Settings(), outputs)
        if engine is not None:
            engine.equip(work.tools)
        return list(run((PairPortion(pair, work, show) for pair in pairs), most=most, engine=engine))
    finally:
        outputs.close()


def statuses(*arguments, **how):
    return [record.status for record in records(*arguments, **how)]


def test_a_mask_is_refined_into_a_file_of_its_own(pairs):
    record = records(pairs)[0]
    assert (record.status, record.output) == ("refined", str(pairs[0].folder / "a.png"))
    assert (record.changed, record.error) == (0.2, None)
    assert record.seconds >= 0
    before, after = (np.asarray(open_picture(path)) for path in (pairs[0].mask, pairs[0].folder / "a.png"))
    np.testing.assert_array_equal(after, np.roll(before, 2, axis=1))


def test_resume_does_only_what_is_not_done(pairs):
    assert statuses(pairs[:2]) == ["refined"] * 2
    refiner = Shifting()
    done = records(pairs, refiner, resume=True)
    assert [record.status for record in done] == ["skipped", "skipped", "refined"]
    assert (done[0].changed, done[0].output) == (0.2, str(pairs[0].folder / "a.png"))
    assert refiner.calls == 1


@pytest.mark.parametrize(("how", "expected"), [({}, "failed"), ({"overwrite": True}, "refined")])
def test_without_resume_nothing_is_skipped(pairs, how, expected):
    records(pairs)
    assert statuses(pairs, **how) == [expected] * 3


def test_nothing_is_refined_that_could_not_be_written(pairs):
    records(pairs)
    refiner = Shifting()
    assert all("exists" in record.error for record in records(pairs, refiner))
    assert refiner.calls == 0


def test_some_at_a_time(pairs):
    counts = [statuses(pairs, most=2, resume=True) for _ in range(3)]
    assert counts == [["refined", "refined"], ["skipped", "skipped", "refined"], ["skipped"] * 3]


def test_one_that_fails_stops_nothing(pairs):
    pairs[0].photograph.write_bytes(b"")
    wrong = Pair(pairs[1].photograph, None, pairs[1].folder, "no mask.")
    found = records([pairs[0], wrong, pairs[2]])
    assert [record.status for record in found] == ["failed", "failed", "refined"]
    assert "is empty" in found[0].error
    assert found[1].error == "no mask."


def test_an_error_that_nobody_foresaw_is_named_by_its_type(pairs):
    def broken(image, coarse):
        raise ZeroDivisionError("by nothing")

    assert {record.error for record in records(pairs, broken)} == {"ZeroDivisionError: by nothing"}


def test_all_are_shown_and_those_that_are_skipped_too(pairs):
    shown = []

    def show(pair, record, image, refined):
        shown.append((pair.stem, record.status, image.shape, int(refined.before.sum()), int(refined.after.sum())))

    records(pairs[:1], show=show)
    records(pairs[:1], show=show, resume=True)
    assert shown == [("a", "refined", (40, 50, 3), 400, 400), ("a", "skipped", (40, 50, 3), 400, 400)]


def test_a_mask_whose_picture_failed_is_made_again(pairs):
    def show(*_):
        raise SpnRefineError("no picture")

    found = records(pairs[:1], show=show)[0]
    assert (found.status, found.error) == ("failed", "no picture")
    assert (pairs[0].folder / "a.png").is_file()
    assert statuses(pairs[:1], resume=True) == ["refined"]


def test_an_input_is_never_written_over(pairs):
    pair = Pair(pairs[0].photograph, pairs[0].mask.rename(pairs[0].mask.with_name("a.png")), pairs[0].mask.parent)
    before = pair.mask.read_bytes()
    found = records([pair], overwrite=True)[0]
    assert "never overwritten" in found.error
    assert pair.mask.read_bytes() == before
