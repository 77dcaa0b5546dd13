"""Whatever stands in an annotation file, nothing but an error of one sentence comes out."""

import contextlib
import copy
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import SpnRefineError
from tests.annotations import (
    test_coco,
    test_coco_forms,
    test_cvat,
    test_cvat_video,
    test_geojson,
    test_label_studio,
    test_label_studio_min,
    test_labelme,
    test_panoptic,
    test_supervisely,
    test_yolo,
)
from tests.annotations.making import SIZE, holed, save_photograph

pytestmark = pytest.mark.faults

pytest.importorskip("pycocotools")


def coco():
    with tempfile.TemporaryDirectory() as folder, pytest.warns(DeprecationWarning, match="__array__"):
        return json.loads(test_coco.write(Path(folder)).read_text())


JSON = {"coco": coco(), "labelme": test_labelme.labelme(), "label_studio": test_label_studio.export()}
TEXTS = {name: json.dumps(value).encode() for name, value in JSON.items()}
TEXTS |= {"cvat": test_cvat.XML.encode(), "cvat_video": test_cvat_video.XML.encode(), "yolo": test_yolo.LINES.encode()}

MORE_JSON = {
    "results": test_coco_forms.RESULTS,
    "lvis": test_coco_forms.LVIS,
    "sa1b": test_coco_forms.SA1B,
    "json_min": test_label_studio_min.export(test_label_studio_min.POLYGON, test_label_studio_min.BRUSH),
    "panoptic": test_panoptic.panoptic(*map(test_panoptic.segment, (7, 300, 3226956))),
    "supervisely": test_supervisely.supervisely(
        test_supervisely.figure("bitmap", bitmap=test_supervisely.bitmap(test_supervisely.BITMAP)),
        test_supervisely.POLYGON,
    ),
    "geojson": test_geojson.FEATURES,
}

NUMBERS = [None, True, 0, -1, 1, 2**31, 2**63, 10**400, 1e308, -1e308, 0.5, float("nan"), float("inf")]
TEXT = ["", "x", "\0", "a" * 5000, "../..", "☃", "\ud800"]
NESTED = [[], {}, [[]], [{}], [None], [[[]]], {"": None}, [0] * 7, [[0, 0]] * 3, {"counts": "1", "size": [1]}]
ABSURD = st.sampled_from([*NUMBERS, *TEXT, *NESTED]).map(copy.deepcopy)  # they are changed in their turn
ABSURD_BYTES = st.binary(max_size=8) | st.sampled_from(
    [b"9" * 20, b"1e999", b"NaN", b"-", b'"', b"[[[", b"}", b"<", b";", b","]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    for name in (
        "photo.png",
        "sub/photo.png",
        "set/phöto.png",
        "other.png",
        "photo.jpg",
        "000000000007.png",
        "a b.png",
    ):
        save_photograph(folder / "images" / name)
    save_photograph(folder / "images" / "a.png")
    (folder / "labels").mkdir()
    test_panoptic.save_ids(folder / "labels" / "a" / "photo.png", test_panoptic.ids())
    return folder


def work(folder, name, data):
    path = folder / "labels" / ("a.txt" if name == "yolo" else "a.xml" if name.startswith("cvat") else "a.json")
    path.write_bytes(data)
    with contextlib.suppress(SpnRefineError):
        document = open_document(
            path.parent if name == "yolo" else path, folder / "images", polygons=len(data) % 2 == 0
        )
        for item in document.items:
            for act in (
                lambda item: item.read(SIZE),
                lambda item: item.write(Boxed.of(holed(2))),
                lambda item: item.read((8, 9)),
            ):
                with one_sentence():
                    act(item)
        outputs = document.outputs()
        path.write_bytes(outputs.get(Path(path.name), data))
        open_document(path.parent if name == "yolo" else path, folder / "images")
    path.unlink()


@contextlib.contextmanager
def one_sentence():
    try:
        yield
    except SpnRefineError as error:
        if not str(error).strip():
            raise AssertionError("an error that says nothing") from error


def somewhere(value, draw):
    """Walk down at random, so that a key of the whole file is as likely as one of a thousand numbers."""
    holder, key = None, None
    while isinstance(value, dict | list) and value and (holder is None or draw(st.integers(0, 4))):
        holder, key = value, draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        value = holder[key]
    return holder, key


fuzzed = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(fuzzed, max_examples=60)
@given(st.data())
@pytest.mark.parametrize("name", JSON | MORE_JSON)
def test_any_value_anywhere(folder, name, data):
    change(folder, name, (JSON | MORE_JSON)[name], data)


@pytest.mark.slow(reason="a thousand documents of each form, where the test above looks at sixty")
@settings(fuzzed, max_examples=1000)
@given(st.data())
@pytest.mark.parametrize("name", JSON | MORE_JSON)
def test_any_value_anywhere_in_many(folder, name, data):
    change(folder, name, (JSON | MORE_JSON)[name], data)


def change(folder, name, value, data):
    """Put absurd values into a document, at a few places, and work on it."""
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = somewhere(value, data.draw)
        if holder is None:
            break
        if data.draw(st.integers(0, 3)):
            holder[key] = data.draw(ABSURD)
        else:
            del holder[key]
    work(folder, name, json.dumps(value).encode())


@fuzzed
@given(st.data())
@pytest.mark.parametrize("name", TEXTS)
def test_any_bytes_anywhere(folder, name, data):
    text = bytearray(TEXTS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text[start:end] = data.draw(ABSURD_BYTES)
    if data.draw(st.integers(0, 4)) == 0:
        del text[data.draw(st.integers(0, len(text))) :]
    work(folder, name, bytes(text))


@fuzzed
@given(st.binary(max_size=200), st.sampled_from(sorted(TEXTS)))
def test_anything_at_all(folder, data, name):
    work(folder, name, data)
