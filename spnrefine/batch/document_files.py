"""Where the files of a refined document go: a file for a file, with a folder of what belongs to it, or a tree."""

from collections.abc import Iterator
from pathlib import Path

from spnrefine.annotations.items import Document
from spnrefine.batch.outputs import Outputs


def check_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Refuse, before any work is done, outputs that are the document's own files, or may not be replaced."""
    for _, path in _targets(document, output):
        outputs.check(path)


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
