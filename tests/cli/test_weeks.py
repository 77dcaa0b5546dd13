"""Weeks at work, played through from the documents alone: an annotator's, and a server's nights."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw
from tests.pictures import open_picture

NIGHTLY = 3000
"""Pictures, of 48 x 40 pixels each."""


def add(folder, name, seed, mask=None):
    image, coarse = draw(40, 48, seed=seed)
    for path, pixels in (
        (folder / f"photos/{name}.jpg", image),
        (folder / (mask or f"masks/{name}.png"), coarse > 127),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels if pixels.ndim == 3 else pixels * np.uint8(255)).save(path)


def statuses(lines):
    return [json.loads(line)["status"] for line in lines.splitlines()]


@pytest.mark.slow(reason="sixty photographs, several times over")
def test_an_annotators_week(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        name = f"IMG_{number:02}"
        add(
            tmp_path,
            name,
            number,
            f"labels/day{number % 3}/{name}_mask_final.png" if number < 55 else f"drop/{name}.png",
        )
    for number in range(60):  # each day's photographs in a folder of its own
        (tmp_path / f"photos/day{number % 3}").mkdir(exist_ok=True)
        path = tmp_path / f"photos/IMG_{number:02}.jpg"
        path.rename(tmp_path / f"photos/day{number % 3}/{path.name}")
    plain = run("batch", "photos", "--mask-dir", "labels", "-o", "refined")
    assert plain.exit_code == 1
    assert "--mask-pattern '{stem}_mask_final.png' would find 55" in plain.stderr
    batch = "batch", "photos", "--mask-dir", "labels", "--mask-pattern", "{stem}_mask_final.png", "-o", "refined"
    monday = run(*batch, "--report", "page.html", "--json")
    assert monday.exit_code == 0, monday.stderr
    assert statuses(monday.stdout).count("no mask") == 5
    assert statuses(monday.stdout).count("refined") + statuses(monday.stdout).count("unchanged") == 55

    redone = [tmp_path / f"refined/day{number % 3}/IMG_{number:02}.png" for number in (12, 13, 14)]
    before = [path.read_bytes() for path in redone]
    assert run(*batch, "--only", "IMG_12,IMG_13,IMG_14", "--band", 1, "--report", "page.html").exit_code == 0
    hers = [path.read_bytes() for path in redone]
    assert hers != before
    assert run(*batch, "--keep-coarse", "IMG_17").exit_code == 0
    taken_back = tmp_path / "refined/day0/IMG_18.png"
    taken_back.write_bytes((tmp_path / "labels/day0/IMG_18_mask_final.png").read_bytes())

    for number in range(60, 70):  # next week's
        add(tmp_path, f"day1/IMG_{number}", number, f"labels/day1/IMG_{number}_mask_final.png")
    for fresh in (10, 0):
        later = run(*batch, "--resume", "--json")
        assert later.exit_code == 0, later.stderr
        found = statuses(later.stdout)
        assert (found.count("by hand"), found.count("no mask"), found.count("skipped")) == (1, 5, 64 - fresh)
    assert [path.read_bytes() for path in redone] == hers
    for number, place in ((17, tmp_path / "refined/day2/IMG_17.png"), (18, taken_back)):
        coarse = tmp_path / f"labels/day{number % 3}/IMG_{number}_mask_final.png"
        np.testing.assert_array_equal(np.asarray(open_picture(place)), np.asarray(open_picture(coarse)))


@pytest.mark.slow(reason="three thousand pictures, night after night")
def test_a_servers_nights(run, tmp_path, monkeypatch):
    """Masks that are links into a mount, which is missing some nights; an empty one; an upgrade."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    night = "batch", "photos", "--mask-dir", "masks", "-o", "refined", "--resume", "--max-failures", "1%"
    night += "--records", "log.jsonl", "--append", "--quiet"
    assert run(*night).exit_code == 1  # the masks' disc is not there
    (tmp_path / "masks").mkdir()
    assert run(*night).exit_code == 4
    assert run(*night, "--allow-empty").exit_code == 0
    mount(tmp_path, NIGHTLY)
    (tmp_path / "mount/007.png").write_bytes(b"")
    (tmp_path / "mount").rename(tmp_path / "unmounted")
    stopped = run(*night)
    assert stopped.exit_code == 1
    assert "more than --max-failures allows: nothing more was begun." in stopped.stderr
    tried = len((tmp_path / "log.jsonl").read_text().splitlines())
    assert NIGHTLY / 100 < tried < NIGHTLY / 20  # and not all night long
    (tmp_path / "unmounted").rename(tmp_path / "mount")
    assert run(*night).exit_code == 3
    monkeypatch.setattr("spnrefine.version.__version__", "9.9")  # an upgrade
    assert run(*night).exit_code == 3
    (tmp_path / "masks").rename(tmp_path / "nowhere")
    assert run(*night).exit_code == 1
    found = statuses((tmp_path / "log.jsonl").read_text())
    assert len(found) == tried + 2 * NIGHTLY
    assert (found.count("failed"), found.count("skipped")) == (tried + 2, NIGHTLY - 1)


def mount(folder, count):
    """Make photographs with masks in a folder ``mount``, to which those in ``masks`` are links."""
    (folder / "mount").mkdir()
    for number in range(count):
        add(folder, f"{number:03}", number % 7, f"mount/{number:03}.png")
        (folder / f"masks/{number:03}.png").symlink_to(f"../mount/{number:03}.png")
