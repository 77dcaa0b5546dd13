"""What a batch tells: its records as they come, a report, and what they amount to."""

import json
import statistics
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.group import DONE, FAILED, SOME_FAILED
from spnrefine.cli.streams import STREAM, is_terminal, say, tell
from spnrefine.files.regular import is_file

if TYPE_CHECKING:
    from spnrefine.batch.outputs import Outputs
    from spnrefine.cli.course import Course
    from spnrefine.files.growing import Growing
    from spnrefine.job.record import Record
    from spnrefine.job.types import Refined
    from spnrefine.review.places import Place
    from spnrefine.review.report import Report
    from spnrefine.review.thumbnails import Thumbnail

MOST_ALIKE = 3
"""Refined masks of an earlier run that are named one by one."""


class Tally:
    """Counts records, puts them where they were asked for, and closes with a summary on standard error.

    Parameters
    ----------
    outputs : write the files of records and the report.
    course : says where records and the report go.
    run : how the run goes, which each line of records says too, see `Course.told`.
    total : records that there would be if all went through.
    """

    def __init__(self, outputs: "Outputs", course: "Course", run: dict[str, Any], total: int):
        records, report = course.records, course.report
        self.total = total
        self.failed: list[Record] = []
        self._counts = Counter[str]()
        self._changed: list[float] = []
        self._by_hand: list[str] = []
        self._other_formats = Counter[tuple[str, str]]()
        self._outputs = outputs
        self._to_stdout = records == STREAM
        self._records = Path(records) if records and not self._to_stdout else None
        self._append, self._run, self._in_part = course.append, run, bool(course.names or course.keep_coarse)
        self._file: Growing | None = None
        self._page, self._report = report, _new_report(course, run) if report else None
        self._thumbnails: dict[tuple[str, str | None], tuple[Thumbnail, list[Place]]] = {}

    def check(self, *others: Path) -> None:
        """Refuse files that may not be written, or are one of ``others``, before any work is done."""
        own = [path for path in (self._records, self._page) if path]
        if len({path.absolute() for path in (*own, *others)}) < len(own) + len(others):
            raise click.UsageError("--records, --report and -o name the same file twice: give each its own.")
        if self._records:
            self._outputs.check_lines(self._records, append=self._append)
        if self._page:
            self._outputs.check(self._page)
            if self._in_part and self._report is not None and self._outputs.ledger.may_replace(self._page):
                self._report.take_up(self._page.read_text("utf-8", "replace"))

    def show(self, record: "Record", image: Any, refined: "Refined") -> None:
        """Make the report's picture of a refined mask, for when its record comes; may be called by several threads."""
        if self._report is not None:
            from spnrefine.review.places import places
            from spnrefine.review.thumbnails import thumbnail

            masks = refined.before, refined.after
            seen = image if refined.view is None else image[refined.view.slices]
            self._thumbnails[record.image, record.mask] = (
                thumbnail(image, *masks, refined.view),
                places(seen, *masks, refined.probability),
            )

    def add(self, record: "Record") -> None:
        """Count a record and put it out."""
        from spnrefine.batch.pair_portion import BY_HAND

        self._counts[record.status] += 1
        if record.status == "failed":
            self.failed.append(record)
        elif record.changed is not None:
            self._changed.append(record.changed)
        if record.status == BY_HAND and record.output:
            self._by_hand.append(record.output)
        elif record.mask and record.output and is_file(Path(record.mask)):
            came, went = Path(record.mask).suffix.lower(), Path(record.output).suffix.lower()
            self._other_formats[came, went] += came != went
        if self._report is not None:
            listed = record.as_dict()
            if record.mask and not is_file(Path(record.mask)):  # an item of an annotation file: a name, no link
                listed |= {"mask": None, "item": record.mask, "notes": [record.mask, *record.notes]}
            self._report.add_thumbnail(listed, *self._thumbnails.pop((record.image, record.mask), ()))
        if self._to_stdout or self._records:
            self._tell(record)

    def close(self) -> None:
        """Write the files, name what failed, and sum up."""
        from spnrefine.batch.folders import named

        if self._file is not None:
            self._file.close()
        if self._report is not None and self._page:
            self._outputs.write(self._page, self._report.page(self._page.parent))
        for (came, went), count in self._other_formats.items():
            if count:
                say(f"Masks that came as {came} and are written as {went}: {count}.")
        if self._by_hand:
            say(f"Left as they are, put there or edited by hand: {named(self._by_hand)}.")
        self._name_failed()
        if is_terminal(sys.stderr):
            self._table()
        else:
            counts = ", ".join(f"{count} {status}" for status, count in sorted(self._counts.items()))
            say(f"{counts or 'nothing done'} of {self.total}.")

    def _name_failed(self) -> None:
        """Name what failed; where --resume was forgotten that is all there is, which is said once."""
        from spnrefine.batch.outputs import OF_EARLIER_RUN

        there = [record.image for record in self.failed if OF_EARLIER_RUN in (record.error or "")]
        alike = set(there) if len(there) > MOST_ALIKE else set()
        if alike:
            these = f"{len(there)}, of which each refined mask, such as that of {there[0]}, {OF_EARLIER_RUN}"
            say(f"Failed: {these}: skip what is done with --resume, or replace it with --overwrite.")
        for record in self.failed:
            if record.image not in alike:
                say(f"Failed: {record.image}: {record.error}")

    def _tell(self, record: "Record") -> None:
        """Put out a record at once, with the time and how the run goes."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        line = json.dumps({**record.as_dict(), "time": now, "run": self._run})
        if self._records is None:
            tell(line)
        elif self._file is None:
            self._file = self._outputs.begin_lines(self._records, f"{line}\n".encode(), append=self._append)
        else:
            self._file.add(f"{line}\n".encode())

    def _table(self) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(show_header=False, box=None)
        for status, count in sorted(self._counts.items()):
            table.add_row(status, str(count), style="red" if status == "failed" else None)
        table.add_row("of", str(self.total))
        if self._changed:
            table.add_row("median change", f"{100 * statistics.median(self._changed):.1f} %")
        Console(stderr=True, highlight=False).print(table)


def _new_report(course: "Course", run: dict[str, Any]) -> "Report":
    from spnrefine.review.report import Report

    options = {name.replace("_", " "): value for name, value in run["options"].items()}
    return Report({"output": course.output.name, "began": run["began"], "model": run["model"], **options})


def too_many(tally: Tally, most: int | float | None) -> bool:
    """Tell whether more have failed than ``most``: a number, a share of all, or None for any number of them."""
    return most is not None and len(tally.failed) > (most if isinstance(most, int) else most * tally.total)


def exit_code(tally: Tally, most: int | float | None) -> int:
    """Return the exit code of a batch in which ``most`` may fail, as of `too_many`."""
    failed = len(tally.failed)
    if most is None or not failed:
        return FAILED if failed else DONE
    if not too_many(tally, most):
        return SOME_FAILED
    say(f"{failed} of {tally.total} failed, which is more than --max-failures allows: nothing more was begun.")
    return FAILED
