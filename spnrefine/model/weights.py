"""Weights files: safetensors whose header says everything needed to build and trust the network. No torch here."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from spnrefine.errors import WeightsError
from spnrefine.model.config import Config, MatteConfig, SegmenterConfig
from spnrefine.model.sharing import stamp

FORMAT_VERSION = 1
SPN, SEGMENTER, PARSER = (f"{name}-efficientnet-lite0" for name in ("spn", "segmenter", "parser"))
"""Architectures: refines a mask; makes the mask of an object; makes a label map and refines it."""
MATTE = "matting-unet"
"""Makes a matte of a refined mask."""
CONFIGS: dict[str, type[Config | SegmenterConfig | MatteConfig]] = {
    SPN: Config,
    SEGMENTER: SegmenterConfig,
    PARSER: Config,
    MATTE: MatteConfig,
}
PURPOSES = {
    SPN: "a refiner of masks (--model)",
    SEGMENTER: "a backbone, which makes a mask from a photograph (--backbone)",
    PARSER: "a model of label maps, which needs no mask (--model)",
    MATTE: "a network of mattes (--alpha)",
}
CHOICES = "choices"
"""The key of a header under which it is said how masks are refined."""
TEMPERATURE = "temperature"
"""The key of a header under which it is said at which temperature probabilities are written."""
ADDED = {"classes", "shared_gates", "sees_mask", "knows_off", "bottleneck"}
"""Added to the configuration since the first files of this format were written."""


@dataclass(frozen=True)
class WeightsInfo:
    """What the header of a weights file says, read without loading the tensors.

    ``classes`` are the names of a label map's classes, background first, and empty where there is one object.
    ``choices`` say how masks are refined, see :mod:`spnrefine.refiner.choice`; empty in weights that say nothing of it.
    ``temperature`` is that of written probabilities, see :mod:`spnrefine.refiner.temperature`; None: as they are.
    """

    path: Path
    architecture: str
    config: Config | SegmenterConfig | MatteConfig
    task: str
    sha256: str
    parameters: int
    classes: tuple[str, ...] = ()
    choices: str = ""
    temperature: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)  # data, steps, seed, versions: whatever training wrote

    @property
    def identity(self) -> str:
        """What results depend on: the tensors' checksum, and choices and temperature where there are any."""
        return " ".join(str(part) for part in (self.sha256, self.choices, self.temperature) if part)

    @property
    def name(self) -> str:
        return self.path.parent.name if self.path.name == "model.safetensors" else self.path.stem


def weights_folder() -> Path:
    """Return the folder of the weights that ship, in a wheel, an editable install or a checkout alike."""
    package = Path(__file__).parents[1]
    installed = package / "weights"
    return installed if installed.is_dir() else package.parent / "weights"


def available() -> list[str]:
    """List the names of the weights that ship."""
    return sorted(path.parent.name for path in weights_folder().glob("*/model.safetensors"))


def find(name_or_path: str | Path) -> Path:
    """Return the weights file of a shipped name, or the given path if it is a file.

    Raises
    ------
    WeightsError
        Neither a shipped name nor a file.
    """
    shipped = weights_folder() / str(name_or_path) / "model.safetensors"
    if os.sep not in str(name_or_path) and shipped.is_file():
        return shipped
    path = Path(name_or_path) if isinstance(name_or_path, str | os.PathLike) else None
    if path is not None and path.is_file():
        return path
    names = ", ".join(available()) or "none"
    raise WeightsError(f"No weights {str(name_or_path)!r}: expected a shipped name ({names}) or a .safetensors file.")


def describe(name_or_path: str | Path) -> WeightsInfo:
    """Read the header of a weights file.

    Raises
    ------
    WeightsError
        Not a weights file of this program, or one of a newer format or another architecture.
    """
    path = find(name_or_path)
    try:
        return _described(path, stamp(path))
    except OSError as error:
        raise WeightsError(f"{path} is not readable ({error}): get it again or name another.") from None


@lru_cache(maxsize=32)  # one command asks a dozen times
def _described(path: Path, _stamp: tuple[int, ...]) -> WeightsInfo:
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            parameters = sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys() if "running_" not in key)  # noqa: SIM118 (safe_open is no mapping)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a readable safetensors file ({error}): get it again or name another."
        ) from None
    architecture = header.get("architecture", "")
    if architecture not in CONFIGS or header.get("format_version") != str(FORMAT_VERSION):
        architecture, version = (f"{header.get(key)!r:.60}" for key in ("architecture", "format_version"))
        found = f"architecture {architecture}, format {version}"
        expected = f"{' or '.join(map(repr, CONFIGS))}, format '{FORMAT_VERSION}'"
        raise WeightsError(f"{path} has {found}, not {expected}: use weights written by `spnrefine train`.")
    try:
        known = fields(CONFIGS[architecture])
        config = CONFIGS[architecture](
            **{f.name: int(header[f.name]) for f in known if f.name in header or f.name not in ADDED}
        )
        classes = json.loads(header.get("class_names", "[]"))
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError("class_names: expected a list of names")
        if architecture == PARSER and classes and len(classes) != getattr(config, "classes", None):
            raise ValueError(f"class_names: {len(classes)} names, expected one for each class")
        provenance = json.loads(header["provenance"])
        if not isinstance(provenance, dict):
            raise ValueError("provenance: expected an object")
        return WeightsInfo(
            path,
            architecture,
            config,
            header["task"],
            header["sha256"],
            parameters,
            tuple(classes),
            header.get(CHOICES, ""),
            _temperature(header),
            provenance,
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path} has a header that is incomplete or wrong ({error}): get it again or name another."
        ) from None


def _temperature(header: dict[str, str]) -> float | None:
    if TEMPERATURE not in header:
        return None
    temperature = float(header[TEMPERATURE])
    if not 0.01 <= temperature <= 100:
        raise ValueError(f"temperature {temperature}: expected 0.01 to 100")
    return temperature


def expect(info: WeightsInfo, architecture: str) -> None:
    """Raise :class:`WeightsError` where the weights are of another architecture than the one needed."""
    if info.architecture != architecture:
        raise WeightsError(f"{info.name} is {PURPOSES[info.architecture]}: expected {PURPOSES[architecture]}.")


def read(name_or_path: str | Path) -> tuple[WeightsInfo, dict[str, NDArray[np.float32]]]:
    """Read a weights file, header and tensors.

    Raises
    ------
    WeightsError
        Missing or corrupt (the checksum differs, something is no finite number, or a variance is below 0).
    """
    info = describe(name_or_path)
    try:
        with safe_open(info.path, framework="np") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except Exception as error:  # SafetensorError, OSError, and others for types that NumPy has not
        raise WeightsError(f"{info.path} is not readable ({error}): get it again or name another.") from None
    if checksum(state) != info.sha256:
        raise WeightsError(
            f"{info.path} is corrupt (its tensors do not match the checksum in its header): get it again."
        )
    with np.errstate(over="ignore"):
        numbers = {key: value.astype(np.float32) for key, value in state.items()}
    if wrong := [key for key, value in numbers.items() if not _are_numbers(key, value)]:
        raise WeightsError(
            f"{info.path} holds NaN or infinite numbers, or variances below 0 ({len(wrong)} tensors): "
            "get it again or train anew."
        )
    return info, numbers


def _are_numbers(key: str, value: NDArray[np.float32]) -> bool:
    """Tell whether all of a tensor can be calculated with.

    A variance may be infinite: one beyond the range of half precision was written so, and makes its channel constant.
    None is negative: its root would be no number, and the bounds of the layers that follow would hide it.
    """
    if key.endswith(".running_var"):
        return bool((value >= 0).all())
    return bool(np.isfinite(value).all())


def check_output(*outputs: NDArray[np.float32]) -> None:
    """Refuse what a network puts out where some of it is no number: it would empty or fill masks without a word.

    Raises
    ------
    WeightsError
        Something is NaN or infinite.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        raise WeightsError("The network puts out NaN or infinite numbers: use other weights.")


def checksum(state: Mapping[str, NDArray]) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for key in sorted(state):
        value = np.ascontiguousarray(state[key])
        digest.update(f"{key} torch.{value.dtype} {state[key].shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
