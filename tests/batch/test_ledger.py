"""Ledgers of earlier runs: as version 0.1.0 wrote them, cut short, and with lines of others."""

import json

import numpy as np
import pytest

from spnrefine.batch.digests import Origin, digest
from spnrefine.batch.keys import run_key
from spnrefine.batch.ledger import Ledger, made_before
from spnrefine.batch.place import beside
from spnrefine.boxes.boxed import Boxed
from spnrefine.job.record import Record
from spnrefine.job.types import Settings

KEY, MASK_KEY = "3fdfcc119c6c8258c18bb32f86b5b31a3f9dff3f", "8609c7894d4be8c852c96daa14b8ffdbf9c55651"
RECORD = '"schema": 1, "image": "p", "status": "refined", "changed": 0.1, "notes": [], "error": null'
LINES = f"""\
{{"output": "a.png", "key": "{KEY}"}}
{{"output": "a.png", "key": "{KEY}", "digest": "39a365a11a3dd7613f30f4a52b86d46a5f2a4915", "record": {{{RECORD}, \
"mask": "m", "output": "out/a.png"}}}}
{{"key": "{MASK_KEY}", "mask": {{"size": [6, 9], "box": [2, 5, 3, 8], "bits": "eJz7/w8AAv4B/g=="}}, \
"record": {{{RECORD}, "mask": "a#1", "output": null}}}}
{{"output": "look/a.jpg", "key": "", "digest": "39a365a11a3dd7613f30f4a52b86d46a5f2a4915"}}
"""
"""What version 0.1.0 wrote of the files that `folder` makes, with its default settings."""


def mask():
    mask = np.zeros((6, 9), bool)
    mask[2:5, 3:8] = True
    return Boxed.of(mask)


@pytest.fixture
def folder(tmp_path):
    for name, data in (("p", b"photograph"), ("m", b"mask"), ("out/a.png", b"refined"), ("out/look/a.jpg", b"refined")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def opened(folder):
    return Ledger(folder / "out", run_key(Settings(), "sum", "0.1.0"))


def test_lines_of_version_0_1_0_are_taken_up(folder):
    beside(folder / "out").write_text(LINES)
    ledger = opened(folder)
    assert ledger.key(folder / "p", folder / "m") == KEY
    record = ledger.finished(folder / "out/a.png", KEY)
    assert (record.status, record.mask, record.changed) == ("skipped", "m", 0.1)
    kept, record = ledger.kept(MASK_KEY, (6, 9))
    np.testing.assert_array_equal(kept, mask())
    assert (record.status, record.mask) == ("skipped", "a#1")
    assert ledger.may_replace(folder / "out/look/a.jpg")
    assert set(made_before(folder / "out")) == {folder / "out/a.png", folder / "out/look/a.jpg"}
    ledger.close()


def test_what_is_written_version_0_1_0_can_read(folder):
    ledger = opened(folder)
    ledger.begin(folder / "out/a.png", KEY, digest(b"refined"))
    ledger.finish(folder / "out/a.png", KEY, digest(b"refined"), Record("p", "m", "out/a.png", changed=0.1))
    ledger.keep(Origin(MASK_KEY, "inputs", "joint"), mask(), Record("p", "a#1", changed=0.1))
    ledger.begin(folder / "out/look/a.jpg", "", digest(b"refined"))
    ledger.close()
    written = [json.loads(line) for line in beside(folder / "out").read_text().splitlines()]
    expected = [json.loads(line) for line in LINES.splitlines()]
    for one, other in zip(written, expected, strict=True):
        assert other.keys() <= one.keys()
        assert all(one[key] == other[key] for key in other if key != "record")
        assert other.get("record", {}).items() <= one.get("record", {}).items()
    assert all("digest" in line for line in written if "output" in line)


@pytest.mark.parametrize("option", [{"soft": True}, {"threshold": 0.4}, {"void": 3}, {"best": True}])
def test_what_was_made_with_other_options_is_not_finished(folder, option):
    beside(folder / "out").write_text(LINES)
    ledger = Ledger(folder / "out", run_key(Settings(**option), "sum", "0.1.0"))
    assert ledger.finished(folder / "out/a.png", ledger.key(folder / "p", folder / "m")) is None
    ledger.close()


def test_a_line_cut_short_costs_that_line_alone(folder):
    beside(folder / "out").write_text(LINES[:-20])
    ledger = opened(folder)
    assert not ledger.may_replace(folder / "out/look/a.jpg")
    ledger.begin(folder / "out/b.png", "key", digest(b"b"))
    ledger.close()
    (folder / "out/b.png").write_bytes(b"b")
    again = opened(folder)
    assert again.finished(folder / "out/a.png", KEY)
    assert again.may_replace(folder / "out/b.png")
    again.close()


def test_a_line_that_says_no_digest_gives_nothing_away(folder):
    (folder / "out/b.png").write_bytes(b"somebody's")
    beside(folder / "out").write_text('{"output": "b.png", "key": "key"}\n')
    ledger = opened(folder)
    assert not ledger.may_replace(folder / "out/b.png")
    ledger.close()


def test_whatever_was_written_under_a_name_may_be_replaced(folder):
    """A run that is killed leaves what the one before had written, or what it was about to write."""
    ledger = opened(folder)
    for data in (b"one", b"two"):
        ledger.begin(folder / "out/b.png", "key", digest(data))
    for data in (b"one", b"two", b"somebody's"):
        (folder / "out/b.png").write_bytes(data)
        assert ledger.may_replace(folder / "out/b.png") == (data != b"somebody's")
    ledger.close()


def test_lines_of_others_are_passed_over(folder):
    foreign = '{"output": 5}\n{"key": "x", "mask": 3}\n[1]\nnull\n\0\n{"output": "a", "record": 3}\n'
    beside(folder / "out").write_text(foreign + LINES)
    ledger = opened(folder)
    assert ledger.finished(folder / "out/a.png", KEY)
    assert not ledger.may_replace(folder / "out/a")
    ledger.close()


@pytest.mark.parametrize(
    "change", [('"changed": 0.1', '"changed": "0.1"'), ('"image"', '"picture"'), ('"size": [6, 9]', '"size": [9, 6]')]
)
def test_what_does_not_hold_together_is_made_again(folder, change):
    beside(folder / "out").write_text(LINES.replace(*change))
    ledger = opened(folder)
    assert ledger.kept(MASK_KEY, (6, 9)) is None
    assert (ledger.finished(folder / "out/a.png", KEY) is None) == ("size" not in change[0])
    assert ledger.may_replace(folder / "out/a.png")
    ledger.close()


def test_a_mask_of_another_photograph_s_size_is_none(folder):
    beside(folder / "out").write_text(LINES)
    ledger = opened(folder)
    assert ledger.kept(MASK_KEY, (9, 6)) is None
    assert ledger.kept("another", (6, 9)) is None
    ledger.close()


def test_two_processes_may_add_lines(folder):
    ledgers = [opened(folder) for _ in range(2)]
    for number, ledger in enumerate(ledgers * 3):
        ledger.begin(folder / f"out/{number}.png", "key", digest(b"a"))
    for ledger in ledgers:
        ledger.close()
    assert len(made_before(folder / "out")) == 6


def test_a_ledger_to_which_nothing_was_written_goes(folder):
    opened(folder).close()
    assert not beside(folder / "out").exists()


def test_tries_count_over_runs_until_given_up(folder):
    first = opened(folder)
    first.tried("a", given_up=False)
    first.tried("b", given_up=False)
    first.tried("b", given_up=True)
    first.tried("c", given_up=True)
    first.tried("c", given_up=False)
    first.close()
    ledger = opened(folder)
    assert [ledger.tries(key) for key in "abcd"] == [1, 0, 1, 0]
    ledger.close()
