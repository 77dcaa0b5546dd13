"""Where the files of a refined document go: a file for a file, with a folder of what belongs to it, or a tree."""

from collections.abc import Iterator
from pathlib import Path

from spnrefine.annotations.items import Document
from spnrefine.batch.outputs import Outputs


def check_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Refuse, before any work is done, outputs that are the document's own files, or may not be replaced."""
    for _, path, source in _targets(document, output):
        outputs.check(path, [source])


def write_document(document: Document, output: Path, outputs: Outputs) -> None:
    """Write the refined document; errors as in `check_document`."""
    data = document.outputs()
    for relative, path, source in _targets(document, output):
        outputs.write(path, data[relative], [source])


def _targets(document: Document, output: Path) -> Iterator[tuple[Path, Path, Path]]:
    """Say where each file of a document goes: relative path, output, and where it came from."""
    single = not document.path.is_dir()
    for number, file in enumerate(document.files):
        source = file.source or (document.path if single else document.path / file.path)
        if not single:
            yield file.path, output / file.path, source
        elif number == 0:
            yield file.path, output, source
        else:  # it lies in a folder of the stem
            yield file.path, output.with_suffix("").joinpath(*file.path.parts[1:]), source
