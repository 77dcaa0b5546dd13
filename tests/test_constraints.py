"""What is pinned: one version of each package for each Python, and the same in the file that holds the hashes."""

import re

from tests.documents import ROOT

PIN = re.compile(r"^([\w.-]+)==([\w.]+)(?: ; (.*?))?(?: \\)?$", re.MULTILINE)


def pins(name: str) -> dict[tuple[str, str], str]:
    """Return the versions of a file by package and marker."""
    found = PIN.findall((ROOT / name).read_text())
    assert len(found) > 20
    return {(re.sub(r"[-_.]+", "-", package).lower(), marker): version for package, version, marker in found}


def test_a_package_has_one_version_or_one_for_either_side_of_a_python():
    markers: dict[str, list[str]] = {}
    for package, marker in pins("constraints.txt"):
        markers.setdefault(package, []).append(marker)
    old, new = 'python_version < "3.11"', 'python_version >= "3.11"'
    assert {tuple(sorted(found)) for found in markers.values()} == {("",), (old,), (old, new)}


def test_hashes_are_those_of_the_same_versions():
    versions = {(package, version) for (package, _), version in pins("constraints.txt").items()}
    for (package, marker), version in pins("requirements.txt").items():
        if "win32" not in marker:  # what the tests' systems never install
            assert (package, version) in versions


def test_each_version_has_hashes_and_each_requirement_a_version():
    text = (ROOT / "requirements.txt").read_text()
    for block in re.split(r"\n(?=[\w.-]+==)", text[text.index("click==") :]):
        assert re.search(r"\n    --hash=sha256:[0-9a-f]{64}", block), block
    required = re.findall(r'^    "([\w.-]+)>=', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {name.lower() for name in required} <= {package for package, _ in pins("constraints.txt")} | OPTIONAL


OPTIONAL = {"imagecodecs", "pillow-heif", "pillow-jxl-plugin", "pydensecrf2", "pymaxflow", "ray"}
"""Of extras, in lines of their own where there are several."""
