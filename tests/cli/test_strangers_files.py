"""Whatever a stranger's file is, in whatever place: one sentence, exit code 1, and nothing written."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest

from tests.files.making import encode
from tests.files.test_limits import EPS, GRAY, OTHERS, grow

pytestmark = pytest.mark.faults

PNG = encode(GRAY, "PNG")


def forged_npy(shape):
    """A header that promises more than there is."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue() + b"\0" * 10


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in files.items():
            made.writestr(f"{name}.npy", data)
    return buffer.getvalue()


FILES = {
    "empty": b"",
    "text": b"this is no picture\n" * 50,
    "a null byte": b"\0",
    "HTML": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "XML with entities": b'<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>',
    "nested JSON": b"[" * 100_000,
    "a number without end": b'{"shapes": [' + b"9" * 5000 + b"]}",
    "EPS": EPS,
    "PDF": b"%PDF-1.7\n" * 20,
    **{format: data for format, data in OTHERS.items() if format in ("PCX", "ICO")},
    "half a PNG": PNG[: len(PNG) // 2],
    "a PNG of 3600 megapixels": grow(PNG, 60000, 60000),
    "a PNG without width": grow(PNG, 0, 4),
    "a PNG of gray numbers": b"\x89PNG\r\n\x1a\n" + b"\x07" * 500,
    "half a JPEG": encode(GRAY, "JPEG")[:200],
    "a TIFF that ends": encode(GRAY, "TIFF")[:20],
    "a TIFF that points at itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "a GIF's head": b"GIF89a\xff\xff\xff\xff\0\0\0",
    "a WebP's head": b"RIFF\xff\xff\xff\x7fWEBPVP8L",
    "an NPY of too much": forged_npy((10**6, 10**6)),
    "an NPY of more than there is": forged_npy((100, 100)),
    "an NPY of negative sides": forged_npy((-5, 10)),
    "an NPY's head": b"\x93NUMPY\x09\x09\xff\xff",
    "a pickle": b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x05posix\x94.",
    "an NPZ of too much": archive(mask=forged_npy((10**6, 10**6))),
    "an NPZ of nothing": archive(),
    "an NPZ of text": archive(mask=b"text"),
    "a ZIP's head": b"PK\x03\x04" + b"\xff" * 60,
    "weights that promise too much": (10**12).to_bytes(8, "little") + b"{",
}
PLACES = {
    "photograph": ["{file}", "--mask", "coarse.png"],
    "mask": ["photo.jpg", "--mask", "{file}"],
    "model": ["photo.jpg", "--mask", "coarse.png", "--model", "{file}"],
    "annotations": ["batch", "{file}", "--images", ".", "-o", "out.json"],
    "truth": ["eval", "--images", "images", "--coarse", "coarse", "--truth", "truth"],
}


QUICK, SLOW = ["photograph", "mask", "annotations"], ["model", "truth"]  # the latter load networks: half a minute


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
@pytest.mark.parametrize("place", [*QUICK, *(pytest.param(place, marks=pytest.mark.slow) for place in SLOW)])
def test_a_strangers_file_is_one_sentence(run, pair, monkeypatch, place, file):
    folder = pair[0].parent
    monkeypatch.chdir(folder)
    path = folder / "stranger.png"
    if place == "truth":
        for name, source in (("images", pair[0]), ("coarse", pair[1])):
            (folder / name).mkdir()
            (folder / name / f"stranger{source.suffix}").write_bytes(source.read_bytes())
        path = folder / "truth" / "stranger.png"
        path.parent.mkdir()
    path.write_bytes(file)
    before = sorted(folder.rglob("*"))
    result = run(*(part.format(file=path) for part in PLACES[place]))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "stranger" in result.stderr
    assert "bug" not in result.stderr
    assert len(result.stderr) < 1000
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/urandom"])
@pytest.mark.parametrize("place", ["photograph", "mask", "annotations"])
def test_a_device_is_no_file(run, pair, monkeypatch, place, device):
    monkeypatch.chdir(pair[0].parent)
    result = run(*(part.format(file=device) for part in PLACES[place]))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert device in result.stderr


def test_a_picture_within_annotations_is_no_eps_either(run, pair):
    """LabelMe's embedded photograph, which Ghostscript would have been started for."""
    shape = {"points": [[1, 1], [50, 1], [50, 50]], "shape_type": "polygon"}
    path = pair[0].with_name("a.json")
    path.write_text(json.dumps({"imagePath": "x", "imageData": base64.b64encode(EPS).decode(), "shapes": [shape]}))
    result = run("batch", path, "-o", pair[0].with_name("out.json"))
    assert result.exit_code == 1
    assert "imageData" in result.stderr
