"""Ctrl-C, SIGTERM and a terminal that goes: in good order the first time, at once the second."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from spnrefine.batch import items_portion, pair_portion
from spnrefine.cli import signals
from tests.model.make_check import draw

COUNT = 4
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

SLOW = """
import pathlib, sys, threading, time
from spnrefine.batch.stop import Stop
from spnrefine.cli.signals import listening, stopping
from spnrefine.files import temporary

with listening(), stopping(Stop()):
    temporary.reserve(pathlib.Path(sys.argv[1])).write_bytes(b"half a mask")
    threading.Thread(target=time.sleep, args=(100,)).start()
    print(flush=True)
    threading.enumerate()[-1].join()
"""
"""A program whose work takes longer than anybody waits."""


@pytest.fixture(autouse=True)
def handlers():
    """Give the tests' own process its handlers back, which a program that ends keeps."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:  # a shell's background jobs, and nohup, ignore some
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def folder(tmp_path):
    """Photographs with masks, and the same as LabelMe's annotations, two on each."""
    for kind in ("photos", "masks"):
        (tmp_path / kind).mkdir()
    for number in range(COUNT):
        image, coarse = draw(40, 48, seed=number)
        Image.fromarray(image).save(tmp_path / f"photos/{number}.jpg")
        Image.fromarray((coarse > 127).astype("uint8") * 255).save(tmp_path / f"masks/{number}.png")
        rings = [[[8, 8], [x, 8], [x, 30], [8, 30]] for x in (26, 34)]
        shapes = [{"label": "a", "points": ring, "shape_type": "polygon", "flags": {}} for ring in rings]
        content = {"version": "5", "shapes": shapes, "imagePath": f"{number}.jpg", "imageData": None}
        (tmp_path / f"photos/{number}.json").write_text(json.dumps(content))
    return tmp_path


def arguments(folder, *more):
    given = ["batch", folder / "photos", "-o", folder / "out", "--jobs", 1, *more]
    return [*given, "--records", folder / "records.jsonl", "--report", folder / "review.html"]


def statuses(folder):
    return [json.loads(line)["status"] for line in (folder / "records.jsonl").read_text().splitlines()]


def signalled(monkeypatch, where, name, number, *, after):
    """Let the process get a signal when a method is called for the time ``after``."""
    called, calls = getattr(where, name), []

    def call(*given):
        calls.append(given)
        if len(calls) == after:
            os.kill(os.getpid(), number)
            time.sleep(0.05)  # the main thread hears of it
        return called(*given)

    monkeypatch.setattr(where, name, call)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_batch_tells_all_that_it_did_and_goes_on(run, folder, monkeypatch, number):
    signalled(monkeypatch, pair_portion.PairPortion, "run", number, after=2)
    result = run(*arguments(folder, "--mask-dir", folder / "masks"))
    assert result.exit_code == 128 + number
    assert f"2 refined of {COUNT}." in result.stderr
    assert "Interrupted." in result.stderr
    assert statuses(folder) == ["refined"] * 2
    assert (folder / "review.html").exists()
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["0.png", "1.png"]
    monkeypatch.undo()
    assert run(*arguments(folder, "--mask-dir", folder / "masks", "--resume")).exit_code == 0
    assert statuses(folder) == ["skipped"] * 2 + ["refined"] * (COUNT - 2)


def test_annotations_stop_between_the_masks_of_a_photograph(run, folder, monkeypatch):
    signalled(monkeypatch, items_portion.ItemsPortion, "_run_one", signal.SIGTERM, after=3)
    result = run(*arguments(folder, "--images", folder / "photos"))
    assert result.exit_code == 143
    assert statuses(folder) == ["refined"] * 3
    assert not (folder / "out").exists()
    monkeypatch.undo()
    assert run(*arguments(folder, "--images", folder / "photos", "--resume")).exit_code == 0
    assert statuses(folder) == ["skipped"] * 3 + ["refined"] * (2 * COUNT - 3)


def test_a_signal_before_there_is_anything_to_finish(run, folder, monkeypatch):
    monkeypatch.setattr("spnrefine.batch.ledger.made_before", lambda folder: os.kill(os.getpid(), signal.SIGTERM))
    result = run(*arguments(folder, "--mask-dir", folder / "masks"))
    assert (result.exit_code, result.stderr) == (143, "\nInterrupted.\n")
    assert not (folder / "out").exists()


def test_what_the_caller_ignores_or_handles_itself_stays_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, print)
    with signals.listening():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is print
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("numbers", "code"), [((signal.SIGINT,) * 2, 130), ((signal.SIGTERM, signal.SIGINT), 143)])
def test_a_second_signal_ends_at_once_and_leaves_no_half_file(tmp_path, numbers, code):
    command = [sys.executable, "-c", SLOW, tmp_path]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    usual = lambda: [signal.signal(number, signal.default_int_handler) for number in SIGNALS[:1]]  # noqa: E731
    with subprocess.Popen(command, preexec_fn=usual, **how) as process:
        assert process.stdout.readline() == b"\n"
        process.send_signal(numbers[0])
        assert process.stderr.readline().startswith(b"Stopping when what has begun is finished.")
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(numbers[0])  # to the process and to its group: it is the same
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(numbers[1])
        assert process.wait(20) == code
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []
