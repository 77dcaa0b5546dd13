"""Inputs are known by whatever name a path has for them."""

import os

import pytest

from spnrefine.files.inputs import Inputs


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
        (tmp_path / name).write_bytes(b"photograph")
    return tmp_path


def test_an_input_is_found_by_all_its_names(folder, monkeypatch):
    (folder / "link").symlink_to("a.jpg")
    (folder / "again").symlink_to("link")
    (folder / "hard").hardlink_to(folder / "a.jpg")
    (folder / "elsewhere").symlink_to("sub")
    inputs = Inputs([folder / "a.jpg", folder / "elsewhere" / "c.jpg", folder / "absent.jpg"])
    monkeypatch.chdir(folder)
    for name in ("a.jpg", "link", "again", "hard", "sub/../a.jpg", "./a.jpg"):
        assert inputs.find(folder / name) == folder / "a.jpg"
        assert inputs.find(type(folder)(name)) == folder / "a.jpg"
    assert inputs.find(folder / "sub/c.jpg") == folder / "elsewhere/c.jpg"
    assert inputs.find(folder / "absent.jpg") == folder / "absent.jpg"


def test_nothing_else_is_an_input(folder):
    inputs = Inputs([folder / "a.jpg"])
    (folder / "loop").symlink_to("loop")
    for name in ("b.jpg", "sub/c.jpg", "sub", "new.jpg", "loop", "n" * 300, "\ud800", "nul\0"):
        assert inputs.find(folder / name) is None
    assert Inputs().find(folder / "a.jpg") is None


def test_an_input_that_was_a_link_protects_what_it_led_to(folder):
    (folder / "link").symlink_to("a.jpg")
    assert Inputs([folder / "link"]).find(folder / "a.jpg") == folder / "link"


def test_an_output_that_has_the_number_of_an_input_that_went_is_none(folder, monkeypatch):
    inputs = Inputs([folder / "a.jpg"])
    assert inputs.find(folder / "b.jpg") is None
    (folder / "a.jpg").rename(folder / "b.jpg")  # as if the disc gave a new file the number
    assert inputs.find(folder / "b.jpg") is None


def test_inputs_are_looked_at_only_where_an_output_is_there(folder, monkeypatch):
    looked, stat = [], os.stat
    monkeypatch.setattr(os, "stat", lambda path, **how: looked.append(path) or stat(path, **how))
    inputs = Inputs([folder / "a.jpg"])
    assert inputs.find(folder / "new.jpg") is None
    assert looked == [folder / "new.jpg"]
