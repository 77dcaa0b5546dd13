"""What very many photographs cost a batch besides their refinement, for docs/scale.md: no test, as it takes minutes.

``python -m tests.batch.measure_million run 1000000`` has so many portions that refine and write nothing go through the
threads and the ledger, and reads that ledger again; ``python -m tests.batch.measure_million list 100000`` lists so many
objects of a store and pairs them.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from spnrefine.batch.engine import Threads
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair, Rules
from spnrefine.batch.portion import Work
from spnrefine.batch.run import run
from spnrefine.job.record import Record
from spnrefine.job.types import Settings


class NoRefinement(PairPortion):
    """A pair of which the ledger says that it is done, without its being read, refined or written."""

    def memory(self):
        return 0

    def run(self):
        pair, outputs = self._pair, self._work.outputs
        output, key = pair.folder / f"{pair.stem}.png", f"{hash(pair.stem):040x}"[-40:]
        record = Record(str(pair.photograph), str(pair.mask), str(output), "refined", 0.01, 1.5, 1, 1, 0, 0)
        outputs.ledger.begin(output, key, key)
        outputs.finish_mask(output, key, b"", record, inputs=key)
        return [record]


def resident():
    """Return the memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def measure_run(count, folder):
    """Print what the list, each portion and the ledger take."""
    before = resident()
    pairs = [
        Pair(Path(f"photos/{at // 1000:05}/IMG_{at:08}.jpg"), Path(f"masks/{at:08}.png"), Path("out"))
        for at in range(count)
    ]
    print(f"list of {count} pairs: {resident() - before:.0f} MiB")
    outputs = Outputs(Ledger(folder / "out", "run"))
    work = Work(None, Settings(), outputs)
    began = time.process_time()
    portions = (NoRefinement(pair, work) for pair in pairs)
    for number, _ in enumerate(run(portions, engine=Threads(2)), 1):
        if number % max(1, count // 5) == 0:
            each = 1000 * (time.process_time() - began) / number
            print(f"{number}: {each:.2f} ms of CPU each, {resident() - before:.0f} MiB", flush=True)
    path = outputs.ledger.path
    outputs.close()
    print(f"ledger: {path.stat().st_size / count:.0f} bytes each")
    before, began = resident(), time.process_time()
    ledger = Ledger(folder / "out", "run")
    ledger.finished(folder / "out/none.png", "")
    each = 1000 * (time.process_time() - began) / count
    print(f"read for --resume: {each:.3f} ms of CPU each, {resident() - before:.0f} MiB", flush=True)
    ledger.close()


def measure_list(count):
    """Print what it takes to list objects, lay them out and pair them."""
    import fsspec

    from spnrefine.batch.pairing import find_pairs
    from spnrefine.stores.mirror import Mirror
    from spnrefine.stores.urls import Url

    store = fsspec.filesystem("memory")
    for at in range(count):
        store.pipe_file(f"/bucket/photos/{at // 1000:05}/{at:08}.jpg", b"")
        store.pipe_file(f"/bucket/masks/{at // 1000:05}/{at:08}.png", b"")
    before, began, mirror = resident(), time.process_time(), Mirror()
    photographs, masks = (mirror.lay(Url("memory", f"bucket/{name}")) for name in ("photos", "masks"))
    each = 1000 * (time.process_time() - began) / count
    print(f"listed and laid out: {each:.3f} ms of CPU a pair, {resident() - before:.0f} MiB")
    began = time.process_time()
    found = find_pairs(photographs, Rules(masks), mirror.path(Url("memory", "bucket/out")))
    each = 1000 * (time.process_time() - began) / count
    print(f"{len(found.pairs)} paired: {each:.3f} ms of CPU a pair, {resident() - before:.0f} MiB")
    mirror.close()


if __name__ == "__main__":
    if sys.argv[1] == "list":
        measure_list(int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            measure_run(int(sys.argv[2]), Path(made))
