"""Rows of tables, refined as engines hand them out."""

import io
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch import Refine, rows
from spnrefine.errors import ShapeError, SpnRefineError
from tests.batch.refiners import Shifting
from tests.pictures import open_picture


@pytest.fixture
def refine(monkeypatch):
    """Return a Refine whose network shifts masks by two pixels to the right."""
    monkeypatch.setattr(rows, "Refiner", lambda *_, **__: Shifting())
    return Refine()


@pytest.fixture
def arrays():
    mask = np.zeros((40, 50), bool)
    mask[10:30, 10:30] = True
    return np.zeros((40, 50, 3), np.uint8), mask


@pytest.fixture
def files(tmp_path, arrays):
    image, mask = arrays
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(np.uint8(255) * mask).save(tmp_path / "a_mask.bmp")
    return tmp_path / "a.png", tmp_path / "a_mask.bmp"


def moved(mask):
    return np.roll(mask, 2, axis=1)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "float32"])
def test_arrays_give_arrays_of_their_type(refine, arrays, dtype):
    image, mask = arrays
    given = mask.astype(dtype) * (300 if dtype == "uint16" else 1)
    (row,) = refine([{"image": image, "mask": given, "id": 7}])
    np.testing.assert_array_equal(row["refined"], moved(given))
    assert (row["refined"].dtype, row["id"], row["extension"], row["error"]) == (given.dtype, 7, None, None)


def test_paths_give_the_files_that_a_batch_writes(run, tmp_path, files):
    image, mask = files
    (row,) = Refine(device="cpu", threads=1)([{"image": str(image), "mask": mask}])
    (tmp_path / "photos").mkdir()
    image.rename(tmp_path / "photos" / "a.png")
    (tmp_path / "masks").mkdir()
    mask.rename(tmp_path / "masks" / "a.bmp")
    where = "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out", "--records", tmp_path / "records"
    assert run("batch", tmp_path / "photos", *where).exit_code == 0
    assert row["refined"] == (tmp_path / "out" / "a.bmp").read_bytes()
    assert row["extension"] == ".bmp"
    own, batch = json.loads(row["record"]), json.loads((tmp_path / "records").read_text())
    differing = {"image", "mask", "output", "seconds"}
    assert {k: own[k] for k in own.keys() - differing} == {k: batch[k] for k in own.keys() - differing}
    assert own["image"] == str(image)


def test_bytes_of_files_are_taken(refine, files):
    image, mask = files
    (row,) = refine([{"image": image.read_bytes(), "mask": mask.read_bytes()}])
    assert row["extension"] == ".bmp"
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(row["refined"]))), moved(np.asarray(open_picture(mask)))
    )


def test_columns_come_back_as_columns(refine, arrays):
    image, mask = arrays
    batch = {"image": np.stack([image] * 3), "mask": np.stack([mask] * 3), "key": np.arange(3)}
    done = refine(batch)
    assert list(done) == ["image", "mask", "key", *rows.COLUMNS]
    assert [len(column) for column in done.values()] == [3] * 7
    np.testing.assert_array_equal(done["refined"][2], moved(mask))
    assert [json.loads(text)["status"] for text in done["record"]] == ["refined"] * 3


def test_frames_come_back_as_frames(refine, files):
    class Columns:
        """Columns that are no Mapping, as a DataFrame is none."""

        def __init__(self, **columns):
            self.columns = columns

        def __iter__(self):
            return iter(self.columns)

        def __contains__(self, name):
            return name in self.columns

        def __getitem__(self, name):
            return self.columns[name]

        def assign(self, **columns):
            return Columns(**self.columns, **columns)

    done = refine(Columns(image=[str(files[0])], mask=[str(files[1])]))
    assert list(done) == ["image", "mask", *rows.COLUMNS]
    assert done["error"][0] is None


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"mask": None}, "The row has no 'mask'"),
        ({"mask": float("nan")}, "The row has no 'mask'"),
        ({"image": "none.png"}, "none.png does not exist"),
        ({"image": b"no picture"}, "image is not a whole picture"),
        ({"mask": b""}, "mask is empty"),
        ({"mask": np.zeros((40, 49), bool)}, "mask is 49 x 40 pixels, the photograph is 50 x 40"),
        ({"image": np.zeros((40, 50), np.uint8)}, "The image has shape"),
        ({"mask": np.zeros((40, 50), complex)}, "mask holds complex128"),
    ],
)
def test_a_bad_row_is_one_error(refine, arrays, cells, said):
    image, mask = arrays
    good = {"image": image, "mask": mask}
    bad, other = refine([good | cells, good])
    assert said in bad["error"]
    assert (bad["refined"], bad["extension"]) == (None, None)
    record = json.loads(bad["record"])
    assert (record["status"], record["error"]) == ("failed", bad["error"])
    assert other["error"] is None


def test_a_batch_without_its_columns_is_refused(refine):
    with pytest.raises(ValueError, match="The batch has the columns photo, coarse: expected 'image' and 'mask'"):
        refine({"photo": ["a"], "coarse": ["b"]})
    with pytest.raises(ShapeError, match="The batch has the columns none: expected 'image' and 'mask'"):
        refine({})


def test_what_is_no_batch_is_refused(refine, files):
    with pytest.raises(ShapeError, match="have 2 and 1 rows: expected as many in each"):
        refine({"image": [files[0]] * 2, "mask": [files[1]]})
    with pytest.raises(ShapeError, match="The batch is of type str: expected rows, or columns 'image' and 'mask'"):
        refine("photo.jpg")


def test_columns_and_settings_may_be_named(monkeypatch, arrays):
    monkeypatch.setattr(rows, "Refiner", lambda *_, **__: Shifting())
    image, mask = arrays
    (row,) = Refine(image="photo", mask="coarse", max_change=0.01)([{"photo": image, "coarse": mask}])
    np.testing.assert_array_equal(row["refined"], mask)
    assert json.loads(row["record"])["status"] == "kept"


def test_it_is_pickled_without_its_network(refine, arrays):
    image, mask = arrays
    refine([{"image": image, "mask": mask}])
    data = pickle.dumps(Refine("broad", threads=1, band=3, soft=True, mask="coarse"))
    assert len(data) < 1000
    again = pickle.loads(data)
    (row,) = again([{"image": image, "coarse": mask.astype(np.float32)}])
    assert (row["refined"].dtype, row["error"]) == (np.float32, None)


def test_a_matte_is_one(arrays):
    image, mask = arrays
    image = np.where(mask[..., None], np.uint8(200), np.uint8(40)) + image
    (row,) = Refine(device="cpu", threads=1, alpha=True)([{"image": image, "mask": np.roll(mask, 2, axis=1)}])
    assert row["error"] is None
    assert row["refined"].dtype == np.uint8
    assert ((row["refined"] > 0) & (row["refined"] < 255)).any()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"soft": True, "alpha": True}, "soft and alpha were both given"),
        ({"band": "3"}, "band was '3': expected a number from 0 on"),
        ({"max_change": -1}, "max_change was -1: expected a number from 0 on"),
    ],
)
def test_what_no_row_can_be_refined_with_is_refused_at_once(how, said):
    with pytest.raises(SpnRefineError, match=said):
        Refine(**how)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_as_spark_has_them(refine, files, kind):
    (row,) = refine([{"image": kind(files[0].read_bytes()), "mask": kind(files[1].read_bytes())}])
    assert (row["extension"], row["error"]) == (".bmp", None)


@pytest.mark.parametrize(
    ("given", "said"), [("", "The row has no 'image'"), ("s3://b/a.png", "s3://b/a.png is a URL: give the bytes")]
)
def test_what_is_no_path_is_told(refine, arrays, given, said):
    (row,) = refine([{"image": given, "mask": arrays[1]}])
    assert row["error"].startswith(said)
