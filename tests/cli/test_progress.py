"""What a long run says on standard error of how far it is."""

from spnrefine.cli import streams
from spnrefine.cli.streams import Progress


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
