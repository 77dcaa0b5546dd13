"""CVAT for video: tracks, of which the key frames are refined."""

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, parted, rewrite, save_photograph
from tests.annotations.test_cvat import BOX, runs

SHAPE = 'occluded="0" points="20.50,10.25;80.00,12.00;75.13,60.00;22,66" z_order="0"'
XML = f"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><size>3</size><original_size>
    <width>100</width>
    <height>80</height>
  </original_size></task></meta>
  <track id="4" label="a" source="manual">
    <polygon frame="0" keyframe="1" outside="0" {SHAPE}></polygon>
    <polygon frame="1" keyframe="0" outside="0" {SHAPE}></polygon>
    <polygon frame="2" keyframe="1" outside="1" {SHAPE}></polygon>
  </track>
  <track id="5" label="b" source="manual">
    <mask frame="1" keyframe="1" outside="0" rle="{runs(BOX)}" left="5" top="10" width="85" height="60" z_order="0"/>
    <box frame="2" keyframe="1" outside="0" xtl="1.50" ytl="2.00" xbr="30.00" ybr="40.00"/>
  </track>
</annotations>
"""


@pytest.fixture
def path(tmp_path):
    for number, suffix in enumerate((".PNG", ".jpg", ".png")):
        save_photograph(tmp_path / "images" / f"frame_{number:06}{suffix}")
    (tmp_path / "annotations.xml").write_text(XML)
    return tmp_path / "annotations.xml"


def test_key_frames_where_the_object_is_seen_are_items(path):
    document = open_document(path)
    assert [(item.name, item.photograph.name) for item in document.items] == [
        ("annotations.xml#track 4/frame 0", "frame_000000.PNG"),
        ("annotations.xml#track 5/frame 1", "frame_000001.jpg"),
    ]
    np.testing.assert_array_equal(np.asarray(document.items[1].read(SIZE))[10:70, 5:90], BOX)
    check_untouched(document)


@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_key_frame_comes_back_and_all_others_stay(path, tmp_path, index):
    mask = blob() if index == 0 else parted(3)
    again = rewrite(open_document(path, tolerance=0), index, mask, tmp_path / "images", tmp_path / "out")
    np.testing.assert_array_equal(again.items[index].read(SIZE), mask)
    before, after = (name.read_text().splitlines() for name in (path, tmp_path / "out" / path.name))
    changed = [number for number, lines in enumerate(zip(before, after, strict=True)) if lines[0] != lines[1]]
    assert changed == [[8], [13]][index]


def test_frames_have_the_size_that_the_task_states(path):
    item = open_document(path).items[0]
    with pytest.raises(FileError, match="was drawn on 100 x 80 pixels"):
        item.read((80, 90))
    path.write_text(XML.replace("</meta>", "<original_size><width>9</width><height>8</height></original_size></meta>"))
    assert open_document(path).items[0].read((80, 90)).area  # two tasks, and nothing says whose frame it is


def test_frames_of_several_tasks_are_nobodys(path):
    path.write_text(XML.replace('id="4"', 'id="4" task_id="1"').replace('id="5"', 'id="5" task_id="2"'))
    for item in open_document(path).items:
        with pytest.raises(FileError, match="one of 2 tasks, whose frames have equal names"):
            item.read(SIZE)


def test_a_frame_that_is_not_there_is_named(path):
    (path.parent / "images" / "frame_000000.PNG").unlink()
    with pytest.raises(FileError, match=r"frame_000000\.jpg, which does not exist"):
        open_document(path).items[0].read(SIZE)
