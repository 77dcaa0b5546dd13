"""Refine a folder's masks with Dask: ``python examples/with_dask.py PHOTOS MASKS OUTPUT`` (pip install 'dask[bag]')."""

import sys
from pathlib import Path

import dask.bag

from spnrefine.batch import Refine


def main(photographs: Path, masks: Path, output: Path, processes: int = 1) -> int:
    """Refine; return how many rows failed."""
    pairs = [{"image": str(path), "mask": str(masks / f"{path.stem}.png")} for path in sorted(photographs.iterdir())]
    rows = dask.bag.from_sequence(pairs, partition_size=8).map_partitions(Refine(threads=1))
    output.mkdir(exist_ok=True)
    failed = 0
    for row in rows.compute(scheduler="processes", num_workers=processes):
        if row["error"]:
            print(f"{row['image']}: {row['error']}")
            failed += 1
        else:
            (output / f"{Path(row['image']).stem}{row['extension']}").write_bytes(row["refined"])
    return failed


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])) > 0)
