import numpy as np
import pytest
from PIL import Image

from tests.pictures import open_picture

pytestmark = pytest.mark.faults


def is_one_sentence(result, *named):
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for word in named:
        assert str(word) in result.stderr


def files(path):
    return sorted(p.name for p in path.parent.iterdir())


@pytest.mark.parametrize("content", [b"", b"no picture at all", "truncated"])
@pytest.mark.parametrize("which", [0, 1])
def test_unreadable_files_are_named_and_nothing_is_written(run, pair, content, which):
    bad = pair[which]
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2] if content == "truncated" else content)
    before = files(bad)
    is_one_sentence(run(pair[0], "--mask", pair[1]), bad.name)
    assert files(bad) == before


@pytest.mark.parametrize("which", [0, 1])
def test_missing_files_and_folders_are_named(run, pair, which):
    names = list(pair)
    names[which] = pair[0].parent / "missing.png"
    is_one_sentence(run(names[0], "--mask", names[1]), "missing.png", "does not exist")
    names[which] = pair[0].parent
    is_one_sentence(run(names[0], "--mask", names[1]), "is a folder")


def test_sizes_that_differ_are_both_named_unless_resized(run, pair):
    photo, coarse = pair
    open_picture(coarse).resize((50, 40)).save(coarse)
    is_one_sentence(run(photo, "--mask", coarse), "50 x 40", "100 x 80", "--resize-mask")
    result = run(photo, "--mask", coarse, "--resize-mask")
    assert result.exit_code == 0
    assert open_picture(photo.with_name("photo_refined.png")).size == (100, 80)


def test_existing_outputs_are_kept_unless_overwrite(run, pair):
    photo, coarse = pair
    target = photo.with_name("out.png")
    target.write_bytes(b"precious")
    is_one_sentence(run(photo, "--mask", coarse, "-o", target), "out.png", "--overwrite")
    assert target.read_bytes() == b"precious"
    assert run(photo, "--mask", coarse, "-o", target, "--overwrite").exit_code == 0
    assert target.read_bytes() != b"precious"


@pytest.mark.parametrize("option", ["-o", "--overlay", "--compare"])
@pytest.mark.parametrize("which", [0, 1])
def test_inputs_are_never_overwritten(run, pair, option, which):
    before = pair[which].read_bytes()
    is_one_sentence(run(pair[0], "--mask", pair[1], option, pair[which], "--overwrite"), "never overwritten")
    assert pair[which].read_bytes() == before


@pytest.mark.parametrize("target", ["coarse.png/out.png", "/proc/out.png"])
def test_unwritable_output(run, pair, target):
    photo, coarse = pair
    is_one_sentence(run(photo, "--mask", coarse, "-o", photo.parent / target), target, "cannot be written")


def test_unknown_output_format(run, pair):
    photo, coarse = pair
    is_one_sentence(run(photo, "--mask", coarse, "-o", photo.with_name("out.xyz")), ".xyz")
    overlay = "--overlay", photo.with_name("look.jpg")  # which would have been drawn before the others
    for option, name in (("--compare", "row.xyz"), ("--doubt", "d.npy"), ("--cutout", "c.bmp"), ("--cutout", "c.npy")):
        given = run(photo, "--mask", coarse, *overlay, option, photo.with_name(name))
        is_one_sentence(given, f"written as '{name[-4:]}'")
    assert files(photo) == ["coarse.png", "photo.jpg"]


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1)])
@pytest.mark.parametrize("value", [0, 255])
def test_one_pixel_images(run, tmp_path, size, value):
    Image.new("RGB", size).save(tmp_path / "a.png")
    Image.new("L", size, value).save(tmp_path / "m.png")
    result = run(tmp_path / "a.png", "--mask", tmp_path / "m.png")
    assert result.exit_code == 0
    assert open_picture(tmp_path / "a_refined.png").size == size


@pytest.mark.parametrize(
    ("mode", "extension"),
    [("RGBA", "png"), ("L", "png"), ("LA", "png"), ("P", "png"), ("I;16", "png"), ("CMYK", "jpg"), ("1", "png")],
)
def test_photographs_of_all_kinds(run, pair, mode, extension):
    photo, coarse = pair
    image = open_picture(photo)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    image.save(photo.with_name(f"other.{extension}"))
    assert run(photo.with_name(f"other.{extension}"), "--mask", coarse).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-", "--mask", "-"], "only one"),
        (["photo.jpg", "--class", "hair"], "--model face"),
        (["photo.jpg", "--mask", "coarse.png", "--backbone", "object"], "--backbone"),
        (["photo.jpg", "--mask", "coarse.png", "-o", "a.png", "--overlay", "a.png"], "name the same file"),
        (["photo.jpg", "--mask", "-", "--json"], "--json"),
        (["photo.jpg", "--mask", "coarse.png", "--threshold", "1"], "0<=x<1"),
        (["photo.jpg", "--mask", "coarse.png", "--threshold", "nan"], "not a number"),
        (["photo.jpg", "--mask", "coarse.png", "-o", "out"], "no extension"),
        (["photo.jpg", "--mask", "coarse.png", "--bands", "9" * 5000], "neither three numbers of bands"),
        (["eval", "--images", "i", "--coarse", "c", "--truth", "t", "--mba-radii", "9" * 5000], "no list of pixels"),
        (["-", "-o", "out/"], "no name"),
        (["photo.jpg", "--mask", "coarse.png", "-o", ""], "the path that was given is empty"),
        (["batch", "masks", "-o", ""], "the path that was given is empty"),
        (["batch", "", "-o", "out"], "the path that was given is empty"),
        (["batch", "masks", "-o", "-"], "'-o' / '--output': '-' is a stream, and none goes here"),
        (["batch", "-", "-o", "out"], "'-' is a stream, and none goes here"),
        (["batch", "masks", "-o", "out", "--overlay", "-"], "'--overlay': '-' is a stream, and none goes here"),
        (["batch", "masks", "-o", "out", "--report", "-"], "'--report': '-' is a stream, and none goes here"),
        (["photo.jpg", "--mask", "coarse.png", "--cutout", "-"], "'--cutout': '-' is a stream, and none goes here"),
        (["photo.jpg", "--mask", "coarse.png", "-o", "s3://b/out.png"], "s3://b/out.png is a URL: expected a path"),
        (["photo.jpg", "--mask", "https://x.org/m.png"], "https://x.org/m.png is a URL: expected a path"),
        (["check", "masks", "--doubt", "-"], "'--doubt': '-' is a stream, and none goes here"),
        (["photo.jpg", "--mask", "coarse.png", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_exits_with_2(run, pair, arguments, named, monkeypatch):
    monkeypatch.chdir(pair[0].parent)
    result = run(*arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""


def test_an_address_of_a_file_of_this_machine_is_its_path(run, pair):
    photo, coarse = pair
    assert run(photo.as_uri(), "--mask", coarse.as_uri(), "-o", (photo.parent / "o.png").as_uri()).exit_code == 0
    assert (photo.parent / "o.png").exists()


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_device_that_is_not_there(run, pair, device):
    is_one_sentence(run(pair[0], "--mask", pair[1], "--device", device), device)


def test_model_that_is_not_there_or_corrupt(run, pair):
    photo, coarse = pair
    is_one_sentence(run(photo, "--mask", coarse, "--model", "best"), "best", "general")
    is_one_sentence(run(photo, "--mask", coarse, "--model", coarse), "coarse.png", "not a readable safetensors")


def test_debug_shows_the_traceback_before_and_after_the_command(shell, tmp_path):
    for line in ("spnrefine --debug no.jpg --mask no.png", "spnrefine no.jpg --mask no.png --debug"):
        result = shell(line, tmp_path)
        assert b"Traceback" in result.stderr
        assert result.returncode == 1
