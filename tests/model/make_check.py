"""Make or verify the check vector of the general weights: what the network must put out for fixed inputs.

    python tests/model/make_check.py                 write tests/model/check_general.npz for the weights that ship
    python tests/model/make_check.py --verify FILE   print how far the weights that ship are from a check vector

Inputs are drawn, not photographed: filtered noise with an object of another colour and a coarse mask of it.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

CHECK = Path(__file__).parent / "check_general.npz"
Arrays = dict[str, NDArray]


def draw(height: int, width: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a photograph (H, W, 3) of one textured object and its coarse mask (H, W), blurred and shifted."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.normal(0, 200, (height, width, 3)), (0, 0), 3)
    shape = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), min(height, width) / 8)
    rows, columns = np.mgrid[:height, :width]
    shape = shape / np.abs(shape).max() + 1 - 3 * np.hypot(rows / height - 0.5, columns / width - 0.45)
    inside = shape > 0
    image = np.where(inside[..., None], (170, 120, 70), (90, 110, 140)) + texture
    coarse = cv2.GaussianBlur(np.roll(inside, (3, -4), (0, 1)) * 255.0, (0, 0), 4)
    image = 16 * np.rint(np.clip(image, 0, 255) / 16.5)  # few gray levels: the file stays small
    return image.astype(np.uint8), np.clip(coarse, 0, 255).astype(np.uint8)


def inputs() -> Arrays:
    """Draw the inputs of the check vector."""
    image, coarse = draw(96, 128, 1)
    arrays: Arrays = {"image": image.transpose(2, 0, 1).astype(np.float32) / 255, "coarse": coarse / np.float32(255)}
    for name, (height, width, seed) in {"odd": (75, 101, 2), "small": (160, 200, 3), "large": (460, 620, 4)}.items():
        photo, coarse = draw(height, width, seed)
        arrays |= {"odd_image" if name == "odd" else f"{name}_photo": photo, f"{name}_coarse": coarse}
    return arrays


def outputs(given: Arrays, model: str = "general") -> Arrays:
    """Run the network, and the whole procedure on ``small_`` and ``large_``."""
    import torch  # here, as all tests import this file for what it draws

    from spnrefine import Refiner
    from spnrefine.model import storage

    network = storage.load(model).requires_grad_(False)
    image, coarse = torch.from_numpy(given["image"])[None], torch.from_numpy(given["coarse"])[None, None]
    odd_image = torch.from_numpy(given["odd_image"]).permute(2, 0, 1)[None] / 255
    odd_coarse = torch.from_numpy(given["odd_coarse"])[None, None] / 255
    guidance = network.begin(image, coarse).guidance
    results = {
        "gates": guidance[0, ::8, ::4, ::4],
        "logits": network(image, coarse)[0, 0],
        "odd_logits": network(odd_image, odd_coarse)[0, 0],
    }
    arrays = {name: value.numpy() for name, value in results.items()}
    refiner = Refiner(model, "cpu")
    for name in ("small", "large"):
        refined = refiner(given[f"{name}_photo"], given[f"{name}_coarse"] / np.float32(255))
        arrays[f"{name}_refined"] = np.rint(255 * refined).astype(np.uint8)
    return arrays


def differences(check: Arrays, model: str = "general") -> dict[str, float]:
    """Return the largest absolute difference between each output in ``check`` and the network's own."""
    return {
        name: float(np.abs(check[name].astype(float) - value).max()) for name, value in outputs(check, model).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verify", type=Path, metavar="FILE")
    verify = parser.parse_args().verify
    if verify:
        for name, difference in differences(dict(np.load(verify))).items():
            print(f"{name:14} {difference:.2e}")
    else:
        given = inputs()
        np.savez_compressed(CHECK, **given, **outputs(given))
        print(CHECK)


if __name__ == "__main__":
    main()
