"""``spnrefine batch DIR``: refine the masks of photographs, each a file of its own."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spnrefine.cli import no_mask
from spnrefine.cli.group import NOTHING
from spnrefine.cli.signals import stopping
from spnrefine.cli.streams import STREAM, Progress, read_list, say, tell_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from spnrefine.batch.outputs import Outputs
    from spnrefine.batch.pair_portion import ShowPair
    from spnrefine.batch.pairs import Found, Pair, Rules
    from spnrefine.cli.course import Course
    from spnrefine.cli.summary import Tally
    from spnrefine.job.record import Record
    from spnrefine.job.types import Refined
    from spnrefine.stores.places import Places


@dataclass(frozen=True)
class Photographs:
    """Which photographs are meant, and how their masks are found and the refined ones called.

    ``folder`` is where they, or their tree, begin; ``files`` are named one by one, ``files_from`` and ``files0_from``
    name lists. ``mask_pattern``, ``name`` and ``strict`` are as in `spnrefine.batch.pairs.Rules`. ``allow_empty``
    is for there to be none of them.
    """

    folder: Path | None
    files: list[Path]
    files_from: str | None
    files0_from: str | None
    mask_dir: Path | None
    mask_pattern: str | None
    name: str | None
    strict: bool
    allow_empty: bool

    @property
    def lists(self) -> list[Path]:
        """The file that names the photographs, if one does."""
        names = self.files_from, self.files0_from
        return [Path(name) for name in names if name and name != STREAM]

    @property
    def rules(self) -> "Rules":
        from spnrefine.batch.pairs import Rules
        from spnrefine.batch.patterns import FIELDS, MASK, Pattern

        pattern = Pattern(self.mask_pattern, "--mask-pattern") if self.mask_pattern is not None else None
        name = Pattern(self.name, "--name", (*FIELDS, MASK)) if self.name is not None else None
        return Rules(self.mask_dir, pattern, name, self.strict)

    def pairs(self, output: Path, made: list[Path], *, without: bool) -> "Found":
        """Pair photographs with masks; all of them have none ``without``."""
        from spnrefine.batch.lists import pairs_of
        from spnrefine.batch.pairing import find_pairs, find_photographs, pair_files, without_masks

        if self.files or self.files_from or self.files0_from:
            if self.files_from:
                listed = pairs_of(read_list(self.files_from, "\n"))
            elif self.files0_from:
                listed = [(Path(name), None) for name in read_list(self.files0_from, "\0")]
            else:
                listed = [(path, None) for path in self.files]
            if without:
                return without_masks(listed, self.folder, output)
            return pair_files(listed, self.folder, self.rules, output)
        folder = self.folder or Path()
        return find_photographs(folder, output, made) if without else find_pairs(folder, self.rules, output, made)


def refine_files(photographs: Photographs, course: "Course", places: "Places | None" = None) -> int:
    """Refine the masks of photographs, some of which lie at ``places`` in stores; return the exit code."""
    from spnrefine.batch.choices import choose
    from spnrefine.batch.folders import NoPhotographsError
    from spnrefine.batch.ledger import made_before
    from spnrefine.batch.pairs import all_inputs
    from spnrefine.errors import FileError

    said = places.said if places else str
    labels = no_mask.makes_labels(course.model)
    named = photographs.mask_dir is not None or photographs.mask_pattern is not None
    no_mask.check_usage(course.model, course.backbone, course.only, has_masks=named)
    if course.output.is_file():
        raise FileError(f"{course.output} is a file: give -o a folder, for the refined masks of all photographs.")
    course.check_places(photographs=photographs.folder, masks=photographs.mask_dir)
    made = [*made_before(course.output), *(folder for folder in course.drawn if folder)]
    try:
        found = photographs.pairs(course.output, made, without=labels or course.backbone is not None)
    except NoPhotographsError as error:
        say(said(str(error) if photographs.allow_empty else f"Error: {error}"))
        return 0 if photographs.allow_empty else NOTHING
    pairs = choose(found.pairs, course.names, course.keep_coarse, course.output)
    if not course.quiet and len(pairs) == len(found.pairs):
        for sentence in [*(places.left_out if places else []), *found.left_out]:
            say(said(sentence))
    if course.dry_run:
        return _list(pairs, said)
    return _refine(pairs, [*photographs.lists, *all_inputs(found.pairs)], course, places, labels=labels)


def _list(pairs: "list[Pair]", said: "Callable[[str], str]") -> int:
    """Print the pairs without working on them; 1 where some cannot be."""
    for pair in pairs:
        fields = pair.photograph, pair.mask or "", f"{pair.folder / pair.stem}.*"
        tell_fields(*(said(str(field)) for field in fields))
        if pair.problem or pair.without:
            say(said(f"{pair.photograph}: {pair.problem or pair.without}"))
    return int(any(pair.problem for pair in pairs))


def _refine(pairs: "list[Pair]", inputs: list[Path], course: "Course", places: "Places | None", *, labels: bool) -> int:
    from spnrefine.batch.pair_portion import PairPortion
    from spnrefine.batch.portion import Work
    from spnrefine.cli.summary import Tally, exit_code

    makes = any(pair.mask is None and not pair.problem and not pair.without for pair in pairs)
    with (
        closing(course.open_engine()) as engine,
        closing(course.open_outputs(inputs, is_folder=True, makes_masks=makes)) as outputs,
    ):
        tally = Tally(outputs, course, course.told(makes_masks=makes), len(pairs))
        tally.check()
        maker = course.load_maker() if makes else None
        if makes and labels and course.only is None:
            overwrite = course.settings.overwrite
            no_mask.write_labelmap(course.output, course.model, outputs.inputs, overwrite=overwrite)
        refiner = None if labels else course.load_refiner()
        matting = course.load_matting()
        work = Work(refiner, course.settings, outputs, maker, matting=matting, judged=course.judges)
        show = _showing(tally, course, outputs) if course.shows else None
        said = Progress(tally.total, quiet=course.quiet)
        engine.equip(work.tools)
        with stopping(work.stop), closing(tally):
            portions = places.portions(pairs, work) if places else (PairPortion(pair, work, show) for pair in pairs)
            course.run(portions, tally, work.stop, engine, said)
    return exit_code(tally, course.max_failures)


def _showing(tally: "Tally", course: "Course", outputs: "Outputs") -> "ShowPair":
    """Return what shows a pair in the report, makes the pictures that were asked for, and cuts it out."""

    def show(pair: "Pair", record: "Record", image: Any, refined: "Refined") -> None:
        tally.show(record, image, refined)
        from spnrefine.review import pictures

        place = pair.folder.relative_to(course.output) / pair.stem
        if course.cutout is not None and refined.matte is not None:
            from spnrefine.job import job

            rgba = job.encode_cutout(image, refined, ".png")
            outputs.write((course.cutout / place).with_name(f"{pair.stem}.png"), rgba)
        if course.doubt is not None and record.status != "skipped":
            from spnrefine.job.doubts import doubts

            grays = pictures.encode(doubts(refined), ".png")
            outputs.write((course.doubt / place).with_name(f"{pair.stem}.png"), grays)
        style = course.overlay_style
        for folder, draw in (
            (course.overlay, lambda: pictures.overlay(image, refined.after, style=style)),
            (course.compare, lambda: pictures.compare(image, refined.before, refined.after, style)),
        ):
            if folder is None:
                continue
            target = (folder / place).with_name(f"{pair.stem}.jpg")
            if record.status != "skipped" or not target.exists():
                outputs.write(target, pictures.encode(draw(), ".jpg"))

    return show
