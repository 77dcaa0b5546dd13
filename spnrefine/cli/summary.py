"""What a batch tells: its records as they come, and what they amount to."""

import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spnrefine.cli.streams import STREAM, say

if TYPE_CHECKING:
    from spnrefine.batch.record import Record


class Tally:
    """Counts records, writes them where they were asked for, and closes with a summary on standard error.

    ``records`` is a file for JSON lines, ``-`` for standard output, or None.
    """

    def __init__(self, records: str | None, *, overwrite: bool, total: int):
        self.failed: list[Record] = []
        self._counts = Counter[str]()
        self._changed: list[float] = []
        self._total, self._overwrite = total, overwrite
        self._file = Path(records) if records and records != STREAM else None
        self._to_stdout = records == STREAM
        self._lines: list[str] = []
        if self._file:
            from spnrefine.files import atomic

            atomic.check_output(self._file, overwrite=overwrite)

    def add(self, record: "Record") -> None:
        self._counts[record.status] += 1
        if record.status == "failed":
            self.failed.append(record)
        elif record.changed is not None:
            self._changed.append(record.changed)
        if self._to_stdout:
            click.echo(json.dumps(record.as_dict()))
        elif self._file:
            self._lines.append(json.dumps(record.as_dict()) + "\n")

    def close(self) -> None:
        """Write the records' file, name what failed, and sum up."""
        if self._file:
            from spnrefine.files import atomic

            atomic.write_bytes(self._file, "".join(self._lines).encode(), overwrite=self._overwrite)
        for record in self.failed:
            say(f"Failed: {record.image}: {record.error}")
        if sys.stderr.isatty():
            self._table()
        else:
            counts = ", ".join(f"{count} {status}" for status, count in sorted(self._counts.items()))
            say(f"{counts or 'nothing done'} of {self._total}.")

    def _table(self) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(show_header=False, box=None)
        for status, count in sorted(self._counts.items()):
            table.add_row(status, str(count), style="red" if status == "failed" else None)
        table.add_row("of", str(self._total))
        if self._changed:
            table.add_row("median change", f"{100 * statistics.median(self._changed):.1f} %")
        Console(stderr=True, highlight=False).print(table)
