"""Where the files of a refined document go: a file for a file, with a folder of what belongs to it, or a tree."""

from collections.abc import Iterator
from pathlib import Path

from spnrefine.annotations.items import Document
from spnrefine.batch.outputs import Outputs
from spnrefine.errors import FileError
from spnrefine.files.regular import is_file


def check_document(document: Document, output: Path, outputs: Outputs, *, in_part: bool = False) -> None:
    """Refuse, before any work is done, outputs that are the document's own files, or may not be replaced.

    Where a run is to change it ``in_part``, the rest is put back from the ledger: what an earlier run did not write so
    would be lost, and is refused even where it may be overwritten.
    """
    for _, path in _targets(document, output):
        if not outputs.may_replace(path) or in_part:
            _check_unchanged(path, outputs)
        outputs.check(path)


def _check_unchanged(path: Path, outputs: Outputs) -> None:
    """Refuse a file that somebody edited, if this is a run that goes on with an earlier one's."""
    if outputs.resume and is_file(path) and not outputs.ledger.may_replace(path):
        advice = "refine it in its turn, so that what was edited there is kept, or move it away"
        raise FileError(f"{path} exists, and not as an earlier run wrote it: {advice}.")


def write_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Write the refined document; errors as in `check_document`."""
    data = document.outputs()
    for relative, path in _targets(document, output):
        outputs.write(path, data[relative])


def sources(document: Document) -> Iterator[Path]:
    """Yield the files that a document came from."""
    single = not document.path.is_dir()
    yield document.path
    for file in document.files:
        yield file.source or (document.path if single else document.path / file.path)


def _targets(document: Document, output: Path) -> Iterator[tuple[Path, Path]]:
    """Say where each file of a document goes: relative path, and output."""
    single = not document.path.is_dir()
    for number, file in enumerate(document.files):
        if not single:
            yield file.path, output / file.path
        elif number == 0:
            yield file.path, output
        else:  # it lies in a folder of the stem
            yield file.path, output.with_suffix("").joinpath(*file.path.parts[1:])
