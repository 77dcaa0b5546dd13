"""Which option would find the masks that were not found: what lies there, and what its names have in common."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from spnrefine.batch.folders import walk
from spnrefine.files.formats import MASKS
from spnrefine.files.stems import has_extension

BESIDE = {"masks", "mask", "labels", "label", "annotations", "segmentations", "gt", "gtfine"}
"""Folders beside that of the photographs in which masks are looked for."""

MOST_LOOKED_AT = 5000

HELP = (
    "name their folder with --mask-dir, their names with --mask-pattern, such as '{stem}_mask.png', or the pairs in a "
    "list for --files-from"
)


def advice(photographs: Sequence[Path], folder: Path, masks: Path | None) -> tuple[str, str]:
    """Say what lies where masks may be, and with which options most of it would be found.

    Parameters
    ----------
    photographs : relative to ``folder``.
    masks : the folder that was named, or None.
    """
    known = {path.stem: path for path in photographs}
    lies, help, most = "", HELP, 0
    for place in [masks] if masks is not None else [folder, *_beside(folder)]:
        files = [path for path in islice(walk(place), MOST_LOOKED_AT) if has_extension(path, MASKS)]
        patterns = [_pattern(path.relative_to(place), known, among=place == folder) for path in files]
        if place == folder:  # the rest are photographs
            files = [path for path, pattern in zip(files, patterns, strict=True) if pattern]
        if not files:
            continue
        holds = f", while {place} holds {len(files)} such as {files[0].relative_to(place)}"
        lies = lies or holds
        for pattern, count in Counter(filter(None, patterns)).most_common(1):
            if count > most:
                options = _options(place, pattern, None if masks is not None else folder)
                lies, help, most = holds, f"{options} would find {count}", count
    return lies, help


def _beside(folder: Path) -> Iterator[Path]:
    try:
        listed = sorted(folder.absolute().parent.iterdir())
    except OSError:
        return
    yield from (
        folder.parent / path.name
        for path in listed
        if path.name.lower() in BESIDE and path.is_dir() and path.name != folder.absolute().name
    )


def _pattern(mask: Path, photographs: dict[str, Path], *, among: bool) -> str | None:
    """Return the pattern by which a photograph's name leads to a mask's; of several the one with the longest stem.

    ``among`` photographs, a mask's name has words of its own: IMG_10 is no mask of IMG_1.
    """
    name = mask.name
    for length in range(len(name), 0, -1):
        for start in range(len(name) - length + 1):
            photograph = photographs.get(name[start : start + length])
            before, after, field = name[:start], name[start + length :], "{stem}"
            if photograph is None or (among and not any(map(str.isalpha, before + Path("x" + after).stem[1:]))):
                continue
            if after.startswith(photograph.suffix + "."):
                after, field = after.removeprefix(photograph.suffix), "{name}"
            way = os.path.relpath(mask.parent, photograph.parent)
            return Path(way, f"{before}{field}{after}").as_posix()
    return None


def _options(place: Path, pattern: str, folder: Path | None) -> str:
    own = f"--mask-pattern '{pattern}'"
    if folder is None or place == folder:
        return own
    plain = pattern.startswith("{stem}.") and pattern.count(".") == 1
    return f"--mask-dir {place}" + ("" if plain else f" {own}")
