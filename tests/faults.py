"""The table that ``pytest -m faults`` prints."""

from collections import Counter
from typing import Any

OUTCOMES = {"passed": "held", "failed": "FAILED", "error": "FAILED", "skipped": "left out"}


def write_table(reporter: Any) -> None:
    """Write a line for each case that ran: its file, what became of it, its name and parameters; and the sums."""
    rows = []
    for outcome, held in OUTCOMES.items():
        for report in reporter.stats.get(outcome, []):
            file, _, case = report.nodeid.partition("::")
            rows.append((file.removeprefix("tests/").removesuffix(".py"), case, held))
    reporter.section("faults")
    for file, case, held in sorted(rows):
        reporter.write_line(f"{held:8}  {file:30}  {case.encode('ascii', 'backslashreplace').decode()[:120]}")
    counts = Counter(held for _, _, held in rows)
    reporter.write_line(f"{len(rows)} cases: " + ", ".join(f"{count} {held}" for held, count in counts.items()))
