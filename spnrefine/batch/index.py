"""Where the lines of a ledger stand that count."""

from pathlib import Path
from typing import Any

from spnrefine.batch.lines import Place, read_lines


class Index:
    """Where the lines stand that count, of all ledgers of an output; whichever fits what lies there, counts.

    Attributes
    ----------
    finished : by an output's name and its key.
    last : what was last made under a name.
    digests : of all that was written under a name.
    masks : by their keys.
    last_masks : what was last made of a coarse mask and its photograph, by the digest of both.
    tries : how often a process ended in the middle, by keys.
    """

    def __init__(self, ledgers: list[Path]):
        self.finished: dict[tuple[str, str], Place] = {}
        self.last: dict[str, Place] = {}
        self.digests: dict[str, set[str]] = {}
        self.masks: dict[str, Place] = {}
        self.last_masks: dict[str, Place] = {}
        self.tries: dict[str, int] = {}
        for path in ledgers:
            for where, line in read_lines(path):
                self._add(where, line)

    def _add(self, where: Place, line: dict[str, Any]) -> None:
        if "mask" in line and "key" in line:
            self.masks[line["key"]] = where
            if "inputs" in line:
                self.last_masks[line["inputs"]] = where
        if "tried" in line and "key" in line:
            self.tries[line["key"]] = self.tries.get(line["key"], 0) + 1 if line["tried"] == "again" else 0
        if "output" not in line or "digest" not in line:
            return  # version 0.1.0 did not say what it was about to write: it may be anybody's that lies there
        self.digests.setdefault(line["output"], set()).add(line["digest"])
        if "record" in line and "key" in line:
            self.finished[line["output"], line["key"]] = where
            self.last[line["output"]] = where
