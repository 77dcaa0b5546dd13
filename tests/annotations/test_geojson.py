"""QuPath's GeoJSON: features in pixels, with holes and parts of their own."""

import json

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, parted, rewrite, save_photograph, speckled

OUTER, HOLE = [[20, 10], [80, 10], [80, 60], [20, 60], [20, 10]], [[40, 20], [60, 20], [60, 40], [40, 40], [40, 20]]
OTHER = [[1, 70], [9, 70], [9, 78], [1, 78], [1, 70]]


def feature(kind, coordinates, **more):
    properties = {"objectType": "annotation", "classification": {"name": "Tümor", "color": [200, 0, 0]}}
    geometry = {"type": kind, "coordinates": coordinates, **more}
    return {"type": "Feature", "id": "8b0d4f2e", "geometry": geometry, "properties": properties}


FEATURES = [
    feature("Polygon", [OUTER, HOLE]),
    feature("Point", [3, 4]),
    feature("MultiPolygon", [[OUTER, HOLE], [OTHER]]),
    feature("Polygon", [OUTER], isEllipse=True),
]


def first():
    mask = np.zeros(SIZE, bool)
    mask[10:60, 20:80], mask[20:40, 40:60] = True, False
    return mask


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "images" / "slide.png")
    return write(tmp_path / "slide.geojson", {"type": "FeatureCollection", "features": FEATURES})


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


FORMS = {
    "collection": lambda features: {"type": "FeatureCollection", "features": features},
    "list": lambda features: features,
}


@pytest.mark.parametrize("form", FORMS)
def test_areas_are_read_and_all_else_stays(path, form):
    document = open_document(write(path, FORMS[form](FEATURES)))
    assert document.format == "GeoJSON"
    assert [(item.name, item.photograph.name) for item in document.items] == [
        ("slide.geojson#0", "slide.png"),
        ("slide.geojson#2", "slide.png"),
    ]
    np.testing.assert_array_equal(document.items[0].read(SIZE), first())
    both = first()
    both[70:78, 1:9] = True
    np.testing.assert_array_equal(document.items[1].read(SIZE), both)
    check_untouched(document)


def test_one_feature_alone_is_read(path):
    (item,) = open_document(write(path, FEATURES[0])).items
    np.testing.assert_array_equal(item.read(SIZE), first())


@pytest.mark.parametrize("mask", [blob(), holed(), parted(), speckled()], ids=["blob", "hole", "parts", "noise"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_mask_keeps_its_holes_and_parts(path, tmp_path, mask, index):
    again = rewrite(open_document(path, tolerance=0), index, mask, tmp_path / "images", tmp_path / "out")
    np.testing.assert_array_equal(again.items[index].read(SIZE), mask)
    after = json.loads((tmp_path / "out" / path.name).read_text())["features"]
    changed = after[2 * index]
    assert changed["geometry"]["type"] == ("Polygon" if mask.sum() in (blob().sum(), holed().sum()) else "MultiPolygon")
    assert {**changed, "geometry": 0} == {**FEATURES[2 * index], "geometry": 0}
    assert [one for one in after if one is not changed] == [one for one in FEATURES if one is not FEATURES[2 * index]]
    polygons = changed["geometry"]["coordinates"]
    rings = [polygons] if changed["geometry"]["type"] == "Polygon" else polygons
    for ring in (ring for polygon in rings for ring in polygon):
        assert ring[0] == ring[-1]
        assert len(ring) >= 4


def test_a_folder_finds_each_photograph_by_its_name(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.tif.geojson", "b.json"):
        write(tmp_path / "out" / name, FEATURES)
    for name in ("a.tif", "b.png"):
        save_photograph(tmp_path / "photos" / name)
    document = open_document(tmp_path / "out", tmp_path / "photos")
    assert [item.photograph.name for item in document.items] == ["a.tif"] * 2 + ["b.png"] * 2


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": 5},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "Polygon", "coordinates": [[["a", 2], [3, 4], [5, 6]]]},
        {"type": "MultiPolygon", "coordinates": [OUTER, []]},
        {"type": "MultiPolygon", "coordinates": [OUTER]},
        {"type": "Polygon", "coordinates": [OUTER], "plane": {"c": -1, "z": 3, "t": 0}},
    ],
)
def test_a_bad_area_is_one_sentence(path, geometry):
    (item,) = open_document(write(path, [FEATURES[0] | {"geometry": geometry}])).items
    for act in (lambda: item.read(SIZE), lambda: item.write(Boxed.of(blob()))):
        with pytest.raises(FileError, match=r"^slide\.geojson#0 [^\n]*\.$"):
            act()


@pytest.mark.parametrize(
    "value",
    [
        {"type": "FeatureCollection", "features": FEATURES, "crs": {"type": "name"}},
        {"type": "FeatureCollection", "features": [FEATURES[0] | {"properties": {"street": "x"}}]},
        {"type": "FeatureCollection", "features": []},
    ],
)
def test_maps_are_not_read(path, value):
    with pytest.raises(FileError, match="no annotations of a known format"):
        open_document(write(path, value))


def test_points_alone_are_refused(path):
    with pytest.raises(FileError, match=r"\(GeoJSON\) holds 1 objects, but no mask"):
        open_document(write(path, [FEATURES[1]]))
