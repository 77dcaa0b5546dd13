"""OpenCV's packages differ: what one lacks fails alone, in a sentence that names the cure."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest

import spnrefine
from spnrefine.errors import BackendError
from spnrefine.evaluate import peers
from spnrefine.refiner import faces, opencv
from spnrefine.refiner.matte import Matting
from tests.documents import ROOT

EXAMPLES = ROOT / "examples"
PLAIN = "import cv2, runpy, sys; vars(cv2).pop('CascadeClassifier', None); cv2.ximgproc = {modules}; "
PROGRAM = "runpy.run_module('spnrefine', run_name='__main__')"
EMPTY = "type(sys)('cv2.ximgproc')"


def run(modules, *arguments):
    """Run the program with an OpenCV that lacks what plain packages of version 5 lack."""
    command = [sys.executable, "-c", PLAIN.format(modules=modules) + PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("modules", ["None", EMPTY])
def test_masks_are_refined_without_what_only_faces_and_peers_need(tmp_path, modules):
    done = run(modules, EXAMPLES / "cat.jpg", "--mask", EXAMPLES / "cat_mask.png", "-o", tmp_path / "cat.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "cat.png").is_file()


def test_what_needs_it_names_the_cure(tmp_path):
    done = run(EMPTY, EXAMPLES / "astronaut.jpg", "--model", "face", "-o", tmp_path / "face.png")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Finding faces needs cv2.CascadeClassifier, which OpenCV")
    assert done.stderr.endswith(f"then install {opencv.PACKAGE}.\n")


def test_peers_of_a_missing_part_are_not_among_those_that_can_run(monkeypatch):
    monkeypatch.setattr(cv2, "ximgproc", SimpleNamespace())
    assert "guided-filter" not in peers.available()
    assert "grabcut" in peers.available()
    with pytest.raises(BackendError, match=r"guided-filter needs cv2\.ximgproc\.guidedFilter"):
        peers.choose("guided-filter")


def test_a_matte_needs_a_part_too(monkeypatch):
    monkeypatch.setattr(cv2, "ximgproc", SimpleNamespace())
    with pytest.raises(BackendError, match=r"^A matte needs cv2\.ximgproc\.guidedFilter"):
        Matting()


def test_the_api_says_what_went_wrong_at_import(monkeypatch):
    """``from spnrefine import refine`` would else say that there is no such name, and not why."""
    monkeypatch.setitem(sys.modules, "spnrefine.refiner", ModuleType("broken"))
    with pytest.raises(ImportError, match=r"spnrefine\.refine cannot be imported \(module 'broken' has no attribute"):
        _ = spnrefine.refine


def test_every_filter_says_which_part_it_needs():
    needing = {name for name, peer in peers.PEERS.items() if peer.part}
    assert needing == {name for name in peers.PEERS if "filter" in name or "domain" in name or "bilateral" in name}


def test_faces_are_searched_for_with_the_part_that_is_there():
    assert faces.face_frames(np.zeros((64, 64, 3), np.uint8)) == []
