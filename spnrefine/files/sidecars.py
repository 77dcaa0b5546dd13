"""Small files beside a mask that say where on earth it lies, which go with the refined one under its name.

World files have an extension made of the picture's first and last letter and a w; GDAL writes ``NAME.EXT.aux.xml``, and
others ``NAME.prj``.
"""

from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files import atomic

_WORLD = {".png": (".pgw", ".pngw"), ".tif": (".tfw", ".tifw"), ".tiff": (".tfw", ".tiffw"), ".bmp": (".bpw", ".bmpw")}
_ALSO = (".wld", ".prj")
_AUXILIARY = ".aux.xml"


def copy(mask: Path, refined: Path, *, overwrite: bool = False) -> None:
    """Copy what lies beside ``mask`` to beside ``refined``; what is there already stays, unless ``overwrite``.

    Raises
    ------
    FileError
        One of them cannot be written.
    """
    for source, target in _pairs(mask, refined):
        if (overwrite or not target.exists()) and not _is(source, target):
            try:
                data = source.read_bytes()
            except OSError as error:
                raise FileError(f"{source} cannot be read ({error.strerror}): check its permissions.") from error
            atomic.write_bytes(target, data, overwrite=overwrite, inputs=[source])


def beside(mask: Path) -> list[Path]:
    """List what lies beside a mask and goes with it."""
    return [source for source, _ in _pairs(mask, mask)]


def targets(mask: Path, refined: Path) -> list[Path]:
    """List what `copy` would write beside a refined mask."""
    return [target for _, target in _pairs(mask, refined)]


def _pairs(mask: Path, refined: Path) -> list[tuple[Path, Path]]:
    """Each file beside the mask, and what it is called beside the refined one."""
    before, after = (_WORLD.get(path.suffix.lower(), ()) for path in (mask, refined))
    names = dict(zip(before, after, strict=False)) | {suffix: suffix for suffix in _ALSO}
    pairs = [(mask.with_suffix(old), refined.with_suffix(new)) for old, new in names.items()]
    pairs.append((mask.with_name(mask.name + _AUXILIARY), refined.with_name(refined.name + _AUXILIARY)))
    pairs.append((mask.with_suffix(_AUXILIARY), refined.with_suffix(_AUXILIARY)))
    return [(source, target) for source, target in pairs if source.is_file()]


def _is(source: Path, target: Path) -> bool:
    try:
        return target.samefile(source)
    except OSError:
        return False
