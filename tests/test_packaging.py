"""What users install is the wheel: build it, unpack it elsewhere and run it."""

import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

import spnrefine

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's contents in a folder of their own, as pip would lay them."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.startswith(f"spnrefine-{spnrefine.__version__}-py3-none-any")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_wheel_holds_code_and_weights_and_nothing_else(installed):
    names = {p.relative_to(installed).as_posix() for p in installed.rglob("*") if p.is_file()}
    assert {"spnrefine/weights/general/model.safetensors", "spnrefine/weights/general/CARD.md"} <= names
    assert {"spnrefine/cli/refine.py", "spnrefine/ops/cpu/scans.py"} <= names
    assert {f"spnrefine/review/page/{part}" for part in ("page.html", "page.css", "cards.js", "controls.js")} <= names
    assert {name.split("/")[0] for name in names} == {"spnrefine", f"spnrefine-{spnrefine.__version__}.dist-info"}


def test_wheel_refines_an_example_with_its_own_weights(installed, tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import spnrefine; from spnrefine.model import weights\n"
        "assert spnrefine.__file__.startswith(sys.path[0]), spnrefine.__file__\n"
        "assert str(weights.find('general')).startswith(sys.path[0])\n"
        "from spnrefine.cli import main; main(prog_name='spnrefine')"
    )
    example = ROOT / "examples" / "cat.jpg"
    arguments = [example, "--mask", example.with_name("cat_mask.png"), "-o", tmp_path / "cat.png"]
    command = [sys.executable, "-I", "-c", code, installed, *arguments]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=300)
    assert (tmp_path / "cat.png").stat().st_size > 0


def test_types_ship(installed):
    assert (installed / "spnrefine/py.typed").is_file()


def test_metadata_says_what_can_be_known(installed):
    (metadata,) = installed.glob("*.dist-info/METADATA")
    said = message_from_string(metadata.read_text())
    assert "Typing :: Typed" in said.get_all("Classifier")  # the build has refused unknown ones
    assert said.get_all("Project-URL") == ["Paper, https://arxiv.org/abs/1710.01020"]


def test_code_is_apache_and_the_licence_ships(installed):
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert "License-Expression: Apache-2.0" in metadata.read_text()
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))
