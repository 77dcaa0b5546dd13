"""``spnrefine batch FILE``: refine the masks of an annotation file or of a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from spnrefine.cli.streams import progress, say
from spnrefine.cli.summary import Tally

if TYPE_CHECKING:
    from spnrefine.batch.job import Settings


def refine_annotations(
    opened: tuple[Path, Path | None, bool, float],
    output: Path,
    settings: "Settings",
    model: str,
    device: str,
    jobs: int,
    threads: int,
    records: str | None,
    fail_fast: bool,
) -> int:
    """Refine every mask of a document and write it whole; return the exit code.

    ``opened`` are the document, the photographs' folder, whether to write polygons, and their tolerance in pixels.
    A mask that fails stays as it was.
    """
    from spnrefine import Refiner
    from spnrefine.annotations.document import open_document
    from spnrefine.batch import annotated

    path, images, polygons, tolerance = opened
    document = open_document(path, images, polygons=polygons, tolerance=tolerance)
    annotated.check_outputs(document, output, overwrite=settings.overwrite)
    items = document.items
    if not items:
        say(f"{path} holds no mask to refine; it is written as it came.")
    tally = Tally(records, overwrite=settings.overwrite, total=len(items))
    done = annotated.refine_items(items, Refiner(model, device, threads=threads), settings, jobs=jobs)
    stopped = False
    try:
        for record in progress(done, len(items)):
            record.output = str(output) if record.status != "failed" else None
            tally.add(record)
            stopped = fail_fast and record.status == "failed"
            if stopped:
                break
        done.close()
        if not stopped:
            annotated.write_outputs(document, output, overwrite=settings.overwrite)
    finally:
        tally.close()
    return 1 if tally.failed else 0
