"""What a batch on Ray costs beside one on threads, for docs/scale.md: no test, as it takes minutes and a quiet machine.

``python -m tests.batch.measure_ray images 56`` refines so many copies of a photograph of 512 x 512 pixels on one and on
two threads and workers; ``python -m tests.batch.measure_ray portions 50000`` hands out portions that do nothing.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from spnrefine import Refiner
from spnrefine.batch.engine import Threads
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import Sendable, Work
from spnrefine.batch.ray_cluster import Share
from spnrefine.batch.ray_engine import RayEngine
from spnrefine.batch.run import run
from spnrefine.batch.task import Tools
from spnrefine.job.record import Record
from spnrefine.job.types import Settings
from tests.batch.test_ray import descendants
from tests.documents import ROOT

FIRST = 16  # images that are not counted: workers load and compile


class NoTask:
    def __init__(self, name):
        self.name = name

    def __call__(self, tools):
        return Record(self.name, self.name)


class NoPortion(Sendable):
    """A portion whose refinement is left out."""

    inputs = ()

    def __init__(self, name):
        self.name = name

    def limit(self, most):
        return 1

    def run(self):
        return []

    def task(self):
        return NoTask(self.name)

    def finish(self, result):
        return [result]

    def give_up(self, error):
        raise error


def seconds(numbers):
    """Return the CPU time of processes, in seconds."""
    ticks = 0
    for number in numbers:
        ticks += sum(map(int, Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure_images(count, folder):
    """Print the CPU time that an image takes on each engine, in all processes and in this one."""
    mask = ROOT / "examples/astronaut_mask.png"
    photographs = [folder / f"{number:05}.jpg" for number in range(count)]
    for path in photographs:
        shutil.copy(ROOT / "examples/astronaut.jpg", path)
    refiner = Refiner(device="cpu", threads=1)
    for jobs in (1, 2):
        for engine in (Threads(jobs), RayEngine(None, jobs, Share(1))):
            name = type(engine).__name__
            outputs = Outputs(Ledger(folder / f"{name}{jobs}", "run"))
            work = Work(refiner, Settings(), outputs)
            engine.equip(work.tools)
            portions = (PairPortion(Pair(path, mask, folder / f"{name}{jobs}"), work) for path in photographs)
            for number, record in enumerate(run(portions, engine=engine), 1):
                assert record.status == "refined", record.error
                if number == FIRST:
                    own, every, began = seconds([os.getpid()]), seconds(descendants(os.getpid())), time.monotonic()
            took, counted = time.monotonic() - began, count - FIRST
            own, every = seconds([os.getpid()]) - own, seconds(descendants(os.getpid())) - every
            said = (
                f"{1000 * every / counted:.0f} ms of CPU an image, {1000 * own / counted:.0f} of them in this process"
            )
            print(f"{name}, {jobs}: {said}; {counted / took:.2f} images/s", flush=True)
            engine.close()
            outputs.close()


def measure_portions(count):
    """Print what handing out a portion costs this process, and the memory that it takes."""
    engine = RayEngine(None, 2, Share(0.5))
    engine.equip(Tools(None, Settings()))
    began = seconds([os.getpid()])
    for number, _ in enumerate(run((NoPortion(f"{at:08}.jpg") for at in range(count)), engine=engine), 1):
        if number % max(1, count // 10) == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            each = 1000 * (seconds([os.getpid()]) - began) / number
            print(f"{number}: {each:.2f} ms of CPU each, {pages * os.sysconf('SC_PAGESIZE') >> 20} MiB", flush=True)
    engine.close()


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(ROOT)
    if sys.argv[1] == "portions":
        measure_portions(int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            measure_images(int(sys.argv[2]), Path(made))
