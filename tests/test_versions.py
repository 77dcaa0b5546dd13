"""The lowest and the newest versions of what the package needs give the same masks, on the ends of its Pythons."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.documents import ROOT

EXAMPLES = ROOT / "examples"
OLDEST, NEWEST = "3.10", "3.13"
CHANGED_FORMATS = ["--alpha", "--soft", "--best", "--band 6", "--strength 0.5", "--quick"]


def find_python(version: str) -> str | None:
    """Return an interpreter of a version that runs: on the PATH, or one of pyenv's."""
    on_path = shutil.which(f"python{version}")
    beside = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for python in filter(None, [on_path, *map(str, beside)]):
        said = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True
        )
        if said.stdout.split() == version.split("."):
            return python
    return None


def lowest() -> list[str]:
    """Return each requirement at the lowest version that the package allows."""
    block = re.search(r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert block is not None
    lines = [line.strip(' ",') for line in block[1].splitlines()]
    assert all(re.fullmatch(r"[\w.-]+>=[\w.]+", line) for line in lines)
    return [line.replace(">=", "==") for line in lines]


def install(python: str, folder: Path, *commands: list[str | Path]) -> Path:
    subprocess.run([python, "-m", "venv", folder], check=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for command in commands:
        subprocess.run([*pip, *command], cwd=ROOT, check=True, capture_output=True, text=True, timeout=900)
    return folder / "bin/spnrefine"


def masks(command: list[str | Path], folder: Path) -> dict[str, np.ndarray]:
    """Refine examples, a map of ids, polygons and a batch with one installation; return what lies in its files."""
    folder.mkdir()
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}

    def call(*arguments: object) -> None:
        subprocess.run([*command, *map(str, arguments)], cwd=folder, env=environment, check=True, capture_output=True)

    for name in ("cat", "coffee", "rocket"):
        call(EXAMPLES / f"{name}.jpg", "--mask", EXAMPLES / f"{name}_mask.png", "-o", f"{name}.png")
    for number, options in enumerate(CHANGED_FORMATS):
        given = EXAMPLES / "coffee.jpg", "--mask", EXAMPLES / "coffee_mask.png"
        call(*given, *options.split(), "-o", f"option{number}.png")
    call(EXAMPLES / "coffee.jpg", "--mask", ids(folder), "-o", "ids.png")
    call(EXAMPLES / "cat.jpg", "-o", "made.png")
    call("batch", EXAMPLES, "-o", "many", "--jobs", 2)
    return {path.relative_to(folder).as_posix(): np.asarray(Image.open(path)) for path in folder.rglob("*.png")}


def ids(folder: Path) -> Path:
    """Write a 16-bit map of three ids that touch."""
    mask = np.asarray(Image.open(EXAMPLES / "coffee_mask.png").convert("L")) > 127
    columns = np.broadcast_to(np.arange(mask.shape[1]), mask.shape)
    Image.fromarray(np.where(mask, 300 + columns // (mask.shape[1] // 3), 0).astype(np.uint16)).save(folder / "in.png")
    return folder / "in.png"


HASHED = ["--require-hashes", "-r", "requirements.txt"], ["--no-deps", "--no-build-isolation", ROOT]
WAYS = {
    "lowest": (OLDEST, ([*lowest(), ROOT],)),
    "pinned": (OLDEST, (["-c", "constraints.txt", ROOT],)),
    "hashed": (OLDEST, HASHED),
    "newest": (NEWEST, ([ROOT],)),
}


@pytest.mark.slow(reason="installs the package again and again, with other Pythons and versions, 0.6 GB each")
@pytest.mark.parametrize(("version", "commands"), WAYS.values(), ids=WAYS)
def test_masks_are_the_same(version: str, commands: tuple[list[str | Path], ...], tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    other = masks([install(python, tmp_path / "env", *commands)], tmp_path / "other")
    here = masks([sys.executable, "-m", "spnrefine"], tmp_path / "here")
    assert here.keys() == other.keys()
    assert len(here) > 15
    different = [name for name in here if not np.array_equal(here[name], other[name])]
    assert not different
