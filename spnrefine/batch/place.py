"""Where the ledger and the lock of an output lie: hidden, beside it, or in it where beside it is no place to stay."""

import hashlib
import os
from pathlib import Path

SUFFIX = ".spnrefine"
_LEDGER, _LOCK = ".jsonl", ".lock"
_MOST_NAME = 255  # bytes


def beside(output: Path) -> Path:
    """Return the path of an output's ledger beside it, where those of version 0.1.0 lie too."""
    return _hidden(output, _LEDGER)


def inside(folder: Path) -> Path:
    """Return the path of a ledger in the folder of its outputs."""
    return folder / f"{SUFFIX}{_LEDGER}"


def lock_path(output: Path, *, is_folder: bool) -> Path:
    """Return the path of an output's lock: in the folder of outputs, or beside the file."""
    return output / f"{SUFFIX}{_LOCK}" if is_folder else _hidden(_real(output, is_folder=False), _LOCK)


def places(output: Path, *, is_folder: bool) -> list[Path]:
    """List where ledgers of earlier runs into an output may lie, by whichever link it was named."""
    real = _real(output, is_folder=is_folder)
    found = [beside(real), beside(output), *([inside(real)] if is_folder else [])]
    return list(dict.fromkeys(found))


def preferred(output: Path, *, is_folder: bool) -> list[Path]:
    """List where a ledger of an output may be written, best first.

    Beside a folder, as scripts that list the masks of one take whatever they find; but in it where it is a volume of
    its own, mounted there: what lies beside is often gone with the container.
    """
    real = _real(output, is_folder=is_folder)
    if not is_folder:
        return [beside(real)]
    return [inside(real)] if _is_volume(real) else [beside(real), inside(real)]


def _real(output: Path, *, is_folder: bool) -> Path:
    """Follow links to where an output lies; a link that is the output file itself is replaced, not followed."""
    return Path(os.path.realpath(output if is_folder else output.parent), *([] if is_folder else [output.name]))


def _is_volume(folder: Path) -> bool:
    try:
        return folder.stat().st_dev != folder.parent.stat().st_dev
    except OSError:
        return False


def _hidden(output: Path, suffix: str) -> Path:
    output = output.absolute()
    name = f".{output.name}{SUFFIX}{suffix}"
    if len(os.fsencode(name)) > _MOST_NAME:
        digest = hashlib.blake2b(os.fsencode(output.name), digest_size=20).hexdigest()
        name = f".{digest}{SUFFIX}{suffix}"
    return output.with_name(name)
