"""What ``spnrefine eval`` writes beside what it prints: a table, a page of the worst objects, a plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from spnrefine.evaluate.evaluation import Measured, Result
    from spnrefine.evaluate.worst import Worst


@dataclass(frozen=True)
class Written:
    """The files that were asked for, each or None."""

    csv: Path | None
    report: Path | None
    plot: Path | None
    overwrite: bool

    def check(self) -> None:
        """Refuse, before anything is measured, what could not be written."""
        from spnrefine.evaluate.plots import check_plot
        from spnrefine.files import atomic

        paths = [path for path in (self.csv, self.report, self.plot) if path is not None]
        if len(set(paths)) < len(paths):
            raise click.UsageError("Two of --csv, --report and --plot name the same file: give each its own.")
        if self.plot is not None:
            check_plot(self.plot.suffix)
        for path in paths:
            atomic.check_output(path, overwrite=self.overwrite)

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
