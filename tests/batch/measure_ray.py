"""What a batch on Ray costs beside one on threads, for docs/scale.md: no test, as it takes minutes and a quiet machine.

``python -m tests.batch.measure_ray images 56`` refines so many copies of a photograph of 512 x 512 pixels on one and on
two threads and workers. ``python -m tests.batch.measure_ray small 2000`` refines so many of 160 x 120 on two threads
and on two workers by turns, tells the workers' throughput beside the threads', and compares all masks; ``workers 200``
has them refined by 1, 2 and 4 workers. ``portions 50000`` hands out portions that do nothing.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

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
from tests.batch.clusters import descendants
from tests.documents import ROOT

TURN = 100  # images of one engine, before it is the other's turn
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
    """Return the CPU time of processes and of those that they started and saw end, in seconds."""
    ticks = 0
    for number in numbers:
        ticks += sum(map(int, Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11:15]))
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
                assert record.status != "failed", record.error
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


def make_small(count, folder):
    """Write so many photographs of 160 x 120 with their masks: pieces of the examples, no two alike."""
    chance = np.random.default_rng(0)
    examples = []
    for path in sorted((ROOT / "examples").glob("*_mask.png")):
        photograph = path.with_name(path.name.replace("_mask.png", ".jpg"))
        examples.append((Image.open(photograph).convert("RGB"), Image.open(path).convert("L")))
    made = 0
    while made < count:
        photograph, mask = examples[made % len(examples)]
        width = chance.integers(160, photograph.width + 1)
        height = min(width * 3 // 4, photograph.height)
        left, top = (chance.integers(most + 1) for most in (photograph.width - width, photograph.height - height))
        box = tuple(int(side) for side in (left, top, left + width, top + height))
        coarse = mask.resize((160, 120), Image.Resampling.NEAREST, box)
        if 0.05 < np.mean(np.asarray(coarse) > 127) < 0.95:
            photograph.resize((160, 120), Image.Resampling.BILINEAR, box).save(folder / f"{made:05}.jpg", quality=95)
            coarse.save(folder / f"{made:05}.png")
            made += 1


def measure_workers(count, folder):
    """Print the CPU time that a small image takes on 1, 2 and 4 workers, in all processes and in this one."""
    make_small(count + TURN, folder)
    for jobs in (1, 2, 4):
        engine, work = RayEngine(None, jobs, Share(0.5)), _work(folder / f"{jobs}")
        engine.equip(work.tools)
        pairs = [
            Pair(folder / f"{at:05}.jpg", folder / f"{at:05}.png", folder / f"{jobs}") for at in range(count + TURN)
        ]
        for number, record in enumerate(run((PairPortion(pair, work) for pair in pairs), engine=engine), 1):
            assert record.status != "failed", record.error
            if number == TURN:
                own, every = seconds([os.getpid()]), seconds(descendants(os.getpid()))
        own, every = seconds([os.getpid()]) - own, seconds(descendants(os.getpid())) - every
        print(f"{jobs} workers: {1000 * every / count:.1f} ms of CPU an image, {1000 * own / count:.1f} of them here")
        engine.close()
        work.outputs.close()


def _work(folder):
    return Work(Refiner(device="cpu", threads=1), Settings(), Outputs(Ledger(folder, "run")))


def measure_small(count, folder):
    """Print the time that a small image takes on each engine, of the clock and of the CPU, and the ratios."""
    make_small(count + TURN, folder)
    spent, engines = {}, [Threads(2), RayEngine(None, 2, Share(1))]
    works = [_work(folder / type(each).__name__) for each in engines]
    for engine, work in zip(engines, works, strict=True):
        engine.equip(work.tools)
    for first in range(0, count + TURN, TURN):
        for engine, work in zip(engines, works, strict=True):
            name = type(engine).__name__
            pairs = [
                Pair(folder / f"{number:05}.jpg", folder / f"{number:05}.png", folder / name)
                for number in range(first, first + TURN)
            ]
            began, every = time.monotonic(), seconds(descendants(os.getpid()))
            for record in run((PairPortion(pair, work) for pair in pairs), engine=engine):
                assert record.status != "failed", record.error
            took, every = time.monotonic() - began, seconds(descendants(os.getpid())) - every
            if first:  # in the first turn workers load
                spent.setdefault(name, []).append((took, every))
    took = {name: np.sum(each, axis=0) for name, each in spent.items()}
    for name, (clock, cpu) in took.items():
        print(f"{name}: {1000 * cpu / count:.1f} ms of CPU an image, {count / clock:.1f} images/s", flush=True)
    ratio = took["Threads"] / took["RayEngine"]
    print(f"throughput of the workers over the threads': {ratio[0]:.2f} by the clock, {ratio[1]:.2f} by CPU time")
    for engine, work in zip(engines, works, strict=True):
        engine.close()
        work.outputs.close()
    same, different = compare(folder / "Threads", folder / "RayEngine")
    print(f"{same} masks of {count + TURN} are the same bytes, of {different} kinds")


def compare(one, other):
    """Return how many files of two folders are the same bytes, and how many different ones there are among these."""
    names = sorted(path.name for path in one.iterdir() if path.suffix == ".png")
    assert names == sorted(path.name for path in other.iterdir() if path.suffix == ".png")
    held = [(one / name).read_bytes() for name in names if (one / name).read_bytes() == (other / name).read_bytes()]
    return len(held), len(set(held))


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
            measure = {"small": measure_small, "workers": measure_workers, "images": measure_images}[sys.argv[1]]
            measure(int(sys.argv[2]), Path(made))
