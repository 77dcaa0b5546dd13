"""What a long run says on standard error of how far it is."""

import logging

import cv2
import numpy as np
import pytest

from spnrefine.cli import main, streams
from spnrefine.cli.counting import ids_counted
from spnrefine.cli.streams import Progress
from spnrefine.refiner.joint import refine_labels


def test_off_a_terminal_a_line_says_how_many_are_done(monkeypatch, capsys):
    monkeypatch.setattr(streams, "SECONDS_A_LINE", 0)
    said = Progress(4)
    said.step()
    said.step()
    assert list(said.over([1, 2, 3, 4])) == [1, 2, 3, 4]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" after")[0] for line in lines] == ["1 of 4", "2 of 4", "2 of 4", "2 of 4", "3 of 4"]


def test_quiet_is_quiet(monkeypatch, capsys):
    monkeypatch.setattr(streams, "SECONDS_A_LINE", 0)
    said = Progress(3, quiet=True)
    said.step()
    assert list(said.over([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ""


def test_a_bar_counts_what_is_done_once(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(streams, "is_terminal", lambda _: True)
    said = Progress(3)
    said.step()
    said.step()
    assert said._bar.n == 2
    items = said.over([1, 2, 3])
    next(items)
    next(items)
    assert said._bar.n == 2
    assert list(items) == [3]
    assert said._bar.n == 3


@pytest.fixture
def log():
    found = logging.getLogger("spnrefine")
    before = found.handlers, found.level
    found.handlers = []
    yield found
    found.handlers = before[0]
    found.setLevel(before[1])


@pytest.mark.parametrize("watched", [False, True])
def test_on_a_terminal_it_is_said_why_somebody_has_to_wait(run, monkeypatch, log, capsys, watched):
    monkeypatch.setattr(streams, "is_terminal", lambda _: watched)
    run("cache")
    run("cache")
    logging.getLogger("spnrefine.simd").info("Kernels are compiled.")
    assert capsys.readouterr().err == ("Kernels are compiled.\n" if watched else "")


def counted_ids(capsys):
    return [line.split(" after")[0] for line in capsys.readouterr().err.splitlines()]


def test_the_ids_of_each_map_are_counted(monkeypatch, capsys):
    monkeypatch.setattr(streams, "SECONDS_A_LINE", 0)
    ids = np.repeat(np.arange(4, dtype=np.uint16), 8)[None].repeat(20, 0)
    with ids_counted():
        for _ in range(2):
            refine_labels(lambda image, coarse: coarse, np.zeros((20, 32, 3), np.uint8), ids)
    assert counted_ids(capsys) == 2 * ["1 of 3", "2 of 3"]
    refine_labels(lambda image, coarse: coarse, np.zeros((20, 32, 3), np.uint8), ids)
    assert counted_ids(capsys) == []


def test_a_command_counts_the_ids_of_its_map(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streams, "SECONDS_A_LINE", 0)
    ids = np.zeros((64, 64), np.uint16)
    ids[8:28, 8:56], ids[36:56, 8:56] = 300, 301
    image = np.where(ids[..., None] > 0, 200, 60).astype(np.uint8).repeat(3, 2)
    cv2.imwrite(str(tmp_path / "i.png"), image)
    cv2.imwrite(str(tmp_path / "m.png"), ids)
    with pytest.raises(SystemExit, match=r"^0$"):
        main([str(tmp_path / "i.png"), "--mask", str(tmp_path / "m.png")])
    assert "1 of 2" in counted_ids(capsys)
