"""``spnrefine batch FILE``: refine the masks of an annotation file or of a folder of them."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spnrefine.cli.streams import progress, say, tell

if TYPE_CHECKING:
    from spnrefine import Refiner
    from spnrefine.annotations.items import Document
    from spnrefine.batch.ledger import Ledger
    from spnrefine.cli.summary import Tally
    from spnrefine.job.job import Refined, Settings
    from spnrefine.job.record import Record
    from spnrefine.review.overlays import Overlays


@dataclass(frozen=True)
class Annotations:
    """The annotations to refine, ``images``, their photographs' folder or None, and how they are written.

    ``polygons`` is for COCO's masks to be polygons always, which leave a mask's edge by at most ``tolerance`` pixels.
    """

    path: Path
    images: Path | None
    output: Path
    polygons: bool
    tolerance: float

    def open(self) -> "Document":
        from spnrefine.annotations.document import open_document

        return open_document(self.path, self.images, polygons=self.polygons, tolerance=self.tolerance)


@dataclass(frozen=True)
class Course:
    """How a batch goes: on how many threads, from where, how far, and with which pictures."""

    jobs: int
    resume: bool
    most: int | None
    fail_fast: bool
    overlay: Path | None


def show_annotations(annotations: Annotations) -> int:
    """Print the items without working on them; 1 where some cannot be."""
    items = annotations.open().items
    for item in items:
        tell(f"{item.photograph}\t{item.name}\t{annotations.output}")
        if item.problem:
            say(item.problem)
    return int(any(item.problem for item in items))


def refine_annotations(
    annotations: Annotations,
    load: "Callable[[], Refiner]",
    settings: "Settings",
    open_ledger: "Callable[[], Ledger]",
    tally: "Tally",
    course: Course,
) -> int:
    """Refine every mask of a document and write it whole; return the exit code.

    A mask that fails, or that is left for a later run, stays as it was; with ``course.fail_fast`` nothing is written
    after a failure.
    """
    from spnrefine.batch import annotated
    from spnrefine.review.overlays import Overlays, overlay_paths

    document = annotations.open()
    with closing(open_ledger()) as ledger:
        inputs = [path for item in document.items for path in (item.photograph, annotations.path)]
        tally.check(ledger, annotations.output, resume=course.resume, inputs=inputs)
        replacing = {"overwrite": settings.overwrite, "resume": course.resume}
        annotated.check_outputs(document, annotations.output, ledger, **replacing)
        items, overlays = document.items, Overlays()
        pictures: dict[Path, Path] = {}
        if course.overlay:
            photographs = [item.photograph for item in items if not item.problem]
            pictures = overlay_paths(photographs, annotations.images, course.overlay)
            _check_pictures(pictures, ledger, **replacing)
        if not items:
            say(f"{annotations.path} holds no mask to refine; it is written as it came.")
        also = _showing(tally, overlays if course.overlay else None, {item.name: i for i, item in enumerate(items)})
        work = annotated.Work(load(), settings, ledger, course.jobs, course.resume, course.most, also)
        done = annotated.refine_items(items, work)
        stopped = False
        try:
            for record in progress(done, len(items)):
                record.output = None if record.status == "failed" else str(annotations.output)
                tally.add(record)
                stopped = course.fail_fast and record.status == "failed"
                if stopped:
                    break
            done.close()
            if not stopped:
                annotated.write_outputs(document, annotations.output, ledger, **replacing)
                _draw(overlays, pictures, ledger, course.jobs, **replacing)
        finally:
            tally.close(len(items))
    return 1 if tally.failed else 0


def _showing(tally: "Tally", overlays: "Overlays | None", order: dict[str, int]) -> "Callable[..., None]":
    def show(record: "Record", image: Any, refined: "Refined") -> None:
        tally.show(record, image, refined)
        if overlays is not None:
            overlays.add(Path(record.image), order[record.mask or ""], refined.after)

    return show


def _check_pictures(pictures: dict[Path, Path], ledger: "Ledger", *, overwrite: bool, resume: bool) -> None:
    from spnrefine.files import atomic

    photographs = {photograph.resolve() for photograph in pictures}
    for path in pictures.values():
        replaces = overwrite or (resume and ledger.may_replace(path))
        atomic.check_output(path, overwrite=replaces, inputs=photographs & {path.resolve()})


def _draw(
    overlays: "Overlays", pictures: dict[Path, Path], ledger: "Ledger", jobs: int, *, overwrite: bool, resume: bool
) -> None:
    from spnrefine.batch.threads import in_order

    def draw(photograph: Path) -> None:
        path = pictures[photograph]
        replaces = overwrite or (resume and ledger.may_replace(path))
        ledger.write(path, overlays.draw(photograph), overwrite=replaces, inputs=[photograph])

    for _ in in_order((partial(draw, photograph) for photograph in overlays.photographs), jobs):
        pass
