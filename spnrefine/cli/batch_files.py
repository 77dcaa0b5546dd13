"""``spnrefine batch DIR``: refine the masks of photographs, each a file of its own."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spnrefine.cli import no_mask
from spnrefine.cli.streams import read_list, say, tell

if TYPE_CHECKING:
    from spnrefine.batch.outputs import Outputs
    from spnrefine.batch.pair_portion import ShowPair
    from spnrefine.batch.pairing import Pair
    from spnrefine.cli.course import Course
    from spnrefine.cli.summary import Tally
    from spnrefine.job.record import Record
    from spnrefine.job.types import Refined


@dataclass(frozen=True)
class Photographs:
    """Which photographs are meant, by a folder or a list of their names or both, and the folder of their masks."""

    folder: Path | None
    files_from: str | None
    files0_from: str | None
    mask_dir: Path | None

    def pairs(self, output: Path, made: list[Path], *, without: bool) -> "list[Pair]":
        """Pair photographs with masks; all of them have none ``without``, or where there are none to be found."""
        from spnrefine.batch.pairing import find_pairs, find_photographs, has_masks, pair_files, without_masks

        if self.files_from or self.files0_from:
            names = read_list(self.files_from or self.files0_from or "", "\n" if self.files_from else "\0")
            found = [Path(name) for name in names]
            if without:
                return without_masks(found, self.folder, output)
            return pair_files(found, self.folder, self.mask_dir, output)
        folder = self.folder or Path()
        if without or (self.mask_dir is None and folder.is_dir() and not has_masks(folder)):
            return find_photographs(folder, output, made)
        return find_pairs(folder, self.mask_dir, output, made)


def refine_files(photographs: Photographs, course: "Course") -> int:
    """Refine the masks of photographs; return the exit code."""
    from spnrefine.batch.ledger import made_before
    from spnrefine.errors import FileError

    labels = no_mask.makes_labels(course.model)
    no_mask.check_usage(course.model, course.backbone, course.only, has_masks=photographs.mask_dir is not None)
    if course.output.is_file():
        raise FileError(f"{course.output} is a file: give -o a folder, for the refined masks of all photographs.")
    made = [*made_before(course.output), *([course.overlay] if course.overlay else [])]
    pairs = photographs.pairs(course.output, made, without=labels or course.backbone is not None)
    return _list(pairs) if course.dry_run else _refine(pairs, course, labels=labels)


def _list(pairs: "list[Pair]") -> int:
    """Print the pairs without working on them; 1 where some cannot be."""
    for pair in pairs:
        tell(f"{pair.photograph}\t{pair.mask or ''}\t{pair.folder / pair.stem}.*")
        if pair.problem:
            say(f"{pair.photograph}: {pair.problem}")
    return int(any(pair.problem for pair in pairs))


def _refine(pairs: "list[Pair]", course: "Course", *, labels: bool) -> int:
    from spnrefine.batch.pair_portion import PairPortion
    from spnrefine.batch.portion import Work
    from spnrefine.cli.summary import Tally

    makes = any(pair.mask is None and not pair.problem for pair in pairs)
    with closing(course.open_outputs(makes_masks=makes)) as outputs:
        tally = Tally(outputs, course.records, course.report, len(pairs))
        tally.check(inputs={path for pair in pairs for path in pair.inputs})
        maker = course.load_maker() if makes else None
        if makes and labels and course.only is None:
            no_mask.write_labelmap(course.output, course.model, overwrite=course.settings.overwrite)
        work = Work(None if labels else course.load_refiner(), course.settings, outputs, maker)
        show = _showing(tally, course, outputs) if course.shows else None
        with closing(tally):
            course.run((PairPortion(pair, work, show) for pair in pairs), tally)
    return 1 if tally.failed else 0


def _showing(tally: "Tally", course: "Course", outputs: "Outputs") -> "ShowPair":
    """Return what shows a pair in the report, and draws it into the folder of overlays if there is one."""

    def show(pair: "Pair", record: "Record", image: Any, refined: "Refined") -> None:
        tally.show(record, image, refined)
        if course.overlay is None:
            return
        from spnrefine.review import pictures

        target = course.overlay / pair.folder.relative_to(course.output) / f"{pair.stem}.jpg"
        if record.status == "skipped" and target.exists():
            return
        outputs.write(target, pictures.encode(pictures.overlay(image, refined.after), ".jpg"), pair.inputs)

    return show
