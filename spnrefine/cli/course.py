"""How a batch goes, whatever it works through: the options that files and annotations share."""

import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.engines import Where
from spnrefine.cli.options import check_kinds
from spnrefine.cli.streams import STREAM, Progress
from spnrefine.cli.threads import count_threads, share_threads

if TYPE_CHECKING:
    from spnrefine import Refiner
    from spnrefine.batch.engine import Engine
    from spnrefine.batch.outputs import Outputs
    from spnrefine.batch.portion import Portion
    from spnrefine.batch.stop import Stop
    from spnrefine.cli.summary import Tally
    from spnrefine.job.types import MakesMasks, MakesMattes, Settings

MOST_JOBS = 8  # by default: each takes a few hundred megabytes

PICTURES = "overlay", "compare", "cutout", "doubt"
_AS_JPEG = "--overlay", "--compare"  # others are PNG, as masks may be


def _ending(option: str) -> str:
    return ".jpg" if option in _AS_JPEG else ".png"


@dataclass(frozen=True)
class Course:
    """The options of a batch, under the names that they have on the command line.

    ``output`` is the folder of the refined masks or the file of the refined annotations; ``settings`` say how each
    mask is refined and written. ``names`` are those that ``--only`` gives. ``threads`` are those within each
    refinement: what all have, shared by the ``jobs``. ``where`` they run is another matter; ``workers`` are as many as
    were asked for there.
    """

    output: Path
    settings: "Settings"
    jobs: int
    threads: int
    where: Where
    workers: int | None
    resume: bool
    dry_run: bool
    names: tuple[str, ...]
    keep_coarse: tuple[str, ...]
    max_items: int | None
    fail_fast: bool
    overlay: Path | None
    overlay_style: str
    compare: Path | None
    cutout: Path | None
    doubt: Path | None
    report: Path | None
    records: str | None
    append: bool
    max_failures: int | float | None
    done_is_done: bool
    model: str
    matting: str
    backbone: str | None
    only: str | None
    device: str
    quiet: bool

    @classmethod
    def of(cls, output: Path, *, jobs: int | None, records: str | None, as_json: bool, **options: Any) -> "Course":
        """Gather the options of the command line; those that are none of a course are settings."""
        where, workers = Where.taken(options), jobs
        most = count_threads(options.pop("threads"))
        jobs = min(jobs or MOST_JOBS, most)  # each has a thread at least, and there are never more than cores
        threads = where.threads or share_threads(most, jobs)
        from spnrefine.job.types import Settings

        check_kinds(soft=options["soft"], alpha=options["alpha"])
        own = {field.name: options.pop(field.name) for field in fields(cls) if field.name in options}
        records = STREAM if as_json else records
        own |= {"jobs": jobs, "threads": threads, "where": where, "workers": workers, "records": records}
        return cls(output=output, settings=Settings.of(**options), **own)

    @property
    def shows(self) -> bool:
        """Whether pictures are made, of what was done before too."""
        return any(made is not None for made in (self.report, *self.drawn))

    @property
    def drawn(self) -> tuple[Path | None, ...]:
        """The folders of pictures that are made beside the masks."""
        return tuple(getattr(self, name) for name in PICTURES)

    def check_places(self, **inputs: Path | None) -> None:
        """Refuse pictures that would take the names of masks or of each other, or lie among the ``inputs``.

        ``inputs`` are folders, by what they hold; in one of them pictures would be taken for such in the next run.
        """
        named = {"-o": self.output}
        pictures = {f"--{name}": place for name in PICTURES if (place := getattr(self, name)) is not None}
        held = {f"the folder of the {name}": place for name, place in inputs.items() if place is not None}
        for mine, place in pictures.items():
            alike = {name: other for name, other in (named | pictures).items() if _ending(name) == _ending(mine)}
            for other, where in ({name: other for name, other in alike.items() if name != mine} | held).items():
                if os.path.realpath(place) == os.path.realpath(where):
                    raise click.UsageError(f"{mine} {place} is {other} too: give it a folder of its own.")

    @property
    def judges(self) -> bool:
        """Whether anybody is told how good masks are expected to be."""
        return self.records is not None or self.report is not None

    @property
    def makes_mattes(self) -> bool:
        """Whether mattes are made, for the masks or for cut-outs."""
        return self.settings.alpha or self.cutout is not None

    def load_refiner(self) -> "Refiner":
        from spnrefine import Refiner

        return Refiner(self.model, self.device, self.threads, **self.settings.of_refiner)

    def load_matting(self) -> "MakesMattes | None":
        """Load what makes mattes, where there are any to make."""
        from spnrefine.job.mattes import load_matting

        return load_matting(self.matting, self.threads) if self.makes_mattes else None

    def load_maker(self) -> "MakesMasks":
        """Load what makes the masks of photographs without."""
        from spnrefine.cli import no_mask

        how = self.settings
        return no_mask.load_maker(
            self.model, self.backbone, self.only, how.threshold, self.device, self.threads, best=how.best
        )

    def weights(self, *, makes_masks: bool) -> str:
        """Return the checksums of all weights that masks depend on, and of which class they are."""
        from spnrefine.cli import no_mask
        from spnrefine.model import weights
        from spnrefine.refiner.sights import beside

        sums = no_mask.checksums(self.model, self.backbone, self.only) if makes_masks else ""
        also = [self.matting] if self.makes_mattes else []
        if not sums:
            also = [self.model, *beside(self.model), *also]
        return " ".join(filter(None, [sums, *(weights.describe(name).identity for name in also)]))

    def told(self, *, makes_masks: bool = False) -> dict[str, Any]:
        """Say how this run goes, for each line of its records."""
        import platform
        from datetime import datetime, timezone

        from spnrefine.batch.keys import told
        from spnrefine.version import ALGORITHM, __version__

        return {
            "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "host": platform.node(),
            "version": __version__,
            "algorithm": ALGORITHM,
            "model": self.model,
            "weights": self.weights(makes_masks=makes_masks),
            "options": told(self.settings),
        }

    def open_outputs(self, inputs: "Iterable[Path]", *, is_folder: bool, makes_masks: bool = False) -> "Outputs":
        """Open the outputs for this run alone; what is read besides ``inputs`` is the network's weights."""
        from spnrefine.batch.keys import run_key
        from spnrefine.batch.outputs import open_outputs
        from spnrefine.cli import no_mask
        from spnrefine.files.inputs import Inputs
        from spnrefine.version import ALGORITHM

        sums = self.weights(makes_masks=makes_masks) + " cut out" * (self.makes_mattes and self.cutout is not None)
        key = run_key(self.settings, sums, f"algorithm {ALGORITHM}")
        read = Inputs([*inputs, *no_mask.weights_files(self.model, self.backbone)])
        overwrite = self.settings.overwrite
        resume = self.resume or bool(self.names or self.keep_coarse)  # what was written before may be written again
        return open_outputs(
            self.output,
            key,
            read,
            is_folder=is_folder,
            overwrite=overwrite,
            resume=resume,
            done_is_done=self.done_is_done,
        )

    def open_engine(self) -> "Engine":
        """Open what the portions run on."""
        return self.where.open(self.jobs, self.workers)

    def run(
        self, portions: "Iterable[Portion]", tally: "Tally", stop: "Stop", engine: "Engine", said: Progress
    ) -> None:
        """Run the portions until ``stop``, and put each record where it was asked for as it comes.

        Asks to ``stop`` itself once more have failed than may.
        """
        from spnrefine.batch.run import run
        from spnrefine.cli.summary import too_many

        how: dict[str, Any] = {"most": self.max_items, "fail_fast": self.fail_fast, "stop": stop}
        with closing(run(portions, engine=engine, **how)) as done:
            for record in said.over(done):
                tally.add(record)
                if too_many(tally, self.max_failures):
                    stop.ask()
