"""Where the masks of photographs lie."""

from collections.abc import Collection
from pathlib import Path

from spnrefine.batch.folders import NoPhotographsError, named, real, walk
from spnrefine.batch.pairs import Rules
from spnrefine.batch.patterns import Pattern
from spnrefine.batch.proposals import advice
from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS, PHOTOGRAPHS
from spnrefine.files.stems import MASK_SUFFIX, has_extension


class ByPattern:
    """Finds masks by a pattern of their names."""

    def __init__(self, masks: Path, pattern: Pattern):
        self._masks, self._pattern = masks, pattern

    def find(self, photograph: Path, name: Path) -> tuple[list[Path], str]:
        found, wanted = self._pattern.find(photograph, self._masks / name.parent)
        return [path for path in found if has_extension(path, MASKS)], wanted

    def unmatched(self) -> list[str]:
        """Say which masks belong to no photograph that was asked for: a pattern may mean any."""
        return []


class ByStem:
    """Finds masks that have their photographs' paths and stems."""

    def __init__(self, masks: Path, output: Path):
        self._masks = masks
        self._there: dict[Path, list[Path]] = {}
        self._asked: set[Path] = set()
        for path in walk(masks, {real(output)} - {real(masks)}):
            if has_extension(path, MASKS):
                self._there.setdefault(path.relative_to(masks).with_suffix(""), []).append(path)

    def find(self, photograph: Path, name: Path) -> tuple[list[Path], str]:
        wanted = name.with_suffix("")
        self._asked.add(wanted)
        return self._there.get(wanted, []), f"{self._masks / wanted}.*"

    def unmatched(self) -> list[str]:
        rest = [path for name, paths in self._there.items() for path in paths if name not in self._asked]
        return [f"Left out: {len(rest)} masks of no photograph ({named(rest)})."] if rest else []


def finder(masks: Path, pattern: Pattern | None, output: Path) -> ByPattern | ByStem:
    return ByStem(masks, output) if pattern is None else ByPattern(masks, pattern)


def masks_of(photographs: Path, rules: Rules) -> tuple[Path, Pattern | None]:
    """Find the folder of the masks, and the pattern of their names where it is not the photographs' stems."""
    if rules.masks is not None:
        check_folder(rules.masks)
        return rules.masks, rules.pattern
    if rules.pattern is not None:
        return photographs, rules.pattern
    if (photographs / "masks").is_dir():
        return photographs / "masks", None
    files = list(walk(photographs))
    if not any(path.stem.endswith(MASK_SUFFIX) for path in files):
        found = [path.relative_to(photographs) for path in files if has_extension(path, PHOTOGRAPHS)]
        check_any(found, photographs)
        looked = f"neither in {photographs / 'masks'} nor named STEM{MASK_SUFFIX}.*"
        lies, help = advice(found, photographs, None)
        raise FileError(f"{photographs} has no masks, {looked}{lies}: {help}, and --backbone object makes masks.")
    return photographs, Pattern(f"{{stem}}{MASK_SUFFIX}.*", "--mask-pattern")


def check_apart(output: Path, masks: Path, photographs: Path) -> None:
    """Refuse to write among the coarse masks, where a refined one would be taken for one of them in the next run."""
    if masks != photographs and real(output) == real(masks):
        raise FileError(f"-o {output} is the folder of the coarse masks: give another folder.")


def check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise FileError(f"{folder} is not a folder: expected a folder of files to work on.")


def check_any(found: Collection[Path], photographs: Path) -> None:
    if not found:
        raise NoPhotographsError(
            f"{photographs} holds no photographs: expected files ending in {' '.join(sorted(PHOTOGRAPHS))}."
        )
