"""An unfinished run on disc: everything that a resumed run needs to equal an uninterrupted one."""

import io
import json
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files.atomic import write_bytes
from spnrefine.train.lessons.batches import Batches


def checkpoint_path(out: Path) -> Path:
    """Return where the checkpoint of the run that writes ``out`` lies."""
    return out.with_name(out.name + ".checkpoint")


def random_states(batches: Batches) -> dict[str, Any]:
    return {"host": json.dumps(batches.host.bit_generator.state), "device": batches.device.get_state()}


def set_random_states(batches: Batches, states: dict[str, Any]) -> None:
    batches.host.bit_generator.state = json.loads(states["host"])
    batches.device.set_state(states["device"])


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state``, replacing the last checkpoint only when all is written; raises :class:`FileError`."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes(path, buffer.getvalue(), overwrite=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    FileError
        There is none, or one that cannot be read.
    """
    if not path.is_file():
        raise FileError(f"There is no checkpoint {path} to resume from: leave --resume out to start the run.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError, KeyError) as error:
        raise FileError(f"The checkpoint {path} cannot be read ({error}): start again without --resume.") from None


def earlier_run(path: Path, *, resume: bool, overwrite: bool) -> dict[str, Any] | None:
    """Return the checkpoint to resume from, or None; refuse to start anew where there is one."""
    if resume:
        return read_checkpoint(path)
    if path.exists() and not overwrite:
        raise SpnRefineError(f"{path} holds an unfinished run: pass --resume to carry it on, or --overwrite.")
    return None


def check_same_run(saved: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise :class:`SpnRefineError` where the settings of a resumed run differ from the saved ones."""
    for name, value in now.items():
        if saved.get(name) != value:
            raise SpnRefineError(
                f"The checkpoint was made with another {name} ({saved.get(name)!r}, now {value!r}): give the options "
                "it was made with, or start again without --resume."
            )
