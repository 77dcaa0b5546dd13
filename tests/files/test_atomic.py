"""A file appears whole or not at all, never over an input, and nothing else stays in the folder."""

import errno
import os
import stat
from pathlib import Path

import pytest

from spnrefine.errors import FileError
from spnrefine.files.atomic import check_output, write_bytes
from tests.files.making import as_nobody

DATA = b"refined" * 1000


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("overwrite", [False, True])
def test_new_file(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / "out.png"
    write_bytes(path, DATA, overwrite=overwrite)
    assert path.read_bytes() == DATA
    assert path.stat().st_nlink == 1
    assert names(tmp_path) == ["out.png"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "out.png", DATA)
    assert (tmp_path / "a" / "b" / "out.png").read_bytes() == DATA


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["out.png", "there.png", "a/b/out.png"])
def test_a_folder_that_takes_no_files_is_told_before_any_work(
    tmp_path: Path, name: str, overwrite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # what lies above it nobody may enter
    folder = Path("kept")
    folder.mkdir()
    (folder / "there.png").write_bytes(b"")
    folder.chmod(0o555)
    with as_nobody(), pytest.raises(FileError, match=r"exists|kept takes no files"):
        check_output(folder / name, overwrite=overwrite)
    with pytest.raises(FileError, match=r"there\.png is no folder"):
        check_output(folder / "there.png" / "out.png")


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_bytes(Path("out.png"), DATA)
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_mode_follows_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "out.png", DATA)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == 0o666 & ~mask


def test_existing_file_stays_unless_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    for refuse in (lambda: check_output(path), lambda: write_bytes(path, DATA)):
        with pytest.raises(FileError, match=r"out\.png exists: choose another output or pass --overwrite"):
            refuse()
    assert path.read_bytes() == b"old"
    write_bytes(path, DATA, overwrite=True)
    assert path.read_bytes() == DATA
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_appears_after_the_check_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    path = tmp_path / "out.png"
    link = os.link

    def after_another(source: Path, target: Path) -> None:
        path.write_bytes(b"another's")
        if not hard_links:
            raise OSError(errno.EPERM, "Operation not permitted")
        link(source, target)

    monkeypatch.setattr(os, "link", after_another)
    with pytest.raises(FileError, match="exists"):
        write_bytes(path, DATA)
    assert path.read_bytes() == b"another's"
    assert names(tmp_path) == ["out.png"]


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    write_bytes(tmp_path / "out.png", DATA)
    assert (tmp_path / "out.png").read_bytes() == DATA
    with pytest.raises(FileError, match="exists"):
        write_bytes(tmp_path / "out.png", b"")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(FileError, match="cannot be written"):
        write_bytes(tmp_path / "second.png", DATA)
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("how", ["same", "symbolic link", "hard link", "roundabout"])
def test_inputs_are_never_overwritten(tmp_path: Path, overwrite: bool, how: str) -> None:
    source = tmp_path / "mask.png"
    source.write_bytes(b"coarse")
    path = {"same": source, "roundabout": tmp_path / ".." / tmp_path.name / "mask.png"}.get(how, tmp_path / "out.png")
    if how == "symbolic link":
        path.symlink_to(source)
    if how == "hard link":
        path.hardlink_to(source)
    with pytest.raises(FileError, match=r"is the input .*mask\.png itself"):
        write_bytes(path, DATA, overwrite=overwrite, inputs=[tmp_path / "not there.jpg", source])
    assert source.read_bytes() == b"coarse"


def test_a_symbolic_link_is_replaced_not_followed(tmp_path: Path) -> None:
    other, path = tmp_path / "other.png", tmp_path / "out.png"
    other.write_bytes(b"kept")
    path.symlink_to(other)
    with pytest.raises(FileError, match="exists"):
        write_bytes(path, DATA)
    write_bytes(path, DATA, overwrite=True)
    assert not path.is_symlink()
    assert other.read_bytes() == b"kept"


def test_a_dangling_link_exists_too(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match="exists"):
        write_bytes(path, DATA)


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_and_devices_are_no_files(tmp_path: Path, overwrite: bool) -> None:
    with pytest.raises(FileError, match="is a folder"):
        write_bytes(tmp_path, DATA, overwrite=overwrite)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(FileError, match="is not a regular file"):
            write_bytes(tmp_path / name, DATA, overwrite=overwrite)
    assert names(tmp_path) == ["link", "pipe"]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "out.png", tmp_path / "file" / "below" / "out.png"):
        with pytest.raises(FileError, match=r"out\.png cannot be written"):
            write_bytes(path, DATA)


def test_folder_that_takes_no_files(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with as_nobody(), pytest.raises(FileError, match=r"out\.png cannot be written \(Permission denied\)"):
        write_bytes(tmp_path / "out.png", DATA)
    tmp_path.chmod(0o755)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    opened = Path.open

    def on_a_full_disc(self: Path, mode: str) -> object:
        opened(self, mode).close()
        return opened(Path("/dev/full"), "wb")

    monkeypatch.setattr(Path, "open", on_a_full_disc)
    with pytest.raises(FileError, match=r"out\.png cannot be written \(No space left on device\)"):
        write_bytes(path, DATA, overwrite=True)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool) -> None:
    path = tmp_path / "out.png"
    if overwrite:
        path.write_bytes(b"old")

    def interrupt(*_: object) -> None:
        assert any(name.endswith(".tmp") for name in names(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupt)
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(path, DATA, overwrite=overwrite)
    monkeypatch.undo()
    assert names(tmp_path) == (["out.png"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"old"


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_bytes_are_on_the_disc_before_the_name_is_there_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    path, done = tmp_path / "new" / "out.png", []
    sync, link, replace = os.fsync, os.link, Path.replace

    def synced(file: int) -> None:
        sync(file)
        name = Path(f"/proc/self/fd/{file}").readlink()
        done.append(("folder", name) if name.is_dir() else ("file", name.read_bytes(), path.exists()))

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", lambda *names: (link(*names), done.append("named")))
    monkeypatch.setattr(Path, "replace", lambda *names: (replace(*names), done.append("named")))
    write_bytes(path, DATA, overwrite=overwrite)
    assert done == [("folder", tmp_path), ("file", DATA, False), "named", ("folder", path.parent)]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_nothing_can_be_waited_for_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    write_bytes(tmp_path / "out.png", DATA)
    assert (tmp_path / "out.png").read_bytes() == DATA


def test_a_disc_that_fails_at_the_last_moment_gives_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileError, match=r"out\.png cannot be written \(Input/output error\)"):
        write_bytes(tmp_path / "out.png", DATA)
    assert names(tmp_path) == []


def test_without_hard_links_there_is_never_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "out.png", []
    replace = Path.replace

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "replace", lambda *names: (seen.append(path.exists()), replace(*names)))
    write_bytes(path, DATA)
    assert (seen, path.read_bytes()) == ([False], DATA)


@pytest.mark.parametrize("name", ["n" * 300, "nul\0", "half\ud800"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    check_output(tmp_path / name)
    with pytest.raises(FileError, match="cannot be written"):
        write_bytes(tmp_path / name, DATA)
    assert names(tmp_path) == []
