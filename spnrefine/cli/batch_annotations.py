"""``spnrefine batch FILE``: refine the masks of an annotation file or of a folder of them."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.group import NOTHING
from spnrefine.cli.signals import stopping
from spnrefine.cli.streams import Progress, say, tell_fields

if TYPE_CHECKING:
    from spnrefine.annotations.items import Document, Item
    from spnrefine.batch.item_choices import Choice
    from spnrefine.batch.items_portion import ShowItem
    from spnrefine.batch.outputs import Outputs
    from spnrefine.cli.course import Course
    from spnrefine.cli.summary import Tally
    from spnrefine.job.record import Record
    from spnrefine.job.types import Refined


@dataclass(frozen=True)
class Annotations:
    """The annotations to refine, ``images``, their photographs' folder or None, and how they are written.

    ``images_file`` names those of a list of COCO's results. ``polygons`` is for COCO's masks to be polygons always,
    which leave a mask's edge by at most ``tolerance`` pixels. ``allow_empty`` is for there to be none in a folder.
    """

    path: Path
    images: Path | None
    images_file: Path | None
    polygons: bool
    tolerance: float
    allow_empty: bool

    @property
    def paths(self) -> list[Path]:
        """The files that were named."""
        return [path for path in (self.path, self.images_file) if path]

    def open(self) -> "Document":
        from spnrefine.annotations.document import open_document

        return open_document(
            self.path,
            self.images,
            images_file=self.images_file,
            polygons=self.polygons,
            tolerance=self.tolerance,
        )


def refine_annotations(annotations: Annotations, course: "Course") -> int:
    """Refine every mask of a document and write it whole; return the exit code.

    A mask that fails, or that is left for a later run, stays as it was; with ``--fail-fast`` nothing is written after
    a failure, and nothing where the run was interrupted.
    """
    from spnrefine.batch.item_choices import choose_items

    course.check_places(photographs=annotations.images)
    folder = annotations.path
    if folder.is_dir() and next(folder.iterdir(), None) is None:
        say(f"{'' if annotations.allow_empty else 'Error: '}{folder} holds no annotations: put some there.")
        return 0 if annotations.allow_empty else NOTHING
    document = annotations.open()
    root = annotations.images or (annotations.path if annotations.path.is_dir() else annotations.path.parent)
    choices = choose_items(document.items, course.names, course.keep_coarse, root)
    if course.dry_run:
        return _list([item for item in document.items if choices.get(item) != "leave"], course.output)
    return _refine(document, annotations, course, choices)


def check_fit(course: "Course", **others: Any) -> None:
    """Refuse options that mean nothing for annotations, whose masks are neither files nor probabilities nor ids."""
    how = course.settings
    given = {f"--{name.replace('_', '-')}": value for name, value in others.items()}
    given |= {
        "--backbone": course.backbone,
        "--class": course.only,
        "--compare": course.compare,
        "--soft": how.soft,
        "--labels": how.labels is not None,
    }
    given |= {"--alpha": how.alpha, "--cutout": course.cutout, "--doubt": course.doubt}
    given |= {"--void": how.void is not None, "--resize-mask": how.resize_mask}
    wrong = next((name for name, value in given.items() if value), None)
    if wrong:
        raise click.UsageError(f"{wrong} was given with annotations, where it means nothing: leave it out.")


def _list(items: "list[Item]", output: Path) -> int:
    """Print the items without working on them; 1 where some cannot be."""
    for item in items:
        tell_fields(item.photograph, item.name, output)
        if item.problem:
            say(item.problem)
    return int(any(item.problem for item in items))


def _refine(document: "Document", annotations: Annotations, course: "Course", choices: "dict[Item, Choice]") -> int:
    from spnrefine.batch.document_files import check_document, sources, write_document
    from spnrefine.batch.items_portion import items_portions
    from spnrefine.batch.portion import Work
    from spnrefine.cli.summary import Tally, exit_code

    items = document.items
    named = [item for item in items if choices.get(item) != "leave"]
    inputs = [*annotations.paths, *sources(document), *(item.photograph for item in items)]
    with (
        closing(course.open_engine()) as engine,
        closing(course.open_outputs(inputs, is_folder=document.path.is_dir())) as outputs,
    ):
        tally = Tally(outputs, course, course.told(), len(named))
        tally.check(course.output)
        check_document(document, course.output, outputs, in_part=bool(choices))
        pictures = None
        if course.overlay:
            looked_at = {item.photograph for item in named}
            drawn = [item for item in items if item.photograph in looked_at]
            pictures = _Pictures(drawn, annotations.images, course.overlay, outputs, course.overlay_style)
        if not items:
            say(f"{annotations.path} holds no mask to refine; it is written as it came.")
        said = Progress(len(named), quiet=course.quiet)
        work = Work(course.load_refiner(), course.settings, outputs, judged=course.judges, step=said.step)
        show = _showing(tally, pictures, choices) if course.shows else None
        engine.equip(work.tools)
        with stopping(work.stop), closing(tally):
            course.run(items_portions(items, work, course.output, show, choices), tally, work.stop, engine, said)
            if not work.stop.asked and not (course.fail_fast and tally.failed):
                write_document(document, course.output, outputs)
                if pictures is not None:
                    pictures.draw(course.jobs)
    return exit_code(tally, course.max_failures)


def _showing(tally: "Tally", pictures: "_Pictures | None", choices: "dict[Item, Choice]") -> "ShowItem":
    """Return what shows an item in the report, and collects it for the overlay of its photograph."""

    def show(item: "Item", record: "Record", image: Any, refined: "Refined") -> None:
        if choices.get(item) != "leave":
            tally.show(record, image, refined)
        if pictures is not None:
            pictures.add(item, image, refined)

    return show


class _Pictures:
    """The overlays of a document's photographs, which are refused at once where they may not be written."""

    def __init__(self, items: "list[Item]", images: Path | None, folder: Path, outputs: "Outputs", style: str):
        from spnrefine.review.overlays import Overlays, overlay_paths

        self._overlays, self._outputs = Overlays(style), outputs
        self._order = {item: number for number, item in enumerate(items)}
        self._paths = overlay_paths([item.photograph for item in items if not item.problem], images, folder)
        for path in self._paths.values():
            outputs.check(path)

    def add(self, item: "Item", image: Any, refined: "Refined") -> None:
        """Add a refined mask, which is drawn over those before it in the document; for several threads."""
        from spnrefine.boxes.box import Box
        from spnrefine.boxes.boxed import Boxed

        if item not in self._order:
            return
        size = image.shape[:2]
        view = refined.view or Box(0, size[0], 0, size[1])
        self._overlays.add(item.photograph, self._order[item], Boxed(size, view, refined.after), item.picture)

    def draw(self, jobs: int) -> None:
        """Draw and write all pictures."""
        from spnrefine.batch.threads import in_order

        for _ in in_order((partial(self._draw, photograph) for photograph in self._overlays.photographs), jobs):
            pass

    def _draw(self, photograph: Path) -> None:
        self._outputs.write(self._paths[photograph], self._overlays.draw(photograph))
