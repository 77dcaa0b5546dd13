"""Where the ledger and the lock of an output lie: hidden, beside it, or in it where beside it is no place to stay."""

import hashlib
import os
from pathlib import Path

_OWN, _LEDGER = ".spnrefine", ".spnrefine.jsonl"
_MOST_NAME = 255  # bytes


def beside(output: Path) -> Path:
    """Return the path of an output's ledger beside it, where those of version 0.1.0 lie too."""
    output = output.absolute()
    name = f".{output.name}{_LEDGER}"
    if len(os.fsencode(name)) > _MOST_NAME:
        name = f".{_digest(output.name)}{_LEDGER}"
    return output.parent / name


def inside(folder: Path) -> Path:
    """Return the path of a ledger in the folder of its outputs."""
    return folder / _LEDGER


def lock_path(output: Path, *, is_folder: bool) -> Path:
    """Return the path of an output's lock, a temporary file: in the folder of outputs, or beside the file."""
    return output / f"{_OWN}-lock.tmp" if is_folder else output.parent / f"{_OWN}-lock-{_digest(output.name)}.tmp"


def ids_path(ledger: Path, output: Path) -> Path:
    """Return the path of what is kept of the ids of a map at work, beside the ledger; its output has no extension."""
    return ledger.with_name(f"{_OWN}-ids-{_digest(str(output.absolute()))}.jsonl")


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


def outputs_below(folder: Path) -> list[Path]:
    """List the outputs below a folder whose ledgers lie there too; it may be one itself, and is none of them."""
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [name.removesuffix(_LEDGER) for name in files if name.endswith(_LEDGER)]
        found += [Path(here, name.removeprefix(".")) for name in names]  # of a ledger within its output no name is left
    return [output for output in found if output != folder]


def _real(output: Path, *, is_folder: bool) -> Path:
    """Follow links to where an output lies; a link that is the output file itself is replaced, not followed."""
    return Path(os.path.realpath(output if is_folder else output.parent), *([] if is_folder else [output.name]))


def _is_volume(folder: Path) -> bool:
    try:
        return folder.stat().st_dev != folder.parent.stat().st_dev
    except OSError:
        return False


def _digest(name: str) -> str:
    return hashlib.blake2b(os.fsencode(name), digest_size=10).hexdigest()
