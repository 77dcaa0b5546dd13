"""A weights file with more said in its header: the tensors stay as they are. No torch here."""

from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save

from spnrefine.model import weights


def with_header(name_or_path: str | Path, more: dict[str, str]) -> bytes:
    """Return the bytes of a weights file whose header says ``more`` than that of the one named.

    Raises
    ------
    WeightsError
        Missing or corrupt.
    """
    info, _ = weights.read(name_or_path)
    with safe_open(info.path, framework="np") as file:
        header = file.metadata() or {}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
    return save(state, metadata=header | more)
