import json

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError, ShapeError, SpnRefineError
from tests.annotations.making import SIZE, blob, save_photograph
from tests.annotations.test_labelme import labelme


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"{", "is not whole JSON"),
        (json.dumps(labelme()).encode()[:-1], "is not whole JSON"),
        (b"\xff\xfe{\0}\0", "is not UTF-8 text"),
        (b"{}", "no annotations of a known format"),
        (b"[]", "no annotations of a known format"),
        (b"[1]", "no annotations of a known format"),
        (b'[{"image_id": 1, "segmentation": {}}]', "holds 1 objects, but no mask"),
        (b'{"annotations": 3, "images": []}', "no annotations of a known format"),
        (b'{"shapes": {}, "imagePath": "x"}', "no annotations of a known format"),
        (b"null", "no annotations of a known format"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8 text"),
    ],
)
def test_a_file_of_no_known_format_is_one_sentence(tmp_path, data, reason):
    path = tmp_path / "annotations.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(FileError, match=reason) as caught:
        open_document(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(json.dumps(labelme()))
    return tmp_path / "photo.json"


def test_options_that_make_no_sense_are_refused(path):
    with pytest.raises(FileError, match="is not a folder"):
        open_document(path, path.parent / "nowhere")
    for tolerance in (-1, float("nan"), float("inf")):
        with pytest.raises(SpnRefineError, match="tolerance"):
            open_document(path, tolerance=tolerance)


def test_only_bools_of_the_photographs_size_are_written(path):
    document = open_document(path)
    with pytest.raises(ShapeError, match=r"photo\.json#0 was given a mask of uint8"):
        document.items[0].write(Boxed.of(blob().astype(np.uint8)))
    with pytest.raises(FileError, match="was drawn on 100 x 80 pixels"):
        document.items[0].write(Boxed.of(blob().T))
    document.items[0].write(Boxed.of(blob()))
    assert document.items[0].read(SIZE).area != blob().sum()  # read goes on giving what came in


def test_a_byte_order_mark_stays(path):
    data = b"\xef\xbb\xbf" + path.read_bytes()
    path.write_bytes(data)
    document = open_document(path)
    assert document.outputs()[path.relative_to(path.parent)] == data
    document.items[0].write(Boxed.of(blob()))
    assert document.outputs()[path.relative_to(path.parent)].startswith(b"\xef\xbb\xbf{")
