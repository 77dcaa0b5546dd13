"""Write what Label Studio's own encoder makes of a few masks: tests/annotations/brush_golden.json.

    pip install --no-deps --target /tmp/converter label-studio-converter==0.0.59
    python -m tests.annotations.make_brush_golden /tmp/converter

Its wheel installs a package named ``tests`` at the top level, so it is kept apart and only its ``brush.py`` is loaded.
"""

import argparse
import base64
import json
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from tests.annotations.making import blob, holed, parted, speckled

GOLDEN = Path(__file__).parent / "brush_golden.json"


def masks() -> dict[str, np.ndarray]:
    """Return smooth shapes, noise, runs too long for one packet, and runs that fill theirs."""
    long = np.zeros((300, 400), bool)
    long[200:, 5:] = True
    long[0, 0] = True
    return {
        "blob": blob(),
        "hole": holed(),
        "parts": parted(),
        "noise": speckled()[:20, :30],
        "long runs": long,
        "nothing": np.zeros((64, 256), bool),
        "all": np.ones((128, 256), bool),
    }


def text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def read_golden() -> dict[str, dict[str, Any]]:
    """Return by name: ``mask`` (H, W) bool, the ``value`` it was painted with, and ``rle``, the encoder's list."""
    golden = json.loads(GOLDEN.read_text())
    for one in golden.values():
        height, width = one["size"]
        bits = np.frombuffer(zlib.decompress(base64.b64decode(one["mask"])), np.uint8)
        one["mask"] = np.unpackbits(bits, count=height * width).reshape(height, width).astype(bool)
        one["rle"] = list(base64.b64decode(one["rle"]))
    return golden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where label-studio-converter was installed")
    spec = spec_from_file_location("brush", parser.parse_args().folder / "label_studio_converter" / "brush.py")
    assert spec is not None
    assert spec.loader is not None
    converter = module_from_spec(spec)
    spec.loader.exec_module(converter)
    golden = {}
    for name, mask in masks().items():
        for value in (1, 255):
            rle = bytes(converter.mask2rle(mask.astype(np.uint8) * np.uint8(value)))
            packed = text(zlib.compress(np.packbits(mask).tobytes()))
            golden[f"{name}, {value}"] = {"size": mask.shape, "value": value, "mask": packed, "rle": text(rle)}
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in golden.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(GOLDEN)


if __name__ == "__main__":
    main()
