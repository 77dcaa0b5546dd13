"""Batches on a cluster of Ray, as a command: the same as on threads, and what becomes of one that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch.lines import read_lines
from spnrefine.batch.place import beside
from tests.batch.clusters import MARKS, descendants, own_variables, two_nodes, workers
from tests.documents import ROOT

pytestmark = [*MARKS, pytest.mark.faults]


@pytest.fixture(scope="module")
def cluster():
    """A head and two nodes with a whole CPU each."""
    with own_variables():
        yield from two_nodes()


@pytest.fixture
def photographs(tmp_path):
    """Eight photographs with their masks, one of which is none."""
    from tests.model.make_check import draw

    for number in range(8):
        image, coarse = draw(80, 100, seed=number)
        for folder, pixels in (("photos", image), ("masks", np.uint8(255) * (coarse > 127))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{number}.png")
    (tmp_path / "masks/5.png").write_bytes(b"no mask")
    return tmp_path


def command(folder, output, *more):
    where = "photos", "--mask-dir", "masks", "-o", output, "--records", f"{output}.jsonl", "--device", "cpu"
    own = {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "spnrefine", "batch", *where, *more]
    return subprocess.Popen(line, cwd=folder, env=os.environ | own, stderr=subprocess.PIPE, text=True)


def told(folder, output):
    lines = [json.loads(line) for line in (folder / f"{output}.jsonl").read_text().splitlines()]
    own = {"seconds": None, "time": None, "run": None}
    return [line | own | {"output": (line["output"] or "").replace(output, "")} for line in lines]


def masks(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_batch_is_the_same_on_both_engines(photographs, cluster):
    said = {}
    for output, engine in (("threads", ()), ("ray", ("--engine", f"ray:{cluster.address}", "--jobs", "2"))):
        with command(photographs, output, *engine) as process:
            said[output] = process.communicate(timeout=300)[1].replace(output, ""), process.returncode
    assert said["ray"] == said["threads"]
    assert said["ray"][1] == 1
    assert told(photographs, "ray") == told(photographs, "threads")
    assert masks(photographs / "ray") == masks(photographs / "threads")
    assert len(masks(photographs / "ray")) == 7


def tempdir_of_long_name(folder):
    """Make a folder whose sockets would have longer paths than Unix takes."""
    long = folder / (100 * "x")
    long.mkdir()
    return long


def test_a_cluster_of_its_own_is_on_the_loopback_alone_and_leaves_nothing(photographs):
    home = photographs / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "TMPDIR": str(tempdir_of_long_name(photographs))}
    line = f"{sys.executable} -m spnrefine batch photos --mask-dir masks -o out --engine ray --jobs 1 --device cpu"
    process = subprocess.Popen(line.split(), cwd=photographs, env=environment, stderr=subprocess.PIPE)
    heard = set()
    while process.poll() is None:
        heard |= listening(descendants(process.pid))
        time.sleep(0.2)
    assert process.wait() == 1, process.stderr.read()
    process.stderr.close()
    assert heard
    assert {address for address in heard if not address.startswith("127.")} == set()
    assert not (home / ".ray").exists()


def listening(processes):
    """Return the addresses on which processes take connections from others, of IPv4 and IPv6."""
    sockets = set()
    for number in processes:
        with suppress(OSError):
            sockets |= {str(entry.readlink()) for entry in Path(f"/proc/{number}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[at] for at in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address = local.partition(":")[0]
                found.add(".".join(str(part) for part in reversed(bytes.fromhex(address[-8:]))))
    return found


def test_a_driver_that_is_killed_is_taken_up(photographs, cluster):
    with command(photographs, "threads") as process:
        process.communicate(timeout=300)
    engine = "--engine", f"ray:{cluster.address}", "--jobs", "1"
    with command(photographs, "ray", *engine) as process:
        deadline = time.monotonic() + 200
        while len(list((photographs / "ray").glob("*.png"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    done = masks(photographs / "ray")
    assert 1 < len(done) < 7
    with command(photographs, "ray", "--resume", *engine) as process:
        said = process.communicate(timeout=300)[1]
    assert f"{len(done)} skipped" in said or f"{len(done) - 1} skipped" in said
    assert masks(photographs / "ray") == masks(photographs / "threads")
    finished = [line["output"] for _, line in read_lines(beside(photographs / "ray")) if "record" in line]
    assert sorted(finished) == sorted(masks(photographs / "ray"))


def test_a_signal_lets_what_has_begun_be_finished(photographs, cluster):
    with command(photographs, "ray", "--engine", f"ray:{cluster.address}", "--jobs", "1") as process:
        deadline = time.monotonic() + 200
        while not (photographs / "ray/0.png").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 143, said
    written = [line["output"] for line in told(photographs, "ray") if line["status"] == "refined"]
    assert 0 < len(written) < 7
    assert {f"/{name}" for name in masks(photographs / "ray")} == set(written)


@pytest.fixture
def annotated(tmp_path):
    """A COCO file of forty photographs, with two boxes as polygons on each."""
    from tests.model.make_check import draw

    (tmp_path / "photos").mkdir()
    images, annotations = [], []
    for number in range(40):
        Image.fromarray(draw(80, 100, seed=number)[0]).save(tmp_path / f"photos/{number:02}.png")
        images.append({"id": number, "file_name": f"{number:02}.png", "width": 100, "height": 80})
        for left in (8, 55):
            corners = [left, 20, left + 35, 20, left + 35, 60, left, 60]
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0})
            annotations[-1] |= {"segmentation": [corners], "bbox": [left, 20, 35, 40], "area": 1400}
    written = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "one"}]}
    (tmp_path / "coco.json").write_text(json.dumps(written))
    return tmp_path


def refine_annotations(folder, output, *more):
    where = "coco.json", "--images", "photos", "-o", output, "--device", "cpu"
    line = [sys.executable, "-m", "spnrefine", "batch", *where, *more]
    return subprocess.Popen(
        line, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )


def test_an_annotation_file_whose_worker_and_command_are_killed(annotated, cluster):
    with refine_annotations(annotated, "threads.json") as process:
        assert " refined of 80." in process.communicate(timeout=300)[1]
    engine = "--engine", f"ray:{cluster.address}", "--jobs", "2"

    def wait(count, process):
        deadline = time.monotonic() + 200
        while len(finished()) < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)

    def finished():
        return [line for _, line in read_lines(beside(annotated / "ray.json")) if "record" in line]

    with refine_annotations(annotated, "ray.json", *engine) as process:
        wait(6, process)
        os.kill(workers()[0], signal.SIGKILL)
        wait(20, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    done = len(finished())
    assert 20 <= done < 80
    assert not (annotated / "ray.json").exists()
    with refine_annotations(annotated, "ray.json", "--resume", *engine) as process:
        said = process.communicate(timeout=300)[1]
    assert f" {done} skipped of 80." in said
    assert (annotated / "ray.json").read_bytes() == (annotated / "threads.json").read_bytes()
    assert [line["tried"] for _, line in read_lines(beside(annotated / "ray.json")) if "tried" in line] in (
        ["again"],
        [],  # it was killed between two tasks
    )
