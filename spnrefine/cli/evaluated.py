"""What ``spnrefine eval`` and its like write beside what they print: a table, a page of the worst, a plot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from spnrefine.evaluate.confusion import Confusion
    from spnrefine.evaluate.evaluation import Measured, Result
    from spnrefine.evaluate.instance_quality import Qualities
    from spnrefine.evaluate.instances import Picture
    from spnrefine.evaluate.worst import Worst
    from spnrefine.evaluate.worst_labels import Seen
    from spnrefine.evaluate.worst_maps import WorstMaps


@dataclass(frozen=True)
class Written:
    """The files that were asked for, each or None; ``read`` are files and folders that none of them may replace."""

    csv: Path | None
    report: Path | None
    plot: Path | None
    overwrite: bool
    read: Sequence[Path] = ()

    def check(self) -> None:
        """Refuse, before anything is measured, what could not be written."""
        from spnrefine.evaluate.plots import check_plot
        from spnrefine.files import atomic
        from spnrefine.files.inputs import Inputs

        paths = [path for path in (self.csv, self.report, self.plot) if path is not None]
        if len(set(paths)) < len(paths):
            raise click.UsageError("Two of --csv, --report and --plot name the same file: give each its own.")
        if self.plot is not None:
            check_plot(self.plot.suffix)
        inputs = Inputs(self._inputs()) if self.overwrite and any(path.exists() for path in paths) else Inputs()
        for path in paths:
            atomic.check_output(path, overwrite=self.overwrite, inputs=inputs)

    def _inputs(self) -> Iterator[Path]:
        from spnrefine.evaluate.sides import ANNOTATIONS
        from spnrefine.files.formats import MASKS, PHOTOGRAPHS
        from spnrefine.files.stems import by_path

        for place in self.read:
            if place.is_dir():
                for files in by_path(place, {*PHOTOGRAPHS, *MASKS, *ANNOTATIONS}).values():
                    yield from files
            else:
                yield place

    def watch(self, ours: str) -> "Worst | None":
        """Return what keeps the pictures of the page, where one was asked for."""
        from spnrefine.evaluate.worst import Worst

        return None if self.report is None else Worst(ours)

    def write(
        self,
        measured: "Sequence[Measured]",
        results: "Mapping[str, Result]",
        worst: "Worst | None",
        about: Mapping[str, Any],
    ) -> None:
        """Write all of them."""
        from spnrefine.evaluate import facts
        from spnrefine.evaluate.plots import plot
        from spnrefine.files import atomic

        if self.csv is not None:
            atomic.write_bytes(self.csv, facts.as_csv(measured), overwrite=self.overwrite)
        if self.report is not None and worst is not None:
            worst.report(about).write(self.report, overwrite=self.overwrite)
        if self.plot is not None:
            atomic.write_bytes(self.plot, plot(results, self.plot.suffix), overwrite=self.overwrite)

    def write_instances(
        self,
        pictures: "Sequence[Picture]",
        qualities: "Qualities",
        about: Mapping[str, Any],
        bands: tuple[int, ...] | None,
    ) -> None:
        """Write the table and the page of ``spnrefine eval-instances``."""
        from spnrefine.evaluate import instance_rows

        if self.csv is None and self.report is None:
            return
        rows = instance_rows.rows(pictures, qualities)
        self._write_table(instance_rows.as_csv(pictures, rows))
        if self.report is not None:
            self._write_page(instance_rows.worst(pictures, rows, bands), about, "PQ, or AP where PQ is not defined")

    def write_labels(self, found: "dict[str, Confusion]", seen: "Seen", about: Mapping[str, Any]) -> None:
        """Write the table and the page of ``spnrefine eval-labels``."""
        from spnrefine.evaluate import label_facts

        self._write_table(label_facts.as_csv(found, seen.names, seen.void_pixels))
        self._write_page(seen.worst, about, "mean IoU")

    def _write_table(self, table: bytes) -> None:
        from spnrefine.files import atomic

        if self.csv is not None:
            atomic.write_bytes(self.csv, table, overwrite=self.overwrite)

    def _write_page(self, worst: "WorstMaps", about: Mapping[str, Any], measure: str) -> None:
        if self.report is not None:
            worst.page(about, measure).write(self.report, overwrite=self.overwrite)
