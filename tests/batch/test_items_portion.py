"""The items of an annotation file: refined, put back from the ledger, left, or failed."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.items import Document, Edit, Item, TextFile
from spnrefine.batch import items_task
from spnrefine.batch.document_files import check_document, write_document
from spnrefine.batch.items_portion import items_portions
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.portion import Work
from spnrefine.batch.run import run
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files.images import read_photograph
from spnrefine.files.inputs import Inputs
from spnrefine.job.types import Settings
from tests.batch.refiners import Shifting


class Column(Item):
    """An item whose whole text is the first column of its mask, a square of ten pixels."""

    def __init__(self, name, photograph, text, start):
        super().__init__(name, photograph)
        self.column, self.start = int(text), start

    def _decode(self, size):
        mask = np.zeros(size, bool)
        mask[5:15, self.column : self.column + 10] = True
        return Boxed.whole(mask)

    def _encode(self, mask):
        if mask.box.left == 0:
            raise FileError(f"{self.name} begins at the edge")
        yield Edit(self.start, self.start + 2, f"{mask.box.left:02}")


TEXT = "11 12 13 14 15"
PHOTOGRAPHS = "aabbb"


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "all.txt").write_text(TEXT)
    return tmp_path


def opened(folder):
    """Open the document, whose items 0 and 1 are drawn on a.png and whose others on b.png."""
    items = [
        Column(f"all.txt#{number}", folder / f"{name}.png", TEXT[3 * number :][:2], 3 * number)
        for number, name in enumerate(PHOTOGRAPHS)
    ]
    return Document(folder / "all.txt", "columns", [TextFile((folder / "all.txt").relative_to(folder), TEXT, items)])


def outputs_of(output, *inputs, **how):
    return Outputs(Ledger(output, "run", is_folder=False), Inputs(inputs), **how)


def refine(folder, refiner=None, show=None, most=None, jobs=1, broken=(), engine=None, **how):
    """Refine the document as one run does; return the records and the text that was written."""
    document = opened(folder)
    for number in broken:
        document.items[number].problem = f"{number} is broken"
    output = folder / "new.txt"
    outputs = outputs_of(output, **how)
    try:
        check_document(document, output, outputs)
        work = Work(refiner or Shifting(), Settings(), outputs)
        if engine is not None:
            engine.equip(work.tools)
        found = list(run(items_portions(document.items, work, output, show), most=most, jobs=jobs, engine=engine))
        write_document(document, output, outputs)
    finally:
        outputs.close()
    return found, output.read_text()


@pytest.mark.parametrize("jobs", [1, 2])
def test_items_are_refined_and_put_back_in_their_order(folder, jobs):
    found, text = refine(folder, jobs=jobs)
    assert text == "13 14 15 16 17"
    assert [record.mask for record in found] == [f"all.txt#{number}" for number in range(5)]
    assert {(record.status, record.output) for record in found} == {("refined", str(folder / "new.txt"))}


def test_a_photograph_is_read_once_for_all_its_items(folder, monkeypatch):
    read = []

    def counted(path, bands=None):
        read.append(path.name)
        return read_photograph(path, bands)

    monkeypatch.setattr(items_task, "read_photograph", counted)
    refine(folder)
    assert read == ["a.png", "b.png"]


def test_one_that_fails_stays_as_it_was_and_stops_nothing(folder):
    found, text = refine(folder, broken=[1, 2])
    assert text == "13 12 13 16 17"
    assert [record.status for record in found] == ["refined", "failed", "failed", "refined", "refined"]
    assert (found[1].error, found[1].output) == ("1 is broken", None)


def test_a_photograph_that_cannot_be_read_fails_each_of_its_items(folder):
    (folder / "b.png").write_bytes(b"x")
    found, text = refine(folder)
    assert text == "13 14 13 14 15"
    assert [record.status for record in found] == ["refined"] * 2 + ["failed"] * 3
    assert all("b.png" in record.error for record in found[2:])


def test_what_cannot_be_put_back_fails_alone(folder):
    found, text = refine(folder, lambda image, coarse: np.maximum(coarse, coarse[:, 11].max()))
    assert text == "11 12 13 14 15"
    assert [record.status for record in found] == ["failed"] + ["unchanged"] * 4
    assert found[0].error == "all.txt#0 begins at the edge"


def test_resume_puts_back_what_the_ledger_keeps(folder):
    refine(folder, broken=[3])
    refiner, shown = Shifting(), []

    def show(item, record, *_):
        shown.append((item.name, record.status))

    found, text = refine(folder, refiner, show, resume=True)
    assert text == "13 14 15 16 17"
    assert [record.status for record in found] == ["skipped"] * 3 + ["refined", "skipped"]
    assert found[0].output == str(folder / "new.txt")
    assert refiner.calls == 1
    assert shown == [(record.mask, record.status) for record in found]


@pytest.mark.parametrize("jobs", [1, 3])
def test_some_at_a_time_leave_the_rest_as_it_came(folder, jobs):
    texts = [refine(folder, most=2, jobs=jobs, resume=True)[1] for _ in range(4)]
    assert texts == ["13 14 13 14 15", "13 14 15 16 15", "13 14 15 16 17", "13 14 15 16 17"]


def test_a_limit_puts_back_what_was_done_after_it(folder):
    refine(folder, broken=[0, 1])
    found, text = refine(folder, most=1, resume=True)
    assert [record.status for record in found] == ["refined", "skipped", "skipped", "skipped"]
    assert text == "13 12 15 16 17"


def test_an_existing_document_is_refused_before_any_work(folder):
    (folder / "new.txt").write_text("mine")
    refiner = Shifting()
    with pytest.raises(FileError, match="exists"):
        refine(folder, refiner, resume=True)
    assert refiner.calls == 0
    assert (folder / "new.txt").read_text() == "mine"


def test_a_document_is_never_written_over_itself(folder):
    document, outputs = opened(folder), outputs_of(folder / "all.txt", folder / "all.txt", overwrite=True)
    for use in (check_document, write_document):
        with pytest.raises(FileError, match="never overwritten"):
            use(document, folder / "all.txt", outputs)
    outputs.close()


def test_a_folder_goes_out_as_a_tree(tmp_path):
    names = ["a.txt", "sub/a.txt"]
    files = [TextFile(tmp_path.joinpath("in", name).relative_to(tmp_path / "in"), name) for name in names]
    (tmp_path / "in").mkdir()
    outputs = Outputs(Ledger(tmp_path / "out", "run"))
    write_document(Document(tmp_path / "in", "columns", files), tmp_path / "out", outputs)
    outputs.close()
    assert [(tmp_path / "out" / name).read_text() for name in names] == names


class Growing(Shifting):
    """A refiner that lets every mask grow by two pixels to both sides."""

    def __call__(self, image, coarse):
        return np.maximum(super().__call__(image, coarse), np.roll(coarse, -2, axis=1))


def neighbours(folder, columns, settings=None, **how):
    """Refine squares of ten pixels that begin at ``columns``; return their records, first columns and calls."""
    text = " ".join(columns)
    items = [Column(f"n#{i}", folder / "a.png", column, 3 * i) for i, column in enumerate(columns)]
    refiner, outputs = Growing(), outputs_of(folder / "n.txt", **how)
    try:
        work = Work(refiner, settings or Settings(), outputs)
        found = list(run(items_portions(items, work, folder / "n.txt"), most=None, jobs=1))
    finally:
        outputs.close()
    return found, TextFile(folder / "n.txt", text, items).patched().decode(), refiner.calls


def test_masks_that_touch_are_refined_jointly(folder):
    assert neighbours(folder, ["05", "15"])[1] == "03 17"  # neither takes from the other, 13 and 14 are the first's
    assert neighbours(folder, ["05", "16"], overwrite=True)[1] == "03 14"  # these do not touch
    assert neighbours(folder, ["05", "14"], overwrite=True)[1] == "03 12"  # these overlap


def test_in_a_panorama_each_mask_is_refined_in_its_place(folder):
    assert neighbours(folder, ["05", "15"], Settings(wrap=True))[1] == "03 13"


def test_what_touching_masks_became_is_kept_with_what_they_touched(folder):
    first = neighbours(folder, ["05", "15"])
    again = neighbours(folder, ["05", "15"], resume=True)
    assert (again[1], again[2]) == (first[1], 0)
    alone = neighbours(folder, ["15"], resume=True)
    assert (alone[1], alone[2]) == ("13", 1)


def test_a_photograph_is_read_once_whatever_lies_between(folder):
    document = opened(folder)
    items = [document.items[number] for number in (0, 2, 1, 3, 4)]
    outputs = outputs_of(folder / "n.txt")
    try:
        portions = list(items_portions(items, Work(Shifting(), Settings(), outputs), folder / "n.txt"))
        names = [[record.mask for record in portion.run()] for portion in portions]
    finally:
        outputs.close()
    assert names == [["all.txt#0", "all.txt#1"], ["all.txt#2", "all.txt#3", "all.txt#4"]]


def test_each_item_is_told_of_when_it_is_done(folder):
    outputs, steps = Outputs(Ledger(folder / "out.txt", "run")), []
    work = Work(Shifting(), Settings(), outputs, step=lambda: steps.append(1))
    first, second = items_portions(opened(folder).items, work, folder / "out.txt")
    assert (len(first.run()), len(steps)) == (2, 2)
    assert (len(second.run()), len(steps)) == (3, 5)
    outputs.close()
