"""Networks of torch to weights files and back."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save as to_safetensors

from spnrefine.errors import WeightsError
from spnrefine.model import weights
from spnrefine.model.matting import Matting
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN
from spnrefine.model.weights import FORMAT_VERSION, checksum, read

NETWORKS: dict[str, type[SPN | Segmenter | ParsingNetwork | Matting]] = {
    weights.SPN: SPN,
    weights.SEGMENTER: Segmenter,
    weights.PARSER: ParsingNetwork,
    weights.MATTE: Matting,
}
HIGHEST = torch.finfo(torch.float16).max
"""What is above is written as this: infinity would make a channel constant."""
TASKS = {weights.SPN: "binary", weights.SEGMENTER: "object", weights.PARSER: "labels", weights.MATTE: "matte"}


def load_any(name_or_path: str | Path) -> SPN | Segmenter | ParsingNetwork | Matting:
    """Build the network a weights file describes and fill it: float32, on the CPU, in evaluation mode.

    Raises
    ------
    WeightsError
        Missing, corrupt (the checksum differs) or made for another network.
    """
    info, state = read(name_or_path)
    with torch.device("meta"):  # nothing is drawn at random that is then replaced
        model = NETWORKS[info.architecture](info.config)  # type: ignore[arg-type]  # each takes its own
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items() if _learnt(key)}
    found = {key: value.shape for key, value in state.items()}
    wrong = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    if wrong:
        raise WeightsError(
            f"{info.path} does not fit its network ({len(wrong)} tensors differ, first {min(wrong)}): name others."
        )
    counters = {key: torch.zeros((), dtype=torch.long) for key in model.state_dict() if not _learnt(key)}
    learnt = {key: torch.from_numpy(value) for key, value in state.items()}
    model.load_state_dict(learnt | counters, assign=True)
    return model.eval()


def load(name_or_path: str | Path) -> SPN:
    """Build the network of a refiner's weights file, see :func:`load_any`.

    Raises
    ------
    WeightsError
        Also where the file is of another kind of network.
    """
    weights.expect(weights.describe(name_or_path), weights.SPN)
    model = load_any(name_or_path)
    assert isinstance(model, SPN)
    return model


def save(
    model: SPN | Segmenter | ParsingNetwork | Matting,
    path: Path,
    *,
    classes: Sequence[str] = (),
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write ``model`` as float16 safetensors with a full header; ``path`` is replaced only when all is written.

    The auxiliary head stays behind. ``classes`` are the names of a label map's; ``provenance`` is anything JSON that
    says where the weights come from.
    """
    state = {
        key: value.detach().clamp(-HIGHEST, HIGHEST).half().cpu().contiguous().numpy()
        for key, value in model.state_dict().items()
        if _learnt(key) and "auxiliary." not in key
    }
    architecture = next(name for name, network in NETWORKS.items() if type(model) is network)
    header = {key: str(value) for key, value in asdict(model.config).items()} | {
        "format": "pt",
        "format_version": str(FORMAT_VERSION),
        "architecture": architecture,
        "task": TASKS[architecture],
        "class_names": json.dumps(list(classes)),
        "sha256": checksum(state),
        "provenance": json.dumps(provenance or {}),
    }
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(to_safetensors(state, metadata=header))
    os.chmod(file.name, 0o644)  # noqa: PTH101 (the file is known by name only)
    os.replace(file.name, path)  # noqa: PTH105


def _learnt(key: str) -> bool:
    """Tell the tensors that matter from batch norm's step counters."""
    return not key.endswith("num_batches_tracked")
