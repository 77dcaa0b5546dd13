"""Portions whose refinement another process does: the same files, records and ledger as without."""

import pytest

from spnrefine.batch.place import beside
from tests.batch import test_items_portion, test_pair_portion
from tests.batch.sending import Sending

pairs, folder = test_pair_portion.pairs, test_items_portion.folder
refine_items, refine_pairs = test_items_portion.refine, test_pair_portion.records


def files(pairs):
    return {path.name: path.read_bytes() for path in pairs[0].folder.iterdir() if not path.name.startswith(".")}


def without_time(records):
    return [record.as_dict() | {"seconds": None} for record in records]


def test_pairs_come_out_as_without(pairs):
    pairs[1].mask.write_bytes(b"no mask")
    expected, wanted = without_time(refine_pairs(pairs)), files(pairs)
    for path in pairs[0].folder.iterdir():
        path.unlink()
    engine = Sending()
    assert without_time(refine_pairs(pairs, engine=engine)) == expected
    assert (files(pairs), engine.sent) == (wanted, 3)
    assert [record["status"] for record in expected] == ["refined", "failed", "refined"]


def test_what_is_done_is_not_sent(pairs):
    refine_pairs(pairs[:2])
    engine = Sending()
    found = refine_pairs(pairs, engine=engine, resume=True)
    assert [record.status for record in found] == ["skipped", "skipped", "refined"]
    assert engine.sent == 1


def test_an_output_that_exists_is_refused_and_stays(pairs):
    pairs[0].folder.mkdir()
    (pairs[0].folder / "a.png").write_bytes(b"somebody's")
    (pairs[0].folder / "b.tif").write_bytes(b"of another format, and in nobody's way")
    found = refine_pairs(pairs, engine=Sending())
    assert [record.status for record in found] == ["failed", "refined", "refined"]
    assert found[0].error == f"{pairs[0].folder / 'a.png'} exists: choose another output or pass --overwrite."
    assert (pairs[0].folder / "a.png").read_bytes() == b"somebody's"


def test_pairs_are_shown(pairs):
    shown = []
    refine_pairs(pairs, show=lambda pair, record, image, refined: shown.append((pair, image.shape)), engine=Sending())
    assert shown == [(pair, (40, 50, 3)) for pair in pairs]


@pytest.mark.parametrize("resumed", [False, True])
def test_items_come_out_as_without(folder, resumed):
    wanted = refine_items(folder, broken=[1])
    (folder / "new.txt").unlink()
    if not resumed:
        beside(folder / "new.txt").unlink()
    engine = Sending()
    found, text = refine_items(folder, broken=[1], engine=engine, resume=resumed)
    status = "skipped" if resumed else "refined"
    assert [record.status for record in found] == [status, "failed", status, status, status]
    assert (text, engine.sent) == (wanted[1], 0 if resumed else 2)
    if not resumed:
        assert without_time(found) == without_time(wanted[0])


@pytest.mark.parametrize("most", [0, 1, 3, 5])
def test_a_limit_of_items_holds(folder, most):
    found, text = refine_items(folder, most=most, engine=Sending())
    again, rest = refine_items(folder, resume=True, engine=Sending())
    assert len(found) == most
    assert text.split() == [str(11 + at + 2 * (at < most)) for at in range(5)]
    assert [record.status for record in again] == ["skipped"] * most + ["refined"] * (5 - most)
    assert rest == "13 14 15 16 17"


def test_items_are_shown(folder):
    shown = []
    refine_items(folder, show=lambda item, record, image, refined: shown.append(item.name), engine=Sending())
    assert shown == [f"all.txt#{number}" for number in range(5)]


@pytest.mark.parametrize("deaths", [1, 2])
def test_what_ended_a_process_is_tried_again(pairs, deaths):
    assert [record.status for record in refine_pairs(pairs, engine=Sending(deaths))] == ["refined"] * 3


def test_what_ended_three_processes_is_given_up_and_the_others_go_on(pairs):
    found = refine_pairs(pairs, engine=Sending(3))
    assert [record.status for record in found] == ["failed", "refined", "refined"]
    assert found[0].error == (
        "The process that worked on it ended 3 times (as a test wants it): check the picture, or give each worker more "
        "memory by fewer of them (--jobs, --worker-cpus)."
    )
    again = refine_pairs(pairs, engine=Sending(2), resume=True)
    assert [record.status for record in again] == ["refined", "skipped", "skipped"]


def test_items_that_ended_three_processes_are_given_up_together(folder):
    found, text = refine_items(folder, engine=Sending(3))
    assert [record.status for record in found] == ["failed"] * 2 + ["refined"] * 3
    assert text == "11 12 15 16 17"


def test_tries_of_a_run_that_was_cut_off_count(pairs):
    class CutOffError(Exception):
        pass

    class Short(Sending):
        def _records(self, portion):
            assert portion.lost("as a test wants it") is None
            assert portion.lost("as a test wants it") is None
            raise CutOffError

    with pytest.raises(CutOffError):
        refine_pairs(pairs, engine=Short())
    found = refine_pairs(pairs, engine=Sending(1), resume=True)
    assert [record.status for record in found] == ["failed", "refined", "refined"]
