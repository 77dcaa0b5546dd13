"""Lines of ledgers that were damaged, that others wrote, or that were made to do harm."""

import os

import pytest

from spnrefine.batch import lines
from spnrefine.batch.lines import decode, encode, read_line, read_lines, record_of
from spnrefine.errors import FileError
from spnrefine.job.record import Record
from tests.files.making import as_nobody

RECORD = Record("photo.jpg", "mask.png", "out/é\ud800.png", changed=0.25, holes_before=3, notes=["a", "b"]).as_dict()
LINE = {"output": "a.png", "key": "k", "digest": "d", "record": RECORD}


def test_a_line_comes_back_whole():
    assert {**decode(encode(LINE)), "sum": 0} == {**LINE, "sum": 0}
    assert record_of(LINE).as_dict() == RECORD


def test_a_line_that_was_changed_anywhere_is_none():
    good = encode(LINE)
    for position in range(len(good) - 1):
        for byte in (good[position] ^ 1, good[position] ^ 16):
            text = good[:position] + bytes([byte]) + good[position + 1 :]
            found = decode(text)  # a sum that lost its name is none, and the rest is as it was
            assert found is None or found.items() >= LINE.items(), text


def test_a_line_cut_short_is_none():
    good = encode(LINE)
    assert all(decode(good[:length]) is None for length in range(len(good) - 1))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe{}",
        b"[1]",
        b"null",
        b"5",
        b'{"output": 5}',
        b'{"key": "x", "mask": 3}',
        b'{"output": "a", "record": 3}',
        b'{"output": "a", "digest": ["d"]}',
        b'{"n": ' + b"9" * 10_000 + b"}",
        b"[" * 4_000 + b"]" * 4_000,
        b'{"output": "a", "more": [' + b"[]," * 6_000 + b"0]}",
    ],
    ids=range(13),
)
def test_what_is_no_line_is_none(text):
    assert decode(text) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": None},
        {"mask": 5},
        {"status": 5},
        {"changed": "0.5"},
        {"changed": float("nan")},
        {"changed": 1e300},
        {"holes_before": 0.5},
        {"holes_before": True},
        {"notes": "a"},
        {"notes": [1]},
        {"mask": []},
        {"error": {}},
    ],
)
def test_a_record_of_other_kinds_of_values_is_none(wrong):
    assert record_of({"record": RECORD | wrong}) is None


def test_what_a_later_version_says_besides_is_passed_over():
    assert record_of({"record": RECORD | {"mood": "good"}}).as_dict() == RECORD
    assert decode(encode(LINE | {"tries": 3}))["tries"] == 3


def test_good_lines_are_found_among_others_and_again_by_their_place(tmp_path):
    path = tmp_path / "ledger"
    path.write_bytes(b"x\n\n" + encode(LINE) + b"[1]\n" + encode(LINE)[:-9] + b"\n" + encode(LINE | {"key": "other"}))
    found = list(read_lines(path))
    assert [line["key"] for _, line in found] == ["k", "other"]
    assert [read_line(place) for place, _ in found] == [line for _, line in found]
    path.write_bytes(b"")
    assert read_line(found[0][0]) is None
    path.unlink()
    assert read_line(found[0][0]) is None


def test_a_line_longer_than_any_of_ours_is_refused_and_not_read_on(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MOST_LINE", 300)
    (tmp_path / "ledger").write_bytes(b"\0" * 301)
    with pytest.raises(FileError, match=r"ledger is no ledger of refined masks: move it away, or choose"):
        list(read_lines(tmp_path / "ledger"))
    (tmp_path / "ledger").write_bytes(b"\0" * 299 + b"\n" + encode({"output": "a"}))
    assert len(list(read_lines(tmp_path / "ledger"))) == 1


def test_what_is_no_file_has_no_lines(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "loop", "absent", "absent/below", "n" * 300, "."):
        assert list(read_lines(tmp_path / name)) == []


def test_a_ledger_that_is_another_s_to_read_is_a_sentence(tmp_path):
    (tmp_path / "ledger").touch(0)
    with as_nobody(), pytest.raises(FileError, match=r"ledger cannot be read \(Permission denied\): choose"):
        list(read_lines(tmp_path / "ledger"))
