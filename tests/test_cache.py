"""Where compiled kernels are kept, and what is trusted."""

import os
import stat
import sys

import pytest

from spnrefine import cache

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cache, "_told", {"already": False})
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "value", "where"),
    [
        (None, None, ".cache/spnrefine"),
        ("XDG_CACHE_HOME", "{home}/x", "x/spnrefine"),
        ("XDG_CACHE_HOME", "", ".cache/spnrefine"),
        ("XDG_CACHE_HOME", "relative", ".cache/spnrefine"),
        ("NUMBA_CACHE_DIR", "{home}/n", "n/spnrefine"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems name other folders")
def test_the_folder_follows_the_environment(home, monkeypatch, variable, value, where):
    if variable:
        monkeypatch.setenv(variable, value.format(home=home))
    assert cache.folder() == home / where


def test_without_a_home_there_is_none(monkeypatch, caplog):
    monkeypatch.setattr(cache.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert cache.folder() is None
    assert cache.load("a") is None
    cache.keep("a", b"code")
    cache.keep("b", b"code")
    assert cache.contents() == cache.clear() == (0, 0)
    (said,) = caplog.messages
    assert "no HOME is set" in said


def test_names_differ_where_anything_does():
    names = {cache.file_name("a", "x", *parts) for parts in ([], ["b"], ["b", ""], ["", "b"], [b"b", b"c"], ["bc"])}
    assert len(names) == 6
    assert all(name.startswith("a-") and name.endswith(".x") for name in names)


def test_what_is_kept_comes_back_is_counted_and_can_be_cleared():
    cache.keep("a", b"code")
    cache.keep("a", b"other")
    cache.keep("b", b"")
    assert (cache.load("a"), cache.load("b"), cache.load("c")) == (b"other", b"", None)
    assert stat.S_IMODE(cache.folder().stat().st_mode) == 0o700
    assert cache.contents().files == 2
    assert cache.clear().files == 2
    assert cache.load("a") is None
    assert cache.contents() == (0, 0)


def test_code_that_anybody_could_have_written_is_not_run(caplog):
    cache.keep("a", b"code")
    cache.folder().chmod(0o777)
    assert cache.load("a") is None
    cache.keep("b", b"code")
    (said,) = caplog.messages
    assert "can be written by everybody" in said
    cache.folder().chmod(0o700)
    assert cache.load("a") == b"code"
    assert cache.load("b") is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no owners here")
def test_code_of_another_user_is_not_run(monkeypatch):
    cache.keep("a", b"code")
    monkeypatch.setattr(os, "geteuid", lambda: cache.folder().stat().st_uid + 1 or 1)
    assert cache.load("a") == (b"code" if cache.folder().stat().st_uid == 0 else None)


def test_the_command_shows_and_clears(run, home):
    cache.keep("a", b"code")
    shown = run("cache")
    assert shown.stdout == f"{home / '.cache/spnrefine'}: 1 files, 0.0 MB\n"
    assert "deleted" in run("cache", "--clear").stdout
    assert cache.contents() == (0, 0)
    assert str(home / ".cache/spnrefine") in run("info", "--json").stdout


def test_of_a_kind_the_newest_are_kept():
    for number, name in enumerate(("a.x", "b.x", "c.x", "d.y")):
        cache.keep(name, b"code")
        os.utime(cache.folder() / name, (number, number))
    cache.forget("x", most=2)
    assert sorted(path.name for path in cache.folder().iterdir()) == ["b.x", "c.x", "d.y"]


def test_what_is_not_needed_is_not_missed(home, caplog):
    cache.keep("a", b"code")
    cache.folder().chmod(0o777)
    cache.keep("b", b"code", needed=False)
    assert not caplog.messages
