"""Where the files of a refined document go: a file for a file, a tree for a folder."""

from pathlib import Path

from spnrefine.annotations.items import Document
from spnrefine.batch.outputs import Outputs


def check_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Refuse, before any work is done, outputs that are the document's own files, or may not be replaced."""
    for relative, path in _targets(document, output).items():
        outputs.check(path, [_source(document, relative)])


def write_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Write the refined document; errors as in `check_document`."""
    data = document.outputs()
    for relative, path in _targets(document, output).items():
        outputs.write(path, data[relative], [_source(document, relative)])


def _targets(document: Document, output: Path) -> dict[Path, Path]:
    """Say where each file of a document goes: relative path to output."""
    single = not document.path.is_dir()
    return {file.path: output if single else output / file.path for file in document.files}


def _source(document: Document, relative: Path) -> Path:
    return document.path / relative if document.path.is_dir() else document.path
