"""Weights files: safetensors whose header says everything needed to build and trust the network."""

import hashlib
import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

import spnrefine
from spnrefine.errors import WeightsError
from spnrefine.model.spn import SPN, Config

FORMAT_VERSION = 1
ARCHITECTURE = "spn-efficientnet-lite0"


@dataclass(frozen=True)
class WeightsInfo:
    """What the header of a weights file says, read without loading the tensors."""

    path: Path
    config: Config
    task: str
    sha256: str
    parameters: int
    provenance: dict[str, Any] = field(default_factory=dict)  # data, steps, seed, versions: whatever training wrote

    @property
    def name(self) -> str:
        return self.path.parent.name if self.path.name == "model.safetensors" else self.path.stem


def weights_folder() -> Path:
    """Return the folder of the weights that ship, in a wheel, an editable install or a checkout alike."""
    package = Path(spnrefine.__file__).parent
    installed = package / "weights"
    return installed if installed.is_dir() else package.parent / "weights"


def available() -> list[str]:
    """List the names of the weights that ship."""
    return sorted(path.parent.name for path in weights_folder().glob("*/model.safetensors"))


def find(name_or_path: str | Path) -> Path:
    """Return the weights file of a shipped name, or the given path if it is a file.

    Raises
    ------
    WeightsError: neither a shipped name nor a file.
    """
    shipped = weights_folder() / str(name_or_path) / "model.safetensors"
    if os.sep not in str(name_or_path) and shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = ", ".join(available()) or "none"
    raise WeightsError(f"No weights {str(name_or_path)!r}: expected a shipped name ({names}) or a .safetensors file.")


def describe(name_or_path: str | Path) -> WeightsInfo:
    """Read the header of a weights file.

    Raises
    ------
    WeightsError: not a weights file of this program, or one of a newer format or another architecture.
    """
    path = find(name_or_path)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            parameters = sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys() if "running_" not in key)  # noqa: SIM118 (safe_open is no mapping)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a readable safetensors file ({error}): get it again or name another."
        ) from None
    if header.get("architecture") != ARCHITECTURE or header.get("format_version") != str(FORMAT_VERSION):
        found = f"architecture {header.get('architecture')!r}, format {header.get('format_version')!r}"
        expected = f"{ARCHITECTURE!r}, format '{FORMAT_VERSION}'"
        raise WeightsError(f"{path} has {found}; expected {expected}: use weights written by `spnrefine train`.")
    try:
        config = Config(**{f.name: int(header[f.name]) for f in fields(Config)})
        provenance = json.loads(header["provenance"])
        return WeightsInfo(path, config, header["task"], header["sha256"], parameters, provenance)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path} has an incomplete header ({error}): get it again or name another.") from None


def load(name_or_path: str | Path) -> SPN:
    """Build the network a weights file describes and fill it: float32, on the CPU, in evaluation mode.

    Raises
    ------
    WeightsError: missing, corrupt (the checksum differs) or made for another network.
    """
    info = describe(name_or_path)
    try:
        with safe_open(info.path, framework="pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{info.path} is not readable ({error}): get it again or name another.") from None
    if _checksum(state) != info.sha256:
        raise WeightsError(
            f"{info.path} is corrupt: its tensors do not match the checksum in its header. Get it again."
        )
    model = SPN(info.config)
    expected = {key: value for key, value in model.state_dict().items() if _learnt(key)}
    wrong = [key for key in expected.keys() | state.keys() if _shape(expected.get(key)) != _shape(state.get(key))]
    if wrong:
        raise WeightsError(f"{info.path} does not fit its network: {len(wrong)} tensors differ, first {min(wrong)}.")
    model.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
    return model.eval()


def save(model: SPN, path: Path, *, task: str = "binary", provenance: dict[str, Any] | None = None) -> None:
    """Write ``model`` as float16 safetensors with a full header; ``path`` is replaced only when all is written.

    The auxiliary head stays behind. ``provenance`` is anything JSON that says where the weights come from.
    """
    state = {
        key: value.detach().half().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in model.state_dict().items()
        if _learnt(key) and not key.startswith("auxiliary.")
    }
    header = {key: str(value) for key, value in asdict(model.config).items()} | {
        "format": "pt",
        "format_version": str(FORMAT_VERSION),
        "architecture": ARCHITECTURE,
        "task": task,
        "sha256": _checksum(state),
        "provenance": json.dumps(provenance or {}),
    }
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(to_safetensors(state, metadata=header))
    os.chmod(file.name, 0o644)  # noqa: PTH101 (the file is known by name only)
    os.replace(file.name, path)  # noqa: PTH105


def _learnt(key: str) -> bool:
    """Tell the tensors that matter from batch norm's step counters."""
    return not key.endswith("num_batches_tracked")


def _checksum(state: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for key in sorted(state):
        value = state[key].contiguous()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _shape(value: Tensor | None) -> tuple[int, ...] | None:
    return None if value is None else tuple(value.shape)
