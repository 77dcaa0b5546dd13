"""What is refused by its header alone: formats, pixels, pages, values and bytes beyond the limits."""

import io
import os
import resource
import shutil
import threading
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from tifffile import TiffPages

from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import formats, limits, opening
from spnrefine.files.images import read_image
from spnrefine.files.masks import read_mask
from spnrefine.files.opening import read_bytes
from tests.files.making import encode, npy

pytestmark = pytest.mark.faults

GRAY = Image.new("L", (4, 3))
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 3\n%%EndComments\n%%EOF\n"
OTHERS = {format: encode(GRAY.convert("RGB"), format) for format in ("PCX", "SGI", "DDS", "ICO", "ICNS")}


@pytest.fixture
def one_megapixel(monkeypatch):
    monkeypatch.setenv(limits.VARIABLE, "1")


@pytest.mark.parametrize("read", [read_image, read_mask])
@pytest.mark.parametrize(("found", "data"), [("EPS", EPS), *OTHERS.items()])
def test_other_formats_of_pillows_are_named_and_not_opened(read, found, data, monkeypatch):
    formats.name_of(data)  # which registers all of Pillow's readers
    for format, (_, accepts) in Image.OPEN.items():
        if format not in formats.PICTURES:
            monkeypatch.setitem(Image.OPEN, format, (lambda *_: pytest.fail("it was opened"), accepts))
    with pytest.raises(FileError, match=f"of the format {found} .*not opened: give a JPEG, PNG, TIFF, BMP or WebP"):
        read(data)


@pytest.mark.parametrize("format", formats.openable())
def test_the_formats_of_the_list_are_opened(format):
    assert read_image(encode(GRAY.convert("RGB"), format)).shape == (3, 4, 3)


def test_every_extension_belongs_to_a_format_that_is_opened():
    listed = {extension for extensions in formats.PICTURES.values() for extension in extensions}
    assert set(formats.PHOTOGRAPHS) == listed | set(formats.NOT_OPENED)
    assert set(formats.MASKS) == set(formats.PHOTOGRAPHS) | {".npy", ".npz"}


def grow(png, width, height):
    """Let a PNG's header say another size."""
    header = png[12:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4, "big") + png[33:]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "GIF", "JPEG"])
def test_a_large_picture_is_refused_before_it_is_decoded(one_megapixel, monkeypatch, format):
    data = encode(Image.new("L", (1001, 1000)), format)
    for module in ("ImageFile.ImageFile", "PngImagePlugin.PngImageFile", "WebPImagePlugin.WebPImageFile"):
        monkeypatch.setattr(f"PIL.{module}.load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(FileError, match=r"1001 x 1000 pixels, and at most 1 million are read: .*--max-megapixels"):
        read_image(data)


def test_a_small_file_of_a_large_png_costs_nothing():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match="60000 x 60000 pixels"):
        read_image(grow(encode(GRAY, "PNG"), 60000, 60000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # in KiB


def test_a_page_that_is_larger_than_the_first_is_not_decoded():
    data = encode(GRAY, "TIFF", save_all=True, append_images=[Image.new("L", (1001, 1000))])
    with pytest.raises(FileError, match="several sizes or kinds"):
        read_mask(data)


def test_pages_are_counted_no_further_than_they_may_be(monkeypatch):
    data = encode(GRAY, "TIFF", save_all=True, append_images=[GRAY] * 8)
    monkeypatch.setattr("spnrefine.files.tiff_pages.MAX_PAGES", 4)
    asked = []
    get = TiffPages.__getitem__
    monkeypatch.setattr(TiffPages, "__getitem__", lambda pages, number: (asked.append(number), get(pages, number))[1])
    assert read_image(data).shape == (3, 4, 3)
    assert set(asked) == {0}  # a photograph's pages do not matter
    with pytest.raises(FileError, match="more than 4 pages"):
        read_mask(data)
    assert max(asked) == 4


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy(np.zeros((5, 900, 1000), bool)), r"shape \(5, 900, 1000\), and at most 4 million values"),
        (npz(mask=np.zeros((5, 900, 1000), bool)), r"shape \(5, 900, 1000\), and at most 4 million values"),
        (npz(mask=np.zeros((1001, 1000))), "1000 x 1001 pixels, and at most 1 million"),
        (npz(mask=np.zeros((1, 1001, 1000))), "1000 x 1001 pixels"),
        (npz(mask=np.zeros((2, 900, 1000))), "14 MB or more, and at most 8 MB"),
        (npz(mask=np.zeros((3, 4), bool), other=np.zeros((2, 900, 1000))), "14 MB or more"),
        (npz(mask=np.zeros((600, 1000)), other=np.zeros((600, 1000))), "10 MB or more"),
        (npy(np.zeros((1001, 1000), np.uint8)), "1000 x 1001 pixels, and at most 1 million"),
    ],
)
def test_arrays_are_refused_by_their_headers(one_megapixel, monkeypatch, data, message):
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with pytest.raises(FileError, match=f"{message}.*: make it smaller, or raise --max-megapixels"):
        read_mask(data)


@pytest.mark.parametrize("odd", [{"compress_type": zipfile.ZIP_LZMA}, {"name": "a.txt"}])
def test_archives_that_numpy_does_not_write(odd):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(odd.get("name", "mask.npy"), npy(np.zeros((3, 4))), odd.get("compress_type"))
    with pytest.raises(FileError, match="which NumPy has not written"):
        read_mask(buffer.getvalue())


def test_files_are_not_read_whole_whatever_they_are(tmp_path, monkeypatch):
    path = tmp_path / "photo.jpg"
    with path.open("wb") as file:
        file.truncate(20 << 30)  # a hole, which takes no disc
    with pytest.raises(FileError, match=r"photo\.jpg has 21475 MB or more, and at most 4000 MB are read"):
        read_bytes(path)
    with path.open("wb") as file:
        file.truncate(1 << 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match="not a whole picture"):
        read_bytes(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    with pytest.raises(FileError, match="is a device: give a file"):
        read_bytes("/dev/zero")


def test_a_pipe_is_read_no_further_than_a_file(one_megapixel, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "max_bytes", lambda content: 1000)
    monkeypatch.setattr(limits, "max_bytes", lambda content: 1000)
    reader, writer = os.pipe()
    source = threading.Thread(target=lambda: os.write(writer, b"x" * 1001))
    source.start()
    with pytest.raises(FileError, match=r"and at most 0\.001 MB"):
        read_bytes(f"/dev/fd/{reader}")
    source.join()
    os.close(reader)
    os.close(writer)


def test_the_limit_is_raised_by_the_variable_or_the_option(one_megapixel, run, pair, monkeypatch):
    Image.new("L", (1001, 1000)).save(pair[0].with_name("large.png"))
    shutil.copy(pair[0].with_name("large.png"), pair[0].with_name("m.png"))
    arguments = (pair[0].with_name("large.png"), "--mask", pair[0].with_name("m.png"))
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "--max-megapixels" in refused.stderr
    assert run(*arguments, "--max-megapixels", 2).exit_code == 0
    assert run(*arguments, "--max-megapixels", 0).exit_code == 2
    monkeypatch.setenv(limits.VARIABLE, "2")
    assert read_image(arguments[0]).shape == (1000, 1001, 3)
    monkeypatch.setenv(limits.VARIABLE, "many")
    with pytest.raises(SpnRefineError, match="expected a whole number of megapixels"):
        limits.max_pixels()


@pytest.mark.parametrize("where", ["spnrefine.files.opening._open", "numpy.load"])
def test_a_lack_of_memory_is_no_damage(run, pair, monkeypatch, where):
    if where == "numpy.load":
        pair[1].write_bytes(npy(np.zeros((80, 100), bool)))

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(where, fail)
    result = run(pair[0], "--mask", pair[1])
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Memory ran out: use a smaller photograph or fewer --jobs.\n",
    )
