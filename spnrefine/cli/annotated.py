"""``spnrefine batch FILE``: refine the masks of an annotation file or of a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from spnrefine.cli.streams import progress, say

if TYPE_CHECKING:
    from spnrefine import Refiner
    from spnrefine.batch.job import Settings
    from spnrefine.cli.summary import Tally


def refine_annotations(
    opened: tuple[Path, Path | None, bool, float],
    output: Path,
    refiner: "Refiner",
    settings: "Settings",
    tally: "Tally",
    *,
    jobs: int,
    fail_fast: bool,
) -> int:
    """Refine every mask of a document and write it whole; return the exit code.

    ``opened`` are the document, the photographs' folder, whether to write polygons, and their tolerance in pixels.
    A mask that fails stays as it was; with ``fail_fast`` nothing is written then.
    """
    from spnrefine.annotations.document import open_document
    from spnrefine.batch import annotated

    path, images, polygons, tolerance = opened
    document = open_document(path, images, polygons=polygons, tolerance=tolerance)
    annotated.check_outputs(document, output, overwrite=settings.overwrite)
    tally.check()
    items = document.items
    if not items:
        say(f"{path} holds no mask to refine; it is written as it came.")
    done = annotated.refine_items(items, refiner, settings, jobs=jobs, also=tally.show)
    stopped = False
    try:
        for record in progress(done, len(items)):
            record.output = None if record.status == "failed" else str(output)
            tally.add(record)
            stopped = fail_fast and record.status == "failed"
            if stopped:
                break
        done.close()
        if not stopped:
            annotated.write_outputs(document, output, overwrite=settings.overwrite)
    finally:
        tally.close(len(items))
    return 1 if tally.failed else 0
