import xml.etree.ElementTree as ET

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph, speckled

MASKS = {"blob": blob(), "hole": holed(), "parts": parted(), "noise": speckled()}


def runs(box):
    """CVAT's run lengths, counted one pixel at a time."""
    counts, inside = [0], False
    for pixel in box.ravel():
        if pixel != inside:
            counts.append(0)
            inside = not inside
        counts[-1] += 1
    return ", ".join(map(str, counts))


BOX = parted(1)[10:70, 5:90]

XML = f"""\ufeff<?xml version="1.0" encoding="utf-8"?>
<!-- a <polygon points="1,2"> that is none -->
<annotations>
  <version>1.1</version>
  <meta><task><name>ünï &amp; ☃</name><size>2</size></task></meta>
  <image id="0" name="set/phöto.png" width="100" height="80">
    <box label="a" xtl="1.50" ytl="2.00" xbr="30.00" ybr="40.00" z_order="0"></box>
    <polygon label="a > b" source='manual "x"' occluded="0" points='20.50,10.25;80.00,12.00;75.13,60.00;22,66'>
      <attribute name="points">3</attribute>
    </polygon>
    <mask label="b" source="semi-auto" occluded="0" rle="{runs(BOX)}" left="5" top="10" width="85" height="60"/>
    <polyline label="a" points="1.00,2.00;3.00,4.00"/>
  </image>
  <image id="1" name="other.png" width="100" height="80">
    <points label="a" points="1.00,2.00"/>
    <polygon
        points = "10.00,10.00;50.00,10.00;50.00,50.00"
        label="a"/>
  </image>
</annotations>
"""


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "images" / "set" / "phöto.png")
    save_photograph(tmp_path / "images" / "other.png")
    path = tmp_path / "annotations.xml"
    path.write_bytes(XML.encode())
    return path


def test_what_is_not_changed_is_left_byte_for_byte(path):
    document = open_document(path)
    assert document.format == "CVAT"
    names = ["set/phöto.png/1", "set/phöto.png/2", "other.png/1"]
    assert [item.name for item in document.items] == [f"annotations.xml#{name}" for name in names]
    assert [item.photograph.name for item in document.items] == ["phöto.png", "phöto.png", "other.png"]
    np.testing.assert_array_equal(document.items[1].read(SIZE), parted(1) & laid(BOX))
    check_untouched(document)


def laid(box):
    mask = np.zeros(SIZE, bool)
    mask[10:70, 5:90] = box
    return mask


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_changed_shape_comes_back_exactly_and_nothing_else_changes(path, tmp_path, mask, index):
    again = rewrite(open_document(path, tolerance=0), index, mask, tmp_path / "images", tmp_path / "out")
    np.testing.assert_array_equal(again.items[index].read(SIZE), mask)
    before = path.read_text(encoding="utf-8").splitlines()
    after = (tmp_path / "out" / path.name).read_text(encoding="utf-8").splitlines()
    changed = [number for number, lines in enumerate(zip(before, after, strict=True)) if lines[0] != lines[1]]
    assert changed == [[7, 10, 16][index]]
    old, new = list(ET.parse(path).iter()), list(ET.parse(tmp_path / "out" / path.name).iter())
    assert [(o.tag, o.text, list(o.attrib)) for o in old] == [(n.tag, n.text, list(n.attrib)) for n in new]
    moved = {key for o, n in zip(old, new, strict=True) for key in o.attrib if o.get(key) != n.get(key)}
    assert moved <= ({"rle", "left", "top", "width", "height"} if index == 1 else {"points"})


def test_run_lengths_are_those_of_the_box_row_by_row(path):
    document = open_document(path)
    document.items[1].write(Boxed.of(blob()))
    (data,) = document.outputs().values()
    found = ET.fromstring(data).find("image/mask")
    left, top, width, height = (int(found.get(key)) for key in ("left", "top", "width", "height"))
    assert found.get("rle") == runs(blob()[top : top + height, left : left + width])
    assert blob()[top : top + height, left : left + width].sum() == blob().sum()


@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
def test_a_changed_polygon_comes_back_within_the_tolerance(path, tmp_path, mask):
    again = rewrite(open_document(path), 0, mask, tmp_path / "images", tmp_path / "out")
    assert iou(again.items[0].read(SIZE), mask) > 0.97


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20.50,10.25", "20.50"),
        ("20.50,10.25", "20.50,10.25,3"),
        ("20.50,10.25", "nan,10.25"),
        ("20.50,10.25", "inf,10.25"),
        ("20.50,10.25", "1e300,10.25"),
        ("20.50,10.25", "99999999999,10.25"),
        ("20.50,10.25", "x,10.25"),
        ("20.50,10.25;80.00,12.00;75.13,60.00;22,66", ""),
        ("20.50,10.25;80.00,12.00;75.13,60.00;22,66", "1,2;3,4"),
        ("points='20.50", "dots='20.50"),
        ('rle="', 'rle="-'),
        ('rle="', 'rle="1, '),
        ('rle="', 'rle="x, '),
        ('rle="', 'rle="' + "9" * 5000 + ", "),
        ('rle="', 'els="'),
        ('left="5"', 'left="50"'),
        ('left="5"', 'left="-5"'),
        ('left="5"', 'left="5.5"'),
        ('top="10"', ""),
        ('name="set/phöto.png" width="100"', 'name="set/phöto.png" width="101"'),
        ('name="set/phöto.png" width="100"', 'name="set/phöto.png" width="wide"'),
    ],
)
def test_a_bad_shape_is_one_sentence_naming_it_and_the_rest_goes_on(path, old, new):
    assert old in XML
    path.write_bytes(XML.replace(old, new, 1).encode())
    items = open_document(path).items
    bad = [item for item in items if not readable(item)]
    assert bad
    assert items[2] not in bad
    for item in bad:
        for act in (lambda item: item.read(SIZE), lambda item: item.write(Boxed.of(blob()))):
            with pytest.raises(FileError, match=rf"^{item.name} [^\n]*$"):
                act(item)


def readable(item):
    try:
        item.read(SIZE)
    except FileError:
        return False
    return True


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><annotations><image name="&b;"/></annotations>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (XML[:-20], "is not whole XML"),
        (XML[:200], "is not whole XML"),
        ("<", "is not whole XML"),
        (XML + "x", "is not whole XML"),
        (BOMB, "document type of its own"),
        ('<!DOCTYPE annotations SYSTEM "file:///etc/passwd"><annotations/>', "document type of its own"),
        ("<html></html>", "not CVAT's"),
        ("<annotations><meta/></annotations>", "holds no images and no tracks"),
        ('<annotations><track><box frame="0"/></track></annotations>', "holds 1 objects, but no mask"),
        ('<?xml version="1.0" encoding="klingon"?><annotations/>', "not known|not whole"),
        ("<annotations>&nothing;</annotations>", "is not whole XML"),
        ("<annotations>\0</annotations>", "is not UTF-8"),
    ],
)
def test_what_is_not_cvats_is_one_sentence(path, text, reason):
    path.write_bytes(text.removeprefix("\ufeff").encode())
    with pytest.raises(FileError, match=reason) as caught:
        open_document(path)
    assert "\n" not in str(caught.value)


def test_an_empty_mask_is_refused_and_the_shape_stays(path):
    document = open_document(path)
    for item in document.items:
        with pytest.raises(FileError, match="came out empty"):
            item.write(Boxed.of(np.zeros(SIZE, bool)))
    assert document.outputs()[path.relative_to(path.parent)] == XML.encode()
