"""What only a real process shows: pipes, terminals, signals, start-up."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

import spnrefine

PROGRAM = [sys.executable, "-m", "spnrefine"]


def test_a_pipe_from_mask_to_refined(shell, pair):
    result = shell("cat coarse.png | spnrefine photo.jpg --mask - > refined.png; echo $?", pair[0].parent, cold=True)
    assert (result.stdout, result.stderr) == (b"0\n", b"")
    assert (pair[0].parent / "refined.png").read_bytes().startswith(b"\x89PNG")


def test_a_broken_pipe_ends_quietly(shell, pair):
    result = shell("spnrefine photo.jpg --mask coarse.png -o - | true", pair[0].parent)
    assert result.stderr == b""


@pytest.mark.parametrize("what", ["", "--json -o out.png", "-o -"])
def test_a_full_disc_behind_standard_output_is_one_sentence_whatever_goes_there(shell, pair, what):
    result = shell(f"spnrefine photo.jpg --mask coarse.png {what} > /dev/full", pair[0].parent)
    assert result.returncode == 1
    assert result.stderr.startswith(b"Error: Standard output cannot be written")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("spnrefine photo.jpg --mask coarse.png 2>&-", 0),
        ("spnrefine photo.jpg --mask coarse.png >&-", 0),
        ("spnrefine photo.jpg --mask coarse.png -o - >&-", 2),
        ("spnrefine photo.jpg --mask - <&-", 2),
        ("mkdir p m; mv photo.jpg p/a.jpg; mv coarse.png m/a.png; spnrefine batch p --mask-dir m -o out 2>&-", 0),
    ],
)
def test_streams_that_are_closed(shell, pair, line, code):
    result = shell(line, pair[0].parent, cold=True)  # the interpreter too starts without them
    assert result.returncode == code, result.stderr
    assert b"bug" not in result.stderr
    assert code == 0 or b"closed" in result.stderr


def in_terminal(*arguments, cwd):
    """Run with standard input and output on a terminal; return exit code and what the terminal shows."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([*PROGRAM, *arguments], cwd=cwd, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(leader)
    return process.wait(timeout=60), shown


@pytest.mark.parametrize("arguments", [["--mask", "-"], ["--mask", "coarse.png", "-o", "-"]])
def test_no_bytes_to_a_terminal(pair, arguments):
    code, shown = in_terminal("photo.jpg", *arguments, cwd=pair[0].parent)
    assert code == 2
    assert b"terminal" in shown
    assert b"PNG\r" not in shown


def test_fields_have_tabs_between_them_on_a_terminal_too(pair):
    folder = pair[0].parent
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    pair[0].rename(folder / "photos/a\t\033[31m.jpg")
    pair[1].rename(folder / "masks/a\t\033[31m.png")
    code, shown = in_terminal("batch", "photos", "--mask-dir", "masks", "-o", "out", "--dry-run", cwd=folder)
    assert code == 0
    name = rb"a\t\x1b[31m"
    assert shown.strip().split(b"\t") == [
        b"photos/" + name + b".jpg",
        b"masks/" + name + b".png",
        b"out/" + name + b".*",
    ]


def test_a_terminal_is_never_waited_for(pair):
    code, shown = in_terminal("photo.jpg", "--mask", "-", "-o", "out.png", cwd=pair[0].parent)
    assert code == 2
    assert b"pipe a file into it" in shown


def test_ctrl_c_ends_with_130_and_leaves_no_half_file(pair, tmp_path):
    for i in range(1200):
        for source, folder in zip(pair, ("photos", "masks"), strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{i:04}{source.suffix}").symlink_to(source)
    arguments = ["batch", "photos", "--mask-dir", "masks", "-o", "out"]
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        # tests run in the background of a shell inherit that Ctrl-C is to be ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/*.png")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    written = list((tmp_path / "out").iterdir())
    assert 0 < len(written) < 1200
    assert all(p.read_bytes().endswith(b"IEND\xaeB`\x82") for p in written)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["batch", "--help"], ["train", "--help"]])
def test_help_and_version_import_nothing_heavy(arguments):
    imports_none_of({"torch", "numba", "cv2", "numpy", "rich", "PIL"}, arguments)


def test_a_refinement_imports_nothing_that_it_does_not_need(tmp_path):
    command = ["examples/coffee.jpg", "--mask", "examples/coffee_mask.png", "-o", str(tmp_path / "fine.png")]
    imports_none_of({"torch", "rich", "tifffile", "scipy"}, command)


def imports_none_of(modules, arguments):
    code = (
        "import sys; from spnrefine.cli import main\n"
        f"try: main({arguments!r}, prog_name='spnrefine')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"heavy = {modules!r} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr


def test_version_is_printed():
    result = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == f"spnrefine {spnrefine.__version__}\n"
