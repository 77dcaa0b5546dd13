"""Colour-coded masks with a labelmap.txt, and NPZ."""

import io

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.labelmaps import read_labelmap
from spnrefine.files.masks import encode_mask, extension, read_mask
from tests.files.mask_files import COARSE, REFINED, pixels_of

LABELMAP = """# label:color_rgb:parts:actions
background:0,0,0::
person:224,64,32::hand,foot
car:0,128,0::
void:224,224,192::
"""


@pytest.fixture
def coded(tmp_path):
    (tmp_path / "labelmap.txt").write_text(LABELMAP)
    (tmp_path / "SegmentationClass").mkdir()
    pixels = np.zeros((*COARSE.shape, 3), np.uint8)
    pixels[COARSE.astype(bool)] = (224, 64, 32)
    pixels[0, :2], pixels[1, :2] = (224, 224, 192), (0, 128, 0)
    path = tmp_path / "SegmentationClass" / "one.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


def test_colours_are_ids_and_come_back_as_colours(coded):
    path, pixels = coded
    mask = read_mask(path)
    assert set(np.unique(mask.labels)) == {0, 1, 2, 3}
    assert mask.void.sum() == 2
    assert encode_mask(mask, mask.labels) == path.read_bytes()
    moved = mask.labels.copy()
    moved[5, 5:8] = 2
    written = pixels_of(encode_mask(mask, moved))
    assert (written[5, 5:8] == (0, 128, 0)).all()
    assert (written[0, :2] == (224, 224, 192)).all()
    assert (written != pixels).any(-1).sum() == 3


def test_an_opaque_alpha_channel_stays_what_it_is(coded):
    path, pixels = coded
    Image.fromarray(np.dstack([pixels, np.full(COARSE.shape, 255, np.uint8)])).save(path)
    mask = read_mask(path)
    assert set(np.unique(mask.labels)) == {0, 1, 2, 3}
    moved = mask.labels.copy()
    moved[5, 5:8] = 2
    written = pixels_of(encode_mask(mask, moved))
    assert (written[5, 5:8] == (0, 128, 0, 255)).all()
    assert (written[..., 3] == 255).all()


def test_black_and_white_is_a_mask_beside_a_labelmap_without_white(coded):
    path, _ = coded
    Image.fromarray(np.dstack([COARSE.astype(np.uint8) * 255] * 3)).save(path)
    assert read_mask(path).kind == "binary"
    with (path.parents[1] / "labelmap.txt").open("a") as file:
        file.write("snow:255,255,255::\n")
    assert read_mask(path).kind == "labels"


def test_a_colour_that_is_not_listed_is_named(coded):
    path, pixels = coded
    pixels[3, 3] = (1, 2, 3)
    Image.fromarray(pixels).save(path)
    with pytest.raises(FileError, match=r"\(1, 2, 3\).*labelmap.txt"):
        read_mask(path)


@pytest.mark.parametrize("line", ["person", "person:1,2", "person:1,2,300::", "person:a,b,c::", f"a:1,2,{'9' * 5000}"])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "labelmap.txt").write_text(f"background:0,0,0::\n{line}\n")
    with pytest.raises(FileError, match="line 2") as told:
        read_labelmap(tmp_path / "labelmap.txt")
    assert len(str(told.value)) < 300 + len(str(tmp_path))


def test_a_byte_order_mark_is_no_class(tmp_path):
    (tmp_path / "labelmap.txt").write_text("\ufeffbackground:0,0,0::\nx:001,2,3::\n", "utf-8")
    assert read_labelmap(tmp_path / "labelmap.txt").colours.tolist() == [[0, 0, 0], [1, 2, 3]]


def test_two_classes_of_one_colour_are_refused(tmp_path):
    (tmp_path / "labelmap.txt").write_text("a:1,2,3::\nb:1,2,3::\n")
    with pytest.raises(FileError, match="one colour"):
        read_labelmap(tmp_path / "labelmap.txt")


def npz(save=np.savez_compressed, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("key", ["mask", "anything"])
def test_npz_keeps_key_type_and_other_arrays(save, key, tmp_path):
    others = {"score": np.array([0.5])} if key == "mask" else {}
    data = npz(save, **{key: COARSE.astype(np.float64)}, **others)
    (tmp_path / "one.npz").write_bytes(data)
    mask = read_mask(tmp_path / "one.npz")
    assert extension(mask) == ".npz"
    assert encode_mask(mask, mask.probability) == data
    written = np.load(io.BytesIO(encode_mask(mask, REFINED.astype(np.float32))))
    assert set(written.files) == {key, *others}
    assert written[key].dtype == np.float64
    np.testing.assert_array_equal(written[key], REFINED)


def test_npz_takes_other_formats_too():
    mask = read_mask(npz(mask=COARSE.astype(bool)))
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, REFINED > 0, format="PNG")) > 0, REFINED > 0)
    gray = read_mask(encode_mask(mask, mask.probability, format="PNG"))
    assert np.load(io.BytesIO(encode_mask(gray, REFINED > 0, format="NPZ")))["mask"].shape == COARSE.shape


def test_npz_without_a_clear_mask():
    with pytest.raises(FileError, match="holds a, b: name the array"):
        read_mask(npz(a=np.zeros((2, 2)), b=np.zeros((2, 2))))


def test_a_zip_that_is_no_npz():
    with pytest.raises(FileError, match="no whole NumPy array"):
        read_mask(npz(mask=COARSE)[:60])


def test_lines_without_colours_take_the_voc_palette_in_their_order(tmp_path):
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:::\ncup:::\nthing:::\nlid:::\n")
    labelmap = read_labelmap(tmp_path / "labelmap.txt")
    assert labelmap.colours.tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    (tmp_path / "labelmap.txt").write_text("cup:::\nbackground:::\nlid:1,2,3::\n")  # the writer's order, whatever it is
    assert read_labelmap(tmp_path / "labelmap.txt").colours.tolist() == [[128, 0, 0], [0, 0, 0], [1, 2, 3]]


def test_instances_have_the_voc_palette_whatever_the_classes_have(coded, tmp_path):
    pixels = np.zeros((*COARSE.shape, 3), np.uint8)
    pixels[COARSE.astype(bool)] = (128, 0, 128)  # no class
    pixels[0, :4], pixels[1, :2] = (0, 128, 0), (224, 224, 192)  # the first is a class's; the second is VOC's void
    (tmp_path / "SegmentationObject").mkdir()
    Image.fromarray(pixels).save(tmp_path / "SegmentationObject" / "one.png")
    mask = read_mask(tmp_path / "SegmentationObject" / "one.png")
    assert set(np.unique(mask.labels)) == {0, 2, 5, 255}
    assert mask.void.sum() == 2
    encoded = encode_mask(mask, mask.labels)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), pixels)


@pytest.mark.parametrize(
    "name", ["Ignored", "unlabeled", "__ignore__", "Don't-care", "dont_care", "VOID", "unlabelled"]
)
def test_classes_by_all_usual_names_are_void(tmp_path, name):
    (tmp_path / "labelmap.txt").write_text(f"background:0,0,0::\ncat:9,9,9::\n{name}:7,7,7::\nvoid:8,8,8::\n")
    assert read_labelmap(tmp_path / "labelmap.txt").voids == (2, 3)
