"""What lies beside a mask and says where it is goes with it."""

from pathlib import Path

import pytest

from spnrefine.files import sidecars


@pytest.mark.parametrize(
    ("beside", "copied"),
    [
        (["coarse.tfw", "coarse.prj", "coarse.tif.aux.xml"], ["fine.tfw", "fine.prj", "fine.tif.aux.xml"]),
        (["coarse.wld", "coarse.aux.xml", "other.tfw"], ["fine.wld", "fine.aux.xml"]),
        ([], []),
    ],
)
def test_sidecars_get_the_new_name(tmp_path: Path, beside: list[str], copied: list[str]) -> None:
    for name in beside:
        (tmp_path / name).write_text(name)
    out = tmp_path / "out"
    sidecars.copy(tmp_path / "coarse.tif", out / "fine.tif")
    assert sorted(path.name for path in out.glob("*")) == sorted(copied)
    for path in out.glob("*"):
        assert path.read_text() == path.name.replace("fine", "coarse")


def test_a_world_file_is_named_after_the_new_format(tmp_path: Path) -> None:
    (tmp_path / "coarse.pgw").write_text("1")
    (tmp_path / "coarse.png.aux.xml").write_text("2")
    sidecars.copy(tmp_path / "coarse.png", tmp_path / "fine.tif")
    assert (tmp_path / "fine.tfw").read_text() == "1"
    assert (tmp_path / "fine.tif.aux.xml").read_text() == "2"


def test_what_is_there_stays_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "coarse.tfw").write_text("new")
    (tmp_path / "fine.tfw").write_text("old")
    sidecars.copy(tmp_path / "coarse.tif", tmp_path / "fine.tif")
    assert (tmp_path / "fine.tfw").read_text() == "old"
    sidecars.copy(tmp_path / "coarse.tif", tmp_path / "fine.tif", overwrite=True)
    assert (tmp_path / "fine.tfw").read_text() == "new"


def test_a_mask_of_the_same_stem_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "coarse.tfw").write_text("1")
    sidecars.copy(tmp_path / "coarse.tif", tmp_path / "coarse.tiff", overwrite=True)
    assert [path.name for path in tmp_path.glob("*.tfw")] == ["coarse.tfw"]
