"""Refine a folder with Ray Data: ``python examples/with_ray.py PHOTOS MASKS OUTPUT`` (pip install 'ray[data]').

Each actor holds one network. ``num_cpus`` must leave a whole CPU on some node for the tasks that read. Rows come back
in any order, and those that failed are named.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it tells its makers how it is used
os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")

import ray

from spnrefine.batch import Refine


def main(photographs: Path, masks: Path, output: Path, actors: int = 1) -> int:
    """Refine; return how many rows failed."""
    pairs = [{"image": str(path), "mask": str(masks / f"{path.stem}.png")} for path in sorted(photographs.iterdir())]
    rows = ray.data.from_items(pairs).map_batches(
        Refine,
        fn_constructor_kwargs={"threads": 1},
        batch_size=8,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=1,
    )
    output.mkdir(exist_ok=True)
    failed = 0
    for row in rows.iter_rows():
        if row["error"]:
            print(f"{row['image']}: {row['error']}")
            failed += 1
        else:
            (output / f"{Path(row['image']).stem}{row['extension']}").write_bytes(row["refined"])
    return failed


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])) > 0)
