"""Whatever is no whole photograph is one sentence, never an error of another kind."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.images import read_image
from tests.files.making import SHAPE, as_nobody, encode, npy, with_orientation

pytestmark = pytest.mark.faults

RGB = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)

WHOLE = {
    "png": encode(Image.fromarray(RGB), "PNG"),
    "jpeg": encode(Image.fromarray(RGB), "JPEG"),
    "progressive jpeg": encode(Image.fromarray(RGB), "JPEG", progressive=True),
    "jpeg with a preview": encode(
        Image.fromarray(RGB), "JPEG", exif=b"Exif\0\0" + with_orientation(6).tobytes()[6:] + b"\xff\xd8\xff\xd9"
    ),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE.keys())
def test_every_beginning_of_a_file_is_an_error(data: bytes) -> None:
    assert read_image(data).size
    for end in range(len(data)):
        with pytest.raises(FileError):
            read_image(data[:end])


@pytest.mark.parametrize("format", ["TIFF", "BMP", "WEBP", "GIF"])
def test_a_beginning_of_a_file_is_an_error_or_all_there(format: str) -> None:
    """These have no end mark that must be there: what is accepted has every pixel."""
    data = encode(Image.fromarray(RGB), format, **({"lossless": True} if format == "WEBP" else {}))
    whole = read_image(data)
    failed = 0
    for end in range(len(data)):
        try:
            np.testing.assert_array_equal(read_image(data[:end]), whole)
        except FileError:
            failed += 1
    assert failed >= len(data) - 4


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE.keys())
def test_damaged_bytes_never_raise_another_kind(data: bytes) -> None:
    random = np.random.default_rng(1)
    failed = 0
    for _ in range(150):
        damaged = bytearray(data)
        for position in random.integers(0, len(data), 3):
            damaged[position] = random.integers(0, 256)
        try:
            assert read_image(bytes(damaged)).ndim == 3
        except FileError:
            failed += 1
    assert failed


def test_fill_bytes_between_the_segments_of_a_jpeg() -> None:
    data = WHOLE["jpeg"]
    filled = data[:2] + b"\xff\xff\xff" + data[2:]
    np.testing.assert_array_equal(read_image(filled), read_image(data))
    with pytest.raises(FileError, match="cut short"):
        read_image(filled[:-1])


def test_bytes_behind_the_end_are_no_fault() -> None:
    for data in WHOLE.values():
        np.testing.assert_array_equal(read_image(data + b"\xff\xda trailer"), read_image(data))


@pytest.mark.parametrize("data", [b"hello, this is text\n" * 9, b"%PDF-1.7", npy(np.zeros((3, 3))), b"\0"])
def test_not_a_picture(data: bytes, tmp_path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"notes\.jpg is not a whole picture.*: give a JPEG, PNG"):
        read_image(path)
    with pytest.raises(FileError, match=r"^standard input is not"):
        read_image(data)


def test_paths_that_cannot_be_read(tmp_path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(FileError, match=r"empty\.png is empty \(0 bytes\)"):
        read_image(empty)
    with pytest.raises(FileError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(FileError, match="cannot be read"):
        read_image(empty / "below.png")
    with pytest.raises(FileError, match=r"standard input is empty"):
        read_image(b"")


def test_file_without_permission(tmp_path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(WHOLE["png"])
    path.chmod(0)
    with (
        as_nobody(),
        pytest.raises(FileError, match=r"secret\.png cannot be read \(Permission denied\): check the path"),
    ):
        read_image(path)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    data = bytearray(encode(Image.new("L", (1, 1)), "BMP"))
    data[18:26] = (60000).to_bytes(4, "little") * 2
    with pytest.raises(FileError, match="60000 x 60000 pixels"):
        read_image(bytes(data))
