"""Every reader of files, fed with changed bytes of files that it reads: an error of one sentence, or a result."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from spnrefine.annotations import brush, rle
from spnrefine.annotations.xml_spans import elements
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import SpnRefineError, WeightsError
from spnrefine.files.classes import read_classes
from spnrefine.files.images import read_photograph
from spnrefine.files.labelmaps import read_labelmap
from spnrefine.files.masks import read_mask
from spnrefine.files.opening import count_pixels
from spnrefine.files.truth import read_labels, read_object
from spnrefine.model import storage, weights
from spnrefine.model.spn import SPN
from tests.files.making import SHAPE, encode, inside, npy, palette_image, with_orientation
from tests.files.test_limits import npz
from tests.model.test_forged_weights import SMALL

pytestmark = [pytest.mark.faults, pytest.mark.slow]  # slow: half a minute of changed files

GRAY = Image.fromarray(inside().astype(np.uint8) * 255)
RGB = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8))
SOFT = np.random.default_rng(1).random((3, *SHAPE), np.float32)

PICTURES = {
    "png": encode(RGB, "PNG", exif=with_orientation(6)),
    "palette": encode(palette_image(inside()), "PNG"),
    "jpeg": encode(RGB, "JPEG", exif=with_orientation(8)),
    "tiff": encode(GRAY, "TIFF"),
    "deflated tiff": encode(RGB, "TIFF", compression="tiff_adobe_deflate"),
    "pages": encode(GRAY, "TIFF", save_all=True, append_images=[GRAY, GRAY]),
    "bmp": encode(GRAY, "BMP"),
    "webp": encode(RGB, "WEBP", lossless=True),
    "gif": encode(GRAY, "GIF"),
    "ppm": encode(RGB, "PPM"),
    "npy": npy(inside()),
    "stack": npy(SOFT),
    "npz": npz(mask=inside(), other=SOFT),
}
READERS = {"photograph": read_photograph, "mask": read_mask, "object": read_object, "labels": read_labels}
fuzzed = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def changed(draw, data):
    """Some bytes replaced, taken out or put in, and perhaps the end cut off."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(found)))
        found[start : start + draw(st.integers(0, 6))] = draw(
            st.binary(max_size=6) | st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80"])
        )
    return bytes(found[: draw(st.integers(0, len(found)))] if draw(st.integers(0, 3)) == 0 else found)


@contextlib.contextmanager
def one_sentence():
    try:
        yield
    except SpnRefineError as error:
        assert str(error).endswith("."), error  # noqa: PT017 - none is wanted, and what comes must be of this form


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_changed_pictures(reader, kind):
    @fuzzed
    @given(changed(PICTURES[kind]))
    def read(data):
        assert count_pixels(data) >= 0
        with one_sentence():
            READERS[reader](data)

    read()


TEXTS = {
    "classes": (read_classes, b"background: 0\nskin: 1 2\nhair: 3\nall = skin, hair\n"),
    "labelmap": (read_labelmap, b"# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\nvoid:::\n"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_changed_texts(tmp_path, kind):
    reader, text = TEXTS[kind]

    @settings(fuzzed, max_examples=100)
    @given(changed(text))
    def read(data):
        (tmp_path / "a.txt").write_bytes(data)
        with one_sentence():
            reader(tmp_path / "a.txt")

    read()


def test_changed_weights(tmp_path):
    storage.save(SPN(SMALL), tmp_path / "a.safetensors", provenance={"data": ["x"]})
    whole = (tmp_path / "a.safetensors").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")

    @settings(fuzzed, max_examples=60)
    @given(changed(whole[:header]))
    def read(data):
        (tmp_path / "b.safetensors").write_bytes(data + whole[header:])
        for reader in (weights.describe, weights.read):
            with contextlib.suppress(WeightsError):
                reader(tmp_path / "b.safetensors")

    read()


@settings(fuzzed, max_examples=200)
@given(st.lists(st.integers(-1, 300), max_size=60) | changed(bytes(brush.encode(Boxed.of(inside()), 255))).map(list))
def test_changed_brushes(packed):
    with one_sentence():
        assert brush.decode("x", packed, SHAPE).size == SHAPE


@settings(fuzzed, max_examples=200)
@given(st.text(max_size=40) | st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmno", max_size=60))
def test_any_run_lengths(packed):
    with one_sentence():
        assert rle.fill_runs("x", rle.unpack("x", packed), 12 * 17).shape == (12 * 17,)


@settings(fuzzed, max_examples=200)
@given(changed(b'<?xml version="1.0" encoding="utf-8"?><annotations><image id="0" name="a"/></annotations>'))
def test_changed_xml(data):
    with one_sentence():
        elements(data, "x")
